#pragma once

#include "benchmarks/harness/interrupt.hpp"
#include "benchmarks/harness/peers.hpp"
#include "common/engine.hpp"

#include <string>
#include <vector>

namespace iso::bench {

/// One column of a comparison: an engine, as it was found on this machine.
struct Arm {
    Engine const* engine = nullptr;
    std::string name;     ///< the engine's; "native (A/A)" for the second native arm
    bool control = false; ///< the second native arm
    EngineProbe probe;
    double extra_work = 0; ///< does this share of operations more (--inject-slowdown); else 0
};

inline constexpr char const* k_control_name = "native (A/A)";

/// The engines of a comparison. Owns them; the arms point into it.
struct Lineup {
    std::vector<std::unique_ptr<Engine>> engines;
    std::vector<Arm> arms; ///< native, its twin, then the others in the order of the tables

    /// Asks every engine that was chosen; none chosen means all. Native is always there.
    /// Once `interrupts` has one, no further engine is asked: the caller looks and gives up.
    /// Peers are tried, which takes as long as one run of each.
    /// Errors: an engine or a peer that does not exist, a peer's file that is wrong.
    static Result<Lineup> probe(std::string const& engine_directory,
                                std::vector<std::string> const& chosen, Interrupts& interrupts,
                                PeerChoice const& peers = {});
};

/// The name among `known` that was probably meant, or "".
std::string closest(std::string const& typed, std::vector<std::string> const& known);

/// "no engine 'isolat'; did you mean 'isolate'?" with the list of what there is as the next step.
Error unknown_name(std::string const& what, std::string const& typed,
                   std::vector<std::string> const& known);

} // namespace iso::bench
