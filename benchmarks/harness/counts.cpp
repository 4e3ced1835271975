#include "benchmarks/harness/counts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace iso::bench {

namespace {

struct Rule {
    std::string_view name; ///< exactly, or with a dot or an underscore at its end as a prefix
    Cause cause;
};

// The first that fits decides.
constexpr Rule k_rules[] = {
    {"event.tick", Cause::outside},
    {"monitor.ticks", Cause::outside},
    {"monitor.spares_used", Cause::outside},
    {"boundary.crossings", Cause::outside}, // ticks are among them
    {"exit.intr", Cause::outside},
    {"exit.hlt", Cause::outside}, // whether a guest has to wait is the scheduler's doing
    {"kvm.exits", Cause::outside},
    {"kvm.irq_exits", Cause::outside},
    {"kvm.signal_exits", Cause::outside},
    {"kvm.halt_exits", Cause::outside},
    {"host.page_faults", Cause::outside},
    {"host.instructions", Cause::outside},
    {"host.syscalls", Cause::guest},
    {"exit.", Cause::guest},
    {"kvm.io_exits", Cause::guest},
    {"kvm.mmio_exits", Cause::guest},
    {"kvm.hypercalls", Cause::guest},
    {"kvm.insn_emulation", Cause::guest},
    {"kvm.pf_guest", Cause::guest},
    {"doorbell.", Cause::guest},
    {"event.", Cause::guest},
    {"hypercalls", Cause::guest},
    {"hypercall.", Cause::guest},
    {"mapper.", Cause::guest},
    {"monitor.", Cause::guest},
    {"guest.syscall.", Cause::detail},
    {"guest.syscalls", Cause::guest},
    {"guest.page_faults", Cause::guest},
    {"guest.pages_mapped", Cause::guest},
    {"guest.console_flushes", Cause::guest},
    {"guest.bad_pointers", Cause::guest},
    {"jail.steps", Cause::guest},
    {"jail.filter_instructions", Cause::guest},
    {"harness.voluntary_switches", Cause::outside},
    {"harness.involuntary_switches", Cause::outside},
};

bool fits(Rule const& rule, std::string_view counter) {
    return rule.name.ends_with('.') ? counter.starts_with(rule.name) : counter == rule.name;
}

void render_part(std::string& out, std::vector<std::string> const& columns,
                 std::vector<std::map<std::string, Count>> const& counts, Cause cause,
                 TableStyle const& style) {
    std::set<std::string> names;
    for (auto const& arm : counts)
        for (auto const& [name, count] : arm)
            if (cause_of(name) == cause && count.high != 0) names.insert(name);
    for (std::string const& name : names) {
        std::string line = "    " + pad_right(name, 30);
        for (std::size_t i = 0; i < columns.size(); ++i) {
            auto const found = counts[i].find(name);
            line +=
                "  " + pad_left(found == counts[i].end() ? style.dash() : to_text(found->second),
                                std::max<std::size_t>(columns[i].size(), 13));
        }
        out += cause == Cause::outside ? style.dim(line) + "\n" : line + "\n";
    }
}

} // namespace

Cause cause_of(std::string_view counter) {
    for (Rule const& rule : k_rules)
        if (fits(rule, counter)) return rule.cause;
    return Cause::detail;
}

void Count::add(std::uint64_t value) {
    low = n == 0 ? value : std::min(low, value);
    high = std::max(high, value);
    ++n;
}

std::map<std::string, Count> counts_of(Results const& results, std::string_view workload,
                                       std::string_view arm) {
    std::vector<Sample const*> runs;
    std::set<std::string> names;
    for (Sample const& sample : results.samples) {
        if (sample.workload != workload || sample.arm != arm || sample.role != Role::measure ||
            !sample.good())
            continue;
        runs.push_back(&sample);
        for (auto const& [name, value] : sample.counters)
            names.insert(name);
    }
    std::map<std::string, Count> counts;
    for (std::string const& name : names)
        for (Sample const* const run : runs) {
            auto const found = run->counters.find(name);
            counts[name].add(found == run->counters.end() ? 0 : found->second);
        }
    return counts;
}

std::string to_text(Count const& count) {
    return count.exact() ? fmt::format("{}", count.low)
                         : fmt::format("{}..{}", count.low, count.high);
}

std::string render_counts(Results const& results, TableStyle const& style) {
    std::string out = style.bold("Counts: what one run makes happen, start-up included") + "\n";
    std::vector<std::string> columns;
    for (EngineRecord const& engine : results.engines)
        if (engine.usable && !engine.control) columns.push_back(engine.name);
    for (WorkloadRecord const& workload : results.workloads) {
        std::string head = "  " + workload.name;
        if (workload.ops != 0) head += fmt::format(" ({} operations)", workload.ops);
        head = pad_right(head, 34);
        std::vector<std::map<std::string, Count>> counts;
        for (std::string const& column : columns) {
            counts.push_back(counts_of(results, workload.name, column));
            head += "  " + pad_left(column, 13);
        }
        out += "\n" + style.bold(head) + "\n";
        render_part(out, columns, counts, Cause::guest, style);
        out += style.dim("    by timers, interrupts and the scheduler:") + "\n";
        render_part(out, columns, counts, Cause::outside, style);
    }
    out += "\n" +
           wrap("What the program and the engine cause is the same in every run, whatever else the "
                "machine does; a..b marks what was not. The second part depends on the load and on "
                "how long a run takes: it is shown, and no gate looks at it.",
                style.width);
    for (Cell const& cell : results.cells)
        if (cell.deciding && (cell.status == Status::failed || cell.status == Status::void_))
            out += style.alarm(wrap(fmt::format("{}: {} in {}: {}", to_string(cell.status),
                                                cell.workload, cell.engine, cell.reason),
                                    style.width, 2));
    for (EngineRecord const& engine : results.engines)
        if (!engine.usable && !engine.control)
            out += wrap(fmt::format("{} cannot run here: {}", engine.name, engine.reason),
                        style.width, 2);
    for (std::string const& warning : results.warnings)
        if (warning.starts_with("not counted")) out += wrap("note: " + warning, style.width, 6);
    return out;
}

} // namespace iso::bench
