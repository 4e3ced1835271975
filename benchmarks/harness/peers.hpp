#pragma once

#include "benchmarks/harness/compare_options.hpp"
#include "benchmarks/harness/interrupt.hpp"
#include "benchmarks/harness/peer_engine.hpp"

#include <string>
#include <vector>

namespace iso::bench {

/// Which peers are wanted, and where they are described.
struct PeerChoice {
    bool wanted = false;
    std::vector<std::string> names; ///< none: all
    std::string directory;          ///< of the files, and of what they need
    std::string workload_directory; ///< for the trial

    static PeerChoice of(CompareOptions const& options);
    /// `wanted`: "all", or names with commas.
    static std::vector<std::string> names_in(std::string const& wanted);
};

/// The peers that were chosen, in the order of their names.
/// Errors: a file that is wrong; a name that no file has (exit status 2).
Result<std::vector<std::unique_ptr<PeerEngine>>> make_peers(PeerChoice const& choice);

/// The probe, and if nothing is missing a trial: `hello`, untimed. A peer that does not bring its
/// program to an end is not usable, and what it said is the reason. What the program printed is not
/// looked at: a peer that garbles it is usable, and fails.
EngineProbe try_peer(PeerEngine const& peer, PeerChoice const& choice, Interrupts& interrupts);

} // namespace iso::bench
