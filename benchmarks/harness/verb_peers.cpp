#include "benchmarks/harness/peers.hpp"
#include "benchmarks/harness/text.hpp"
#include "benchmarks/harness/verbs.hpp"
#include "common/json.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace iso::bench {

namespace {

struct Found {
    PeerEngine const* peer = nullptr;
    EngineProbe probe;
};

nlohmann::json json_of(std::vector<Found> const& all) {
    nlohmann::json list = nlohmann::json::array();
    for (auto const& [peer, probe] : all) {
        PeerFile const& file = peer->file();
        list.push_back({{"name", file.name},
                        {"title", file.title},
                        {"technique", file.technique},
                        {"isolates", file.isolates},
                        {"usable", probe.usable},
                        {"backend", probe.backend},
                        {"reason", probe.reason},
                        {"next_step", probe.next_step},
                        {"debian", file.debian},
                        {"install", file.install()},
                        {"caveats", file.caveats},
                        {"cannot", file.cannot},
                        {"file", file.path}});
    }
    return {{"schema", "isolab.peers/1"}, {"peers", list}};
}

std::string text_of(Found const& found, TableStyle const& style) {
    PeerFile const& file = found.peer->file();
    EngineProbe const& probe = found.probe;
    std::string const state = probe.usable ? "here, " + probe.backend : style.dash();
    std::string out =
        "  " + style.bold(pad_right(file.name, 18)) + fmt::format("{:<16} {}\n", state, file.title);
    auto say = [&](std::string const& text, std::string const& mark = "") {
        constexpr std::size_t indent = 20;
        std::string const lines =
            wrap(text, std::max<std::size_t>(style.width, 60) - indent - mark.size());
        for (std::size_t at = 0; at < lines.size();) {
            std::size_t const end = lines.find('\n', at) + 1;
            out += std::string(indent, ' ') + (at == 0 ? mark : std::string(mark.size(), ' ')) +
                   lines.substr(at, end - at);
            at = end;
        }
    };
    say(file.isolates);
    if (!probe.usable) say("not here: " + probe.reason + "; try: " + probe.next_step);
    for (std::string const& caveat : file.caveats)
        say(caveat, "- ");
    return out;
}

} // namespace

Result<int> verb_peers(Places const& places, PeersVerbOptions const& options) {
    PeerChoice choice;
    choice.wanted = true;
    choice.names = PeerChoice::names_in(options.packages.empty() ? "all" : options.packages);
    choice.directory = places.peers;
    choice.workload_directory = places.workloads;
    auto const peers = TRY(make_peers(choice));
    if (!options.packages.empty()) {
        for (auto const& peer : peers)
            if (!peer->installed())
                for (std::string const& package : peer->file().debian)
                    fmt::print("{}\n", package);
        return exit_code::done;
    }
    Interrupts interrupts = TRY(Interrupts::create());
    std::vector<Found> all;
    for (auto const& peer : peers) {
        if (interrupts.pending() != 0) return exit_code::from_signal(interrupts.pending());
        all.push_back({peer.get(), try_peer(*peer, choice, interrupts)});
    }
    if (interrupts.pending() != 0) return exit_code::from_signal(interrupts.pending());
    if (options.json) {
        fmt::print("{}\n", json_of(all).dump(2));
        return exit_code::done;
    }
    TableStyle const style = TableStyle::of_terminal(1);
    fmt::print("{}", wrap("Peers: engines that are not ours, described in files. Each that is here "
                          "was tried with one run.",
                          style.width));
    for (std::string_view const technique :
         {"OS-level virtualization", "paravirtualization", "virtual machine"}) {
        bool first = true;
        for (Found const& found : all) {
            if (found.peer->technique() != technique) continue;
            if (first) fmt::print("\n{}\n", style.bold(std::string(technique)));
            first = false;
            fmt::print("{}", text_of(found, style));
        }
    }
    auto const usable = std::count_if(all.begin(), all.end(),
                                      [](Found const& found) { return found.probe.usable; });
    fmt::print("\n{} of {} peers work here. Beside our engines: isobench compare --peers[=A,B]\n"
               "Install what Debian has of them, and compare: ./isolab compare --peers[=A,B]\n",
               usable, all.size());
    return exit_code::done;
}

} // namespace iso::bench
