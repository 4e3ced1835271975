#pragma once

#include "common/engine.hpp"
#include "common/report.hpp"
#include "isolate/shared.hpp"

#include <functional>
#include <poll.h>
#include <string>
#include <vector>

namespace iso::jail {

class Launch;

/// What a jail with a name adds to a run of it: its state is kept, and somebody may wait for it.
struct NamedRun {
    /// What process 1 is given: where a created jail waits for its start, where the master of its
    /// terminal is sent, and descriptors of ours that it closes at once.
    ChildSetup child;
    /// Process 1 exists; it is killed when this process ends, so nothing is lost before the state
    /// is written. `group`: see Record.
    std::function<Result<void>(Launch const&, std::string const& group)> begun;
    /// It waits for its start (true), or its program runs (false).
    std::function<void(bool waits)> ready;
    /// Descriptors to look at meanwhile, and what to do when they have something.
    std::vector<pollfd> polled;
    std::function<void(std::vector<pollfd>&)> serve;
    /// One more signal to receive, and what to do then.
    int also_signal = 0;
    std::function<void(int)> signalled;
};

/// Runs a program in a jail and reports. Never throws; a failure is in the report.
///
/// With options.run.explain or .trace, tells on stderr what it does.
RunReport run(JailOptions const& options, NamedRun* named = nullptr);

/// Whether jails can be made here, by making one: an empty one that ends before any program.
EngineProbe probe();

} // namespace iso::jail
