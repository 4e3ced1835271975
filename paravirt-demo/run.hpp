#pragma once

#include "common/run_options.hpp"
#include "paravirt-demo/pinning.hpp"

#include <cstdint>
#include <string>

namespace iso::pv {

/// The options of `paravirt-demo run` beyond those that every engine has.
struct DomainOptions {
    std::string technique = "paravirt";
    std::string kernel_file; ///< empty: the one built in
    Placement placement;
    std::uint64_t tick_ns = 0; ///< a timer event at this interval; 0: only what the guest asks for
};

/// Runs a program in a new domain. Returns what the process exits with.
int run(RunOptions const& options, DomainOptions const& domain);

} // namespace iso::pv
