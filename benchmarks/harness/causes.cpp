#include "benchmarks/harness/causes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace iso::bench {

namespace {

/// Counters worth telling that have no price of their own: what they cost is in the others.
constexpr std::pair<char const*, char const*> k_told[] = {
    {"hypercalls", "hypercalls"},
    {"guest.syscalls", "system calls of the guest's kernel"},
    {"guest.page_faults", "page faults of the guest's kernel"},
};

/// And those that have, for results without unit costs.
constexpr std::pair<char const*, char const*> k_priced[] = {
    {"kvm.exits", "VM exits"},
    {"kvm.insn_emulation", "emulated instructions"},
    {"harness.minor_faults", "page faults of the host"},
};

std::string count(double value) {
    return fmt::format("{:.{}f}", value, std::abs(value) < 10 ? 2 : 0);
}

template <std::size_t n>
void tell(std::vector<std::string>& parts, Cell const& cell,
          std::pair<char const*, char const*> const (&counters)[n]) {
    for (auto const& [name, words] : counters) {
        auto const found = cell.per_op.find(name);
        if (found == cell.per_op.end() || found->second < 0.005) continue;
        parts.push_back(count(found->second) + " " + words);
    }
}

/// "6.74 µs more = 1.00 traps 2.05 µs + 2.00 context switches 4.83 µs - rest 140 ns": what is below
/// a hundredth of the whole is left to the file that --json writes.
std::string priced(Decomposition const& made, TableStyle const& style) {
    std::string text =
        format_ns(std::abs(made.added_ns), style) + (made.added_ns < 0 ? " less =" : " more =");
    bool first = true;
    auto const add = [&](double ns, std::string const& words) {
        if (ns < 0)
            text += " - ";
        else
            text += first ? " " : " + ";
        text += words + " " + format_ns(std::abs(ns), style);
        first = false;
    };
    for (Decomposition::Cost const& cost : made.costs)
        if (std::abs(cost.ns()) >= std::abs(made.added_ns) / 100)
            add(cost.ns(), count(std::abs(cost.count)) + " " + cost.what);
    add(made.rest_ns(), "rest");
    return text;
}

std::string cause_text(Results const& results, Cell const& cell, TableStyle const& style) {
    std::vector<std::string> parts;
    auto const made = std::find_if(
        results.decompositions.begin(), results.decompositions.end(), [&](auto const& one) {
            return one.engine == cell.engine && one.workload == cell.workload;
        });
    if (made != results.decompositions.end() && !made->costs.empty())
        parts.push_back(priced(*made, style));
    else if (results.unit_costs.empty())
        tell(parts, cell, k_priced);
    std::vector<std::string> told;
    tell(told, cell, k_told);
    if (!told.empty()) parts.push_back(fmt::format("{}", fmt::join(told, ", ")));
    return fmt::format("{}", fmt::join(parts, "; "));
}

std::string unit_costs(Results const& results, TableStyle const& style) {
    static constexpr std::pair<char const*, char const*> k_names[] = {
        {"system_call", "system call"},
        {"page_fault", "page fault"},
        {"context_switch", "context switch"},
        {"trap", "trap"},
        {"mapping", "mapping changed"},
        {"vm_exit", "VM exit to user space"},
        {"emulated_instruction", "instruction of a guest's ring 0"},
    };
    std::vector<std::string> parts;
    for (auto const& [key, words] : k_names)
        if (auto const found = results.unit_costs.find(key); found != results.unit_costs.end())
            parts.push_back(fmt::format("{} {}", words, format_ns(found->second, style)));
    return wrap(fmt::format("  Measured in this run: {}.", fmt::join(parts, ", ")), style.width, 2);
}

} // namespace

std::string causes(Results const& results, TableStyle const& style) {
    std::string out;
    for (Cell const& cell : results.cells) {
        bool const control = std::any_of(results.engines.begin(), results.engines.end(),
                                         [&](EngineRecord const& engine) {
                                             return engine.control && engine.name == cell.engine;
                                         });
        if (control || cell.engine == results.engines.front().name || cell.status != Status::ok ||
            cell.metric != "own-time" || !cell.deciding)
            continue;
        std::string const cause = cause_text(results, cell, style);
        if (cause.empty()) continue;
        out += wrap(fmt::format("  {:<13} {:<13} {}", cell.engine, cell.workload, cause),
                    style.width, 30);
    }
    if (out.empty()) return out;
    std::string title = style.bold(
        "Why: what one operation made happen (counted, start-up subtracted), and what it costs");
    if (!results.unit_costs.empty()) out = unit_costs(results, style) + out;
    return title + "\n" + out;
}

} // namespace iso::bench
