#include "benchmarks/harness/headline.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace iso::bench {

namespace {

Kind kind_of(Results const& results, Cell const& cell) {
    for (WorkloadRecord const& workload : results.workloads)
        if (workload.name == cell.workload) return workload.kind;
    return Kind::program;
}

/// The engine's deciding cells of one kind that hold a number.
std::vector<Cell const*> cells_of(Results const& results, std::string const& engine, Kind kind) {
    std::vector<Cell const*> cells;
    for (Cell const& cell : results.cells)
        if (cell.engine == engine && cell.deciding && cell.status == Status::ok &&
            kind_of(results, cell) == kind && cell.effect())
            cells.push_back(&cell);
    return cells;
}

Cell const* dearest(std::vector<Cell const*> const& cells) {
    auto const found =
        std::max_element(cells.begin(), cells.end(),
                         [](Cell const* a, Cell const* b) { return *a->effect() < *b->effect(); });
    return found == cells.end() ? nullptr : *found;
}

/// Those whose interval lies above "no difference".
std::vector<Cell const*> clearly_dearer(std::vector<Cell const*> cells) {
    std::erase_if(cells, [](Cell const* cell) { return !cell->ci_low || *cell->ci_low <= 1; });
    return cells;
}

bool any_interval(std::vector<Cell const*> const& cells) {
    return std::any_of(cells.begin(), cells.end(),
                       [](Cell const* cell) { return cell->ci_low.has_value(); });
}

std::string computing(std::vector<Cell const*> const& cells) {
    Cell const* const worst = dearest(cells);
    if (worst == nullptr) return {};
    if (!any_interval(cells))
        return fmt::format("computing takes {:.2f} of native's CPU time in the worst case ({}; too "
                           "few blocks to be sure)",
                           *worst->ratio, worst->workload);
    if (Cell const* const sure = dearest(clearly_dearer(cells)))
        return fmt::format("computing costs at most {:.1f} % more CPU time ({})",
                           100 * (*sure->ratio - 1), sure->workload);
    double highest = 1;
    for (Cell const* const cell : cells)
        highest = std::max(highest, cell->ci_high.value_or(1));
    return fmt::format("computing costs nothing that can be told from noise (less than {:.1f} %)",
                       100 * (highest - 1));
}

std::string services(Results const& results, std::vector<Cell const*> const& cells,
                     TableStyle const& style) {
    if (cells.empty()) return {};
    bool const sure = any_interval(cells);
    Cell const* const worst = dearest(sure ? clearly_dearer(cells) : cells);
    if (worst == nullptr) return "the kernel's services cost nothing that can be told from noise";
    Cell const* const native =
        results.find(worst->workload, worst->metric, results.engines.front().name);
    return fmt::format(
        "{} takes {} instead of {} ({:.{}f} {})", worst->workload, format_ns(*worst->median, style),
        native != nullptr && native->median ? format_ns(*native->median, style) : "?",
        *worst->ratio, *worst->ratio < 10 ? 2 : 0, style.times());
}

std::string starting(std::vector<Cell const*> const& cells) {
    std::vector<std::string> parts;
    for (Cell const* const cell : cells) {
        if (cell->comparison != Comparison::added) continue;
        parts.push_back(fmt::format("{:.2f} ms {}", *cell->added,
                                    cell->metric == "start-to-exit" ? "until it is gone again"
                                                                    : "until the program runs"));
    }
    for (Cell const* const cell : cells)
        if (cell->p99 && cell->metric == "start-to-exit")
            parts.push_back(fmt::format("99 in 100 runs end within {:.2f} ms", *cell->p99));
    return parts.empty() ? std::string() : fmt::format("isolating adds {}", fmt::join(parts, ", "));
}

std::string running(std::vector<Cell const*> const& cells) {
    std::vector<std::string> parts;
    for (Cell const* const cell : cells)
        parts.push_back(
            cell->comparison == Comparison::added
                ? fmt::format("it takes {:.2f} ms more from start to exit", *cell->added)
                : fmt::format("{:.3f} of the CPU time", *cell->ratio));
    return fmt::format("{}", fmt::join(parts, " and "));
}

} // namespace

std::string headline(Results const& results, TableStyle const& style) {
    std::string out;
    for (EngineRecord const& engine : results.engines) {
        // Peers have a table of their own, beside ours: a paragraph for each would bury these.
        if (!engine.usable || engine.control || engine.peer ||
            engine.name == results.engines.front().name)
            continue;
        std::vector<std::string> parts;
        for (std::string part :
             {computing(cells_of(results, engine.name, Kind::compute)),
              services(results, cells_of(results, engine.name, Kind::latency), style),
              starting(cells_of(results, engine.name, Kind::start_up)),
              running(cells_of(results, engine.name, Kind::program))})
            if (!part.empty()) parts.push_back(std::move(part));
        if (parts.empty() && !cells_of(results, engine.name, Kind::neighbour).empty())
            parts.emplace_back("what its neighbours do to it is in the table");
        if (parts.empty()) parts.emplace_back("no number; see below");
        std::string text = fmt::format("{} ({}, {}): {}.", engine.name, engine.technique,
                                       engine.backend, fmt::join(parts, "; "));
        bool emulated = false;
        for (Cell const& cell : results.cells)
            emulated |= cell.engine == engine.name && cell.deciding && cell.emulated &&
                        cell.status == Status::ok;
        if (emulated)
            text += " Where the table is hatched this is the price of " + engine.backend +
                    " on this host, not of hardware.";
        out += wrap(text, style.width, 2);
    }
    if (out.empty())
        out = wrap(
            "Nothing but native ran: this is how much the same program differs from itself here.",
            style.width);
    return out;
}

} // namespace iso::bench
