#include "benchmarks/harness/causes.hpp"
#include "benchmarks/harness/headline.hpp"
#include "benchmarks/harness/rivals.hpp"
#include "benchmarks/harness/table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace iso::bench {

namespace {

std::string machine_line(Results const& results) {
    Environment const& machine = results.environment;
    std::string text = fmt::format("{}, {:g} CPUs, {}", machine.get("cpu.model"),
                                   machine.number("cpu.online").value_or(1), machine.get("kernel"));
    if (machine.get("hypervisor") != "none")
        text += ", itself a guest of " + machine.get("hypervisor");
    return text + "; KVM backend: " + machine.get("kvm.backend");
}

std::string run_line(Results const& results) {
    return fmt::format("{} comparison, seed {}, {:.0f} s, {}", results.mode, results.seed,
                       static_cast<double>(results.elapsed_ns) / 1e9,
                       results.cpu ? fmt::format("pinned to CPU {}", *results.cpu) : "not pinned");
}

/// Why a column is empty, and every cell that is not a number, each with its reason.
std::string troubles(Results const& results, TableStyle const& style) {
    std::string out;
    for (EngineRecord const& engine : results.engines)
        if (!engine.usable)
            out += wrap(fmt::format("{} cannot run here: {}{}", engine.name, engine.reason,
                                    engine.next_step.empty() ? "" : "; try: " + engine.next_step),
                        style.width, 2);
    std::string last;
    for (Cell const& cell : results.cells) {
        if (cell.status == Status::ok || cell.status == Status::unavailable || !cell.deciding)
            continue;
        std::string const line = fmt::format("{}: {} in {}: {}",
                                             cell.status == Status::void_          ? "VOID"
                                             : cell.status == Status::failed       ? "FAILED"
                                             : cell.status == Status::inconclusive ? "UNCLEAR"
                                                                                   : "TOO FEW",
                                             cell.workload, cell.engine, cell.reason);
        if (line != last) out += style.alarm(wrap(line, style.width, 2));
        last = line;
    }
    return out;
}

/// Cells of engines that work here, but whose kernel does not offer what the row is about.
std::string gaps(Results const& results, TableStyle const& style) {
    std::string out;
    for (WorkloadRecord const& workload : results.workloads) {
        std::vector<std::string> engines;
        std::string reason;
        for (EngineRecord const& engine : results.engines)
            for (Cell const& cell : results.cells) {
                if (cell.workload != workload.name || cell.engine != engine.name ||
                    !cell.deciding || !engine.usable || cell.status != Status::unavailable)
                    continue;
                engines.push_back(engine.name);
                if (reason.empty()) reason = cell.reason;
                break;
            }
        if (!engines.empty())
            out += wrap(
                fmt::format("n/a: {} in {}: {}", workload.name, fmt::join(engines, ", "), reason),
                style.width, 5);
    }
    return out;
}

std::string proof(Results const& results) {
    unsigned proved = 0;
    unsigned cells = 0;
    bool foreign = false;
    for (Cell const& cell : results.cells) {
        if (!cell.deciding || cell.status != Status::ok) continue;
        ++cells;
        proved += cell.identity_proved ? 1 : 0;
    }
    for (WorkloadRecord const& workload : results.workloads)
        foreign |= workload.kind == Kind::program;
    if (cells == 0) return {};
    if (foreign)
        return fmt::format(
            "Same bytes: one file, SHA-256 {:.16}; in every run the same output and the "
            "same exit status.",
            results.workloads.front().sha256);
    return fmt::format(
        "Same bytes: in {} of {} cells the program hashed what was mapped and found its "
        "file's SHA-256; every checksum is native's.",
        proved, cells);
}

std::string legend(Results const& results, TableStyle const& style) {
    std::string out;
    bool emulated = false;
    for (Cell const& cell : results.cells)
        emulated |= cell.emulated && cell.deciding && cell.status == Status::ok;
    if (emulated)
        out +=
            wrap(fmt::format(
                     "{} More than 2 % of this time went into emulating guest instructions one by "
                     "one. That is this host's KVM ({}), not what hardware virtualization costs.",
                     style.hatch(), results.environment.get("kvm.backend")),
                 style.width, 2);
    out += wrap(
        "Medians over n blocks; every block runs every column once, in random order, and is "
        "compared "
        "within itself. [low, high] is the 95 % bootstrap interval. native (A/A) is native again: "
        "its interval shows how small a difference can be seen.",
        style.width);
    if (std::string const text = proof(results); !text.empty()) out += wrap(text, style.width);
    return out;
}

} // namespace

std::string render(Results const& results, TableStyle const& style) {
    std::string out = style.bold("The same bytes in every engine: what isolation costs") + "\n";
    out += wrap(machine_line(results), style.width) + run_line(results) + "\n\n";
    out += headline(results, style) + "\n";
    out += render_table(results, style) + "\n";
    out += legend(results, style);
    if (std::string const text = render_rivals(results, style); !text.empty()) out += "\n" + text;
    if (std::string const text = causes(results, style); !text.empty()) out += "\n" + text;
    if (std::string const text = troubles(results, style); !text.empty()) out += "\n" + text;
    if (std::string const text = gaps(results, style); !text.empty()) out += "\n" + text;
    if (!results.warnings.empty()) out += "\n";
    for (std::string const& warning : results.warnings)
        out += wrap("note: " + warning, style.width, 6);
    return out;
}

} // namespace iso::bench
