#include "benchmarks/report/inputs.hpp"

#include "benchmarks/harness/results_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace iso::bench::report {

namespace {

/// What identifies a machine, as far as a result says it. No calibrated frequencies: they vary.
constexpr char const* k_machine[] = {"cpu.model",     "cpu.family_model_stepping",
                                     "cpu.microcode", "cpu.online",
                                     "kernel",        "hypervisor",
                                     "kvm.backend"};

bool same_run(Results const& a, Results const& b) {
    return a.seed == b.seed && a.elapsed_ns == b.elapsed_ns &&
           a.samples.size() == b.samples.size() &&
           a.environment.get("date") == b.environment.get("date");
}

} // namespace

Result<std::vector<Input>> read_inputs(std::vector<std::string> const& paths) {
    std::vector<Input> inputs;
    for (std::string const& path : paths) {
        Results results = TRY(read_results(path));
        for (Input const& other : inputs)
            if (same_run(other.results, results))
                return tl::unexpected<Error>(Error{path, "the same result as " + other.name,
                                                   "each result once", 0, exit_code::usage});
        inputs.push_back({path.substr(path.rfind('/') + 1), std::move(results)});
    }
    return inputs;
}

std::vector<std::string> differences(Results const& first, Results const& second) {
    std::vector<std::string> found;
    for (char const* const key : k_machine) {
        std::string const a = first.environment.get(key);
        std::string const b = second.environment.get(key);
        if (a != b) found.push_back(fmt::format("another {}: {} and {}", key, a, b));
    }
    std::vector<std::string> bytes;
    for (WorkloadRecord const& workload : first.workloads)
        for (WorkloadRecord const& other : second.workloads)
            if (workload.name == other.name &&
                (workload.sha256 != other.sha256 || workload.arguments != other.arguments ||
                 workload.ops != other.ops))
                bytes.push_back(workload.name);
    if (!bytes.empty())
        found.push_back(fmt::format("other bytes or arguments of {}", fmt::join(bytes, ", ")));
    return found;
}

} // namespace iso::bench::report
