// What every number of the page depends on.
#include "benchmarks/harness/text.hpp"
#include "benchmarks/report/markup.hpp"
#include "benchmarks/report/parts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace iso::bench::report {

namespace {

std::string fact(char const* title, std::string const& text) {
    return text.empty()
               ? std::string()
               : fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", title, escape_xml(text));
}

std::string blocks_text(Results const& results) {
    std::uint64_t fewest = ~std::uint64_t{0};
    std::uint64_t most = 0;
    for (WorkloadRecord const& workload : results.workloads) {
        fewest = std::min(fewest, workload.blocks);
        most = std::max(most, workload.blocks);
    }
    if (results.workloads.empty()) return {};
    return fewest == most ? fmt::format("{}", most) : fmt::format("{} to {}", fewest, most);
}

/// The mitigations that are more than "Not affected", in one line.
std::string mitigations(Environment const& machine) {
    constexpr std::string_view prefix = "mitigation.";
    unsigned active = 0;
    unsigned vulnerable = 0;
    unsigned known = 0;
    for (Fact const& one : machine.facts) {
        if (!one.key.starts_with(prefix)) continue;
        ++known;
        active += one.text.find("Mitigation") == 0 ? 1 : 0;
        vulnerable += one.text.find("Vulnerable") != std::string::npos ? 1 : 0;
    }
    if (known == 0) return {};
    return fmt::format("{} of {} known holes mitigated{}", active, known,
                       vulnerable == 0 ? "" : fmt::format(", {} vulnerable in part", vulnerable));
}

std::string proof(Results const& results) {
    unsigned proved = 0;
    unsigned cells = 0;
    for (Cell const& cell : results.cells) {
        if (!cell.deciding || cell.status != Status::ok) continue;
        ++cells;
        proved += cell.identity_proved ? 1 : 0;
    }
    return fmt::format("In {} of {} cells the program hashed what was mapped and found its file's "
                       "SHA-256; every result checksum is native's. A cell where either differs is "
                       "void and has no number.",
                       proved, cells);
}

constexpr char const* k_method =
    "Every block runs every engine once, in an order drawn from the seed, and native twice. A "
    "number "
    "is compared with native's in the same block; what is shown is the median over blocks. For "
    "computing it is CPU time of the whole process tree, with start-up taken off; for services of "
    "the kernel the program's own time of one operation; for start-up wall time.";

} // namespace

std::string machine_facts(Results const& results) {
    Environment const& machine = results.environment;
    std::string const cpus = fmt::format("{}, {:g} CPUs", machine.get("cpu.model"),
                                         machine.number("cpu.online").value_or(1));
    std::string run = fmt::format("{}, seed {}, {:.0f} s, {}", results.mode, results.seed,
                                  static_cast<double>(results.elapsed_ns) / 1e9,
                                  results.cpu ? fmt::format("pinned to CPU {}", *results.cpu)
                                              : std::string("not pinned"));
    return "<dl class=\"facts\">\n" + fact("Machine", cpus) +
           fact("Kernel", machine.get("kernel")) + fact("KVM backend", machine.get("kvm.backend")) +
           fact("Above this machine", machine.get("hypervisor")) +
           fact("Mitigations", mitigations(machine)) + fact("Comparison", run) +
           fact("Blocks", blocks_text(results)) + fact("Date", machine.get("date")) + "</dl>\n";
}

std::string masthead(std::vector<Input> const& inputs) {
    std::string out = "<header>\n<p class=\"eyebrow\">isolab report</p>\n"
                      "<h1>What isolation costs</h1>\n<p class=\"lead\">The same bytes in every "
                      "engine, each compared with native in the same block.</p>\n";
    if (inputs.size() == 1) out += machine_facts(inputs.front().results);
    return out + "</header>\n";
}

std::string machine_in_full(View const& view) {
    Table facts("What the machine said", {{"fact"}, {"value"}});
    for (Fact const& one : view.results.environment.facts)
        facts.add({one.key, one.text});
    Table workloads("The workloads", {{"workload"},
                                      {"arguments"},
                                      {"operations", true},
                                      {"blocks", true},
                                      {"stopped because"},
                                      {"SHA-256 of the file"}});
    for (WorkloadRecord const& workload : view.results.workloads) {
        std::string arguments;
        for (std::string const& word : workload.arguments)
            arguments += (arguments.empty() ? "" : " ") + word;
        workloads.add({workload.name, arguments, fmt::format("{}", workload.ops),
                       fmt::format("{}", workload.blocks), workload.stopped_because,
                       workload.sha256.substr(0, 16)});
    }
    Table engines("The engines", {{"engine"}, {"technique"}, {"backend"}, {"state"}});
    for (EngineRecord const& engine : view.results.engines)
        engines.add({engine.name, engine.technique, engine.backend,
                     engine.control  ? "the control arm"
                     : engine.usable ? "measured"
                                     : "cannot run here: " + engine.reason});
    return "<p>" + escape_xml(k_method) + "</p>\n<p>" + escape_xml(proof(view.results)) + "</p>\n" +
           details("The engines", engines.box()) + details("The workloads", workloads.box()) +
           details("The machine in full", facts.box());
}

} // namespace iso::bench::report
