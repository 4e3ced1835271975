#pragma once

#include "common/report.hpp"
#include "isolate/jail.hpp"
#include "isolate/life/log.hpp"
#include "isolate/life/store.hpp"

namespace iso::jail {

/// A jail with a name that is to be made.
struct Order {
    JailOptions options;
    Record record;
    bool hold = false; ///< create: it waits for its start
    std::uint64_t log_bytes = k_usual_log_bytes;
};

/// Takes the name of an order. What a killed isolate left under that name is cleaned up first;
/// a jail that lives, or that ended and was to stay, keeps its name.
Result<JailDirectory> take_name(Store const& store, Order& order);

/// Runs the jail in the foreground. Its directory is removed at the end.
RunReport keep_in_foreground(Store const& store, JailDirectory jail, Order& order);

/// Runs the jail with a process of its own to keep it: that has the log, notes how the jail ends,
/// and ends with it. Returns when the program runs, or when the jail waits for its start.
/// Errors: as from run(); then nothing is left of the jail.
Result<void> keep_detached(Store const& store, JailDirectory jail, Order& order);

} // namespace iso::jail
