#pragma once

#include "common/run_options.hpp"

#include <string>

namespace iso::vmm {

/// Runs a program in a virtual machine of its own. `kernel_file` is --kernel, empty for the kernel
/// built in. Returns the exit status of `run` (docs/engine-contract.md).
int run(RunOptions const& options, std::string const& kernel_file);

} // namespace iso::vmm
