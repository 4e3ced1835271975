#pragma once

#include "isolate/life/store.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace iso::jail {

// The verbs of OCI's runtimes that its specification does not have, but engines call.

/// What isolate does, as JSON.
std::string features_json();

/// Prints what a container uses, one line of JSON each time, and when it runs out of memory, until
/// it ends. `once`: what it uses now, and no more.
Result<void> print_events(Store const& store, std::string const& name, std::uint64_t interval_ns,
                          bool once);

/// A limit that `update` is to change: the field of `linux.resources` and its value.
struct ResourceChange {
    std::string section; ///< "memory"
    std::string field;   ///< "limit"
    std::string value;
};

/// Changes limits of a jail while it runs, all or none. `resources`: the text of an object
/// `linux.resources`, in which 0 leaves a limit as it is and -1 takes it away; empty: only
/// `changes`, whose values mean the same.
Result<void> update_limits(Store const& store, std::string const& name,
                           std::string const& resources,
                           std::vector<ResourceChange> const& changes);

} // namespace iso::jail
