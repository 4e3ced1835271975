#include "benchmarks/harness/peers.hpp"

#include "benchmarks/harness/lineup.hpp"
#include "benchmarks/harness/peer_remains.hpp"
#include "benchmarks/harness/sample.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace iso::bench {

namespace {

constexpr char const* k_all_peers = "all";
constexpr std::uint64_t k_trial_ns = 60'000'000'000; // a machine in software boots slowly

} // namespace

PeerChoice PeerChoice::of(CompareOptions const& options) {
    PeerChoice choice;
    choice.wanted = !options.peers.empty();
    choice.directory = options.peer_directory;
    choice.workload_directory = options.workload_directory;
    choice.names = names_in(options.peers);
    return choice;
}

std::vector<std::string> PeerChoice::names_in(std::string const& wanted) {
    std::vector<std::string> names;
    if (wanted == k_all_peers) return names;
    std::string name;
    for (char const c : wanted + ",") {
        if (c != ',') {
            name += c;
        } else if (!name.empty()) {
            names.push_back(std::exchange(name, {}));
        }
    }
    return names;
}

Result<std::vector<std::unique_ptr<PeerEngine>>> make_peers(PeerChoice const& choice) {
    std::vector<std::unique_ptr<PeerEngine>> peers;
    if (!choice.wanted) return peers;
    std::vector<PeerFile> files = TRY(load_peers(choice.directory));
    std::vector<std::string> known;
    for (PeerFile const& file : files)
        known.push_back(file.name);
    for (std::string const& name : choice.names)
        if (std::find(known.begin(), known.end(), name) == known.end())
            return tl::unexpected<Error>(unknown_name("peer", name, known));
    for (PeerFile const& file : files)
        clean_after_the_dead(file.name);
    for (PeerFile& file : files) {
        auto const wanted = std::find(choice.names.begin(), choice.names.end(), file.name);
        if (!choice.names.empty() && wanted == choice.names.end()) continue;
        peers.push_back(std::make_unique<PeerEngine>(
            std::move(file), PeerSupport{choice.directory + "/init", choice.directory}));
    }
    return peers;
}

EngineProbe try_peer(PeerEngine const& peer, PeerChoice const& choice, Interrupts& interrupts) {
    EngineProbe probe = peer.probe();
    if (!probe.usable) return probe;
    SampleRequest request;
    request.engine = &peer;
    request.program = choice.workload_directory + "/hello";
    request.timeout_ns = k_trial_ns;
    request.own_workload = false;
    auto const taken = take_sample(request, interrupts);
    std::string reason;
    if (!taken)
        reason = taken.error().op + ": " + taken.error().cause;
    else if (!taken->sample.failure.empty())
        reason = taken->sample.failure;
    else if (taken->sample.exit_status != 0)
        reason =
            with_last_words(fmt::format("exit status {}", taken->sample.exit_status), taken->raw);
    if (reason.empty()) return probe;
    return {false, probe.backend, "a trial failed: " + reason, "isobench peers says more"};
}

} // namespace iso::bench
