#include "benchmarks/harness/unit_costs.hpp"

#include "common/json.hpp"
#include "common/subprocess.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sched.h>
#include <unistd.h>

namespace iso::bench {

namespace {

constexpr std::uint64_t k_micro_patience_ns = 30'000'000'000;

/// Children start on the CPU of this thread.
class OnCpu {
public:
    explicit OnCpu(std::optional<int> cpu) {
        if (!cpu || ::sched_getaffinity(0, sizeof before_, &before_) != 0) return;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(static_cast<unsigned>(*cpu), &one);
        moved_ = ::sched_setaffinity(0, sizeof one, &one) == 0;
    }
    ~OnCpu() {
        if (moved_) ::sched_setaffinity(0, sizeof before_, &before_);
    }
    OnCpu(OnCpu const&) = delete;
    OnCpu& operator=(OnCpu const&) = delete;

private:
    cpu_set_t before_{};
    bool moved_ = false;
};

} // namespace

Result<UnitCosts> parse_unit_costs(std::string const& json) {
    constexpr std::string_view prefix = "unit_";
    auto const in = nlohmann::json::parse(json, nullptr, false);
    try {
        UnitCosts costs;
        for (auto const& one : in.at("benchmarks")) {
            auto name = one.at("run_name").get<std::string>();
            if (one.value("error_occurred", false) || !name.starts_with(prefix) ||
                one.value("run_type", "") != "iteration")
                continue;
            if (one.at("time_unit") != "ns") return error("isolab-micro", "times not in ns");
            double const ns = one.at("real_time").get<double>();
            if (!(ns > 0)) return error("isolab-micro", name + " took no time");
            name = name.substr(prefix.size(), name.find('/') - prefix.size());
            auto const [at, is_first] = costs.emplace(std::move(name), ns);
            if (!is_first) at->second = std::min(at->second, ns);
        }
        // The exit was measured with the two instructions of its loop.
        auto const exit = costs.find("vm_exit");
        auto const instruction = costs.find("emulated_instruction");
        if (exit != costs.end() && instruction != costs.end())
            exit->second = std::max(exit->second - 2 * instruction->second, 0.0);
        return costs;
    } catch (nlohmann::json::exception const& problem) {
        return error("isolab-micro", std::string("not Google Benchmark's JSON: ") + problem.what());
    }
}

Result<UnitCosts> measure_unit_costs(std::string const& directory, std::optional<int> cpu) {
    std::string const program = directory + "/isolab-micro";
    if (::access(program.c_str(), X_OK) != 0)
        return error(program, "is not there", "build with Google Benchmark (-DISO_MICRO=ON)");
    OnCpu const there(cpu);
    auto const ran =
        TRY(run_and_capture({program, "--benchmark_filter=^unit_", "--benchmark_min_time=0.01",
                             "--benchmark_repetitions=9", "--benchmark_format=json"},
                            k_micro_patience_ns));
    if (ran.exit_status() != 0)
        return error("isolab-micro", fmt::format("ended with status {}", ran.exit_status()),
                     "isolab-micro --benchmark_filter=^unit_");
    return parse_unit_costs(ran.out);
}

} // namespace iso::bench
