#include "benchmarks/harness/lineup.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

namespace iso::bench {

namespace {

/// Levenshtein's distance.
std::size_t distance(std::string const& a, std::string const& b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            std::size_t const replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row[b.size()];
}

} // namespace

std::string closest(std::string const& typed, std::vector<std::string> const& known) {
    std::string best;
    std::size_t fewest = std::max<std::size_t>(typed.size() / 3, 2) + 1;
    for (std::string const& name : known) {
        bool const begins = typed.size() >= 3 && name.starts_with(typed);
        std::size_t const changes = begins ? 1 : distance(typed, name);
        if (changes >= fewest) continue;
        fewest = changes;
        best = name;
    }
    return best;
}

Error unknown_name(std::string const& what, std::string const& typed,
                   std::vector<std::string> const& known) {
    std::string const meant = closest(typed, known);
    Error problem;
    problem.op = what + " '" + typed + "'";
    problem.cause = "there is none of that name";
    if (!meant.empty()) problem.cause += "; did you mean '" + meant + "'?";
    problem.hint = fmt::format("one of {}", fmt::join(known, ", "));
    problem.exit_status = exit_code::usage;
    problem.at = std::source_location::current();
    return problem;
}

Result<Lineup> Lineup::probe(std::string const& engine_directory,
                             std::vector<std::string> const& chosen, Interrupts& interrupts,
                             PeerChoice const& peers) {
    Lineup lineup;
    lineup.engines = make_engines(engine_directory);
    std::vector<std::string> known;
    for (auto const& engine : lineup.engines)
        known.emplace_back(engine->name());
    for (std::string const& name : chosen)
        if (std::find(known.begin(), known.end(), name) == known.end())
            return tl::unexpected<Error>(unknown_name("engine", name, known));

    for (auto const& engine : lineup.engines) {
        std::string const name(engine->name());
        bool const native = lineup.arms.empty();
        bool const wanted =
            chosen.empty() || std::find(chosen.begin(), chosen.end(), name) != chosen.end();
        if (!native && !wanted) continue;
        if (interrupts.pending() != 0) break;
        lineup.arms.push_back({engine.get(), name, false, engine->probe()});
        if (native)
            lineup.arms.push_back({engine.get(), k_control_name, true, lineup.arms[0].probe});
    }
    for (auto& peer : TRY(make_peers(peers))) {
        if (interrupts.pending() != 0) break;
        lineup.arms.push_back(
            {peer.get(), std::string(peer->name()), false, try_peer(*peer, peers, interrupts)});
        lineup.engines.push_back(std::move(peer));
    }
    return lineup;
}

} // namespace iso::bench
