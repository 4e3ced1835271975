#pragma once

#include "common/result.hpp"

#include <string>

namespace iso::jail {

/// A signal by number or by name, with or without SIG, in any case: "15", "TERM", "SIGTERM",
/// "RTMIN+3". Errors: exit status 2.
Result<int> parse_signal(std::string const& text);

/// Whether a process that does nothing about this signal is ended by it (signal(7)).
bool ends_by_default(int signal);

} // namespace iso::jail
