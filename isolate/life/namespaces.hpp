#pragma once

#include "common/result.hpp"

#include <sys/types.h>

namespace iso::jail {

/// The namespaces of a process that are not ours too, as flags of setns(2).
Result<int> foreign_namespaces(pid_t pid);

} // namespace iso::jail
