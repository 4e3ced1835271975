#include "benchmarks/harness/decomposition.hpp"

#include <algorithm>
#include <initializer_list>

namespace iso::bench {

namespace {

/// A thing that is counted by one or several counters, and which unit cost it has.
struct Term {
    char const* what;
    char const* unit;
    std::initializer_list<char const*> counters;
    bool varies = false; ///< from one start of the same program to the next
};

Term const k_virtual_machine[] = {
    {"VM exits", "vm_exit", {"kvm.exits"}},
    {"emulated instructions", "emulated_instruction", {"kvm.insn_emulation"}},
};
Term const k_hypervisor[] = {
    {"traps", "trap", {"boundary.crossings"}},
    {"context switches",
     "context_switch",
     {"host.voluntary_switches", "host.involuntary_switches"},
     true},
    {"mappings changed", "mapping", {"mapper.maps", "mapper.unmaps", "mapper.protects"}},
};
Term const k_everywhere[] = {
    {"page faults of the host", "page_fault", {"harness.minor_faults"}, true},
};

/// Where the counts of start-up, which were subtracted, differ by a few from run to run: what comes
/// to less than this in a whole sample is not said to be the operations' doing.
constexpr double k_least_events = 10;

double operations_of(Results const& results, std::string const& workload) {
    for (WorkloadRecord const& record : results.workloads)
        if (record.name == workload && record.ops != 0) return static_cast<double>(record.ops);
    return 1;
}

double count_of(Cell const& cell, Term const& term) {
    double count = 0;
    for (char const* const name : term.counters)
        if (auto const found = cell.per_op.find(name); found != cell.per_op.end())
            count += found->second;
    return count;
}

void add(Decomposition& made, std::span<Term const> terms, Results const& results, Cell const& cell,
         Cell const& native) {
    for (Term const& term : terms) {
        auto const unit = results.unit_costs.find(term.unit);
        if (unit == results.unit_costs.end()) continue;
        double const count = count_of(cell, term) - count_of(native, term);
        if (std::abs(count) < 0.005) continue;
        double const events = std::abs(count) * operations_of(results, cell.workload);
        if (term.varies && events < k_least_events) continue;
        made.costs.push_back({term.what, count, unit->second});
    }
}

bool is_control(Results const& results, std::string const& engine) {
    return std::any_of(results.engines.begin(), results.engines.end(),
                       [&](auto const& one) { return one.control && one.name == engine; });
}

} // namespace

double Decomposition::explained_ns() const {
    double sum = 0;
    for (Cost const& cost : costs)
        sum += cost.ns();
    return sum;
}

std::vector<Decomposition> decompose(Results const& results) {
    std::vector<Decomposition> all;
    if (results.unit_costs.empty() || results.engines.empty()) return all;
    std::string const& native_name = results.engines.front().name;
    for (Cell const& cell : results.cells) {
        if (!cell.deciding || cell.metric != "own-time" || !cell.added || cell.n == 0 ||
            cell.engine == native_name || is_control(results, cell.engine))
            continue;
        Cell const* const native = results.find(cell.workload, cell.metric, native_name);
        if (native == nullptr) continue;
        Decomposition made{cell.engine, cell.workload, *cell.added, {}};
        add(made, k_virtual_machine, results, cell, *native);
        if (cell.per_op.contains("boundary.crossings"))
            add(made, k_hypervisor, results, cell, *native);
        add(made, k_everywhere, results, cell, *native);
        all.push_back(std::move(made));
    }
    return all;
}

} // namespace iso::bench
