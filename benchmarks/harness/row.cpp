#include "benchmarks/harness/row.hpp"

#include "benchmarks/harness/environment_sources.hpp"
#include "benchmarks/harness/identity.hpp"
#include "common/elf.hpp"
#include "common/file_sha256.hpp"
#include "common/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unistd.h>

namespace iso::bench {

namespace {

constexpr char const* k_neighbour = "neighbour"; ///< the program that runs beside

Result<Row> plan_known(Workload const& workload, CompareOptions const& options) {
    Row row;
    row.known = &workload;
    row.record.name = workload.name;
    row.record.kind = workload.kind;
    row.record.ops = options.quick ? workload.quick_ops : workload.ops;
    row.record.group = workload.group;
    row.record.arguments = split_words(workload.arguments);
    if (options.quick)
        for (std::string& word : split_words(workload.quick_arguments))
            row.record.arguments.push_back(std::move(word));
    row.record.path = options.workload_directory + "/" + std::string(workload.file());
    if (::access(row.record.path.c_str(), X_OK) != 0)
        return sys_error("open(" + row.record.path + ")", "./isolab build");
    auto resolved = find_program(row.record.path);
    row.record.path = TRY(std::move(resolved));
    if (!workload.neighbour.empty()) {
        row.record.neighbour = fmt::format("{} {}{}", k_neighbour, workload.neighbour,
                                           options.quick ? " size=4M" : "");
        row.record.neighbour_sha256 =
            TRY(file_sha256(options.workload_directory + "/" + k_neighbour));
    }
    FileIdentity const identity = TRY(identify(row.record.path));
    row.record.sha256 = identity.file_sha256;
    row.record.identity = identity.mapped_sha256;
    return row;
}

constexpr std::string_view k_all_workloads = "all";

/// By its name, by its group, or because everything is wanted, or nothing in particular.
/// Beside peers start-up is always asked for: it is where they differ most.
bool is_chosen(Workload const& workload, CompareOptions const& options) {
    std::vector<std::string> const& chosen = options.workloads;
    if (chosen.empty()) return workload.by_default;
    if (!options.peers.empty() && workload.kind == Kind::start_up) return true;
    return std::any_of(chosen.begin(), chosen.end(), [&](std::string const& name) {
        return name == workload.name || name == workload.group || name == k_all_workloads;
    });
}

Result<Row> plan_program(CompareOptions const& options) {
    Row row;
    row.record.kind = Kind::program;
    row.record.path = TRY(find_program(options.program.front()));
    row.record.name = row.record.path.substr(row.record.path.rfind('/') + 1);
    row.record.arguments.assign(options.program.begin() + 1, options.program.end());
    row.record.sha256 = TRY(identify(row.record.path)).file_sha256;
    return row;
}

} // namespace

std::vector<std::size_t> Row::live_arms() const {
    std::vector<std::size_t> live;
    for (std::size_t arm = 0; arm < verdicts.size(); ++arm)
        if (verdicts[arm].good()) live.push_back(arm);
    return live;
}

void Row::condemn(std::size_t arm, Status status, std::string const& reason) {
    if (verdicts[arm].good()) verdicts[arm] = {status, reason, verdicts[arm].identity_proved};
    if (arm != 0) return;
    done = true;
    record.stopped_because =
        status == Status::unavailable ? "native cannot do it" : "native failed";
    for (Verdict& verdict : verdicts)
        if (verdict.good()) verdict = {status, "native: " + reason, verdict.identity_proved};
}

Result<void> check_workload_names(std::vector<std::string> const& names) {
    std::vector<std::string> known;
    for (Workload const& workload : workloads())
        known.emplace_back(workload.name);
    for (Group const& group : groups())
        known.emplace_back(group.name);
    known.emplace_back(k_all_workloads);
    for (std::string const& name : names)
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            Error problem = unknown_name("workload", name, known);
            problem.hint += "; or a program of your own: isobench compare -- PROGRAM [ARG...]";
            return tl::unexpected<Error>(std::move(problem));
        }
    return {};
}

Result<std::vector<Row>> plan_rows(CompareOptions const& options, Lineup const& lineup) {
    TRY(check_workload_names(options.workloads));
    std::vector<Row> rows;
    if (!options.program.empty()) {
        rows.push_back(TRY(plan_program(options)));
    } else {
        for (Workload const& workload : workloads())
            if (is_chosen(workload, options)) rows.push_back(TRY(plan_known(workload, options)));
    }
    bool const one_cpu = sources::allowed_cpus() < 2;
    for (Row& row : rows)
        for (Arm const& arm : lineup.arms) {
            Verdict verdict;
            if (!arm.probe.usable) verdict = {Status::unavailable, arm.probe.reason, false};
            std::string const why_not = row.own() ? arm.engine->cannot(row.known->file()) : "";
            if (verdict.good() && !why_not.empty()) verdict = {Status::unavailable, why_not, false};
            if (verdict.good() && row.beside() && !row.known->neighbour_here && one_cpu)
                verdict = {Status::unavailable,
                           "this process may use one CPU, and the neighbour needs another", false};
            row.verdicts.push_back(std::move(verdict));
        }
    return rows;
}

} // namespace iso::bench
