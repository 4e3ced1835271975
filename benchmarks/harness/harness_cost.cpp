// isolab-harness-cost: what isobench itself takes for a sample, beyond starting a process and
// waiting for it. In each round `hello` runs once by posix_spawn(3) and wait4(2) and nothing else,
// and once by each stage of the harness, in random order; a stage's cost is the difference in its
// round.
//
//     isolab-harness-cost [ROUNDS]        prints one JSON object
#include "benchmarks/harness/journal.hpp"
#include "benchmarks/harness/sample.hpp"
#include "benchmarks/statistics/median.hpp"
#include "benchmarks/statistics/random.hpp"
#include "common/clock.hpp"
#include "common/json.hpp"
#include "common/program.hpp"
#include "common/temp_dir.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <functional>
#include <spawn.h>

#include <sys/resource.h>
#include <sys/wait.h>

namespace {

using namespace iso;
using namespace iso::bench;
using nlohmann::ordered_json;

/// Of one run, as this process sees it.
struct Cost {
    double wall_us = 0;
    double cpu_us = 0; ///< of this process: its children's is not in it
};

double cpu_us() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

/// Nothing but a process and its end.
Result<void> run_bare(std::string const& program) {
    static posix_spawn_file_actions_t const* const actions = [] {
        static posix_spawn_file_actions_t made;
        ::posix_spawn_file_actions_init(&made);
        ::posix_spawn_file_actions_addopen(&made, 1, "/dev/null", O_WRONLY, 0);
        return &made;
    }();
    std::string path = program;
    char* const words[] = {path.data(), nullptr};
    char* const none[] = {nullptr};
    pid_t child = -1;
    errno = ::posix_spawn(&child, path.c_str(), actions, nullptr, words, none);
    if (errno != 0) return sys_error("posix_spawn(" + program + ")");
    int status = 0;
    rusage usage{};
    if (::wait4(child, &status, 0, &usage) != child || status != 0)
        return error("hello", "it did not end with 0");
    return {};
}

struct Stage {
    char const* name;
    char const* what;
    std::function<Result<void>()> run;
};

Result<Cost> timed(Stage const& stage) {
    double const cpu = cpu_us();
    std::uint64_t const began = monotonic_ns();
    TRY(stage.run());
    return Cost{static_cast<double>(monotonic_ns() - began) / 1e3, cpu_us() - cpu};
}

ordered_json summary(std::vector<double> const& values, std::uint64_t seed) {
    Interval const interval = bootstrap_median(values, seed, 2000);
    return {{"median", median(values)},
            {"ci_low", interval.low},
            {"ci_high", interval.high},
            {"p95", quantile(values, 0.95)}};
}

Result<int> cost_main(std::size_t rounds) {
    std::string const own = TRY(own_directory());
    std::string const hello = own.substr(0, own.rfind('/')) + "/workloads/hello";
    Interrupts interrupts = TRY(Interrupts::create());
    TempDir const directory = TRY(TempDir::create("isolab-harness-cost"));
    Journal journal = TRY(Journal::create(directory.path() + "/results.json"));
    auto const engines = make_engines(own);
    HostCounters counters = HostCounters::probe();
    MeasureRequest raw;
    raw.command = {hello};
    SampleRequest request;
    request.engine = engines.front().get();
    request.program = hello;
    request.timeout_ns = 30'000'000'000;
    SampleRequest counted = request;
    counted.counters = &counters;
    auto sample = [&](SampleRequest const& how, bool keep) -> Result<void> {
        Taken taken = TRY(take_sample(how, interrupts));
        if (!taken.sample.good()) return error("hello", taken.sample.failure);
        if (keep) TRY(journal.write(taken.sample, {}));
        return {};
    };
    std::array const stages{
        Stage{"bare", "posix_spawn and wait4", [&] { return run_bare(hello); }},
        Stage{"measure", "with pipes, a deadline, accounting",
              [&]() -> Result<void> {
                  TRY(measure(raw, interrupts));
                  return {};
              }},
        Stage{"sample", "and judged", [&] { return sample(request, false); }},
        Stage{"journal", "and written to the journal: a timed sample of compare --json",
              [&] { return sample(request, true); }},
        Stage{"counts", "a counted sample of compare --counts --json",
              [&] { return sample(counted, true); }},
    };
    std::array<std::vector<Cost>, 5> costs;
    Random random(1);
    std::vector<std::size_t> order{0, 1, 2, 3, 4};
    for (std::size_t round = 0; round < rounds && interrupts.pending() == 0; ++round) {
        random.shuffle(order);
        for (std::size_t const i : order)
            costs[i].push_back(TRY(timed(stages[i])));
    }
    if (int const signal = interrupts.pending(); signal != 0) return exit_code::from_signal(signal);
    ordered_json out = {{"schema", "isolab.harness-cost/1"}, {"rounds", rounds}};
    for (std::size_t i = 0; i < stages.size(); ++i) {
        std::vector<double> wall;
        std::vector<double> cpu;
        for (std::size_t round = 0; round < rounds; ++round) {
            Cost const bare = i == 0 ? Cost{} : costs[0][round];
            wall.push_back(costs[i][round].wall_us - bare.wall_us);
            cpu.push_back(costs[i][round].cpu_us - bare.cpu_us);
        }
        out["stages"].push_back({{"name", stages[i].name},
                                 {"what", stages[i].what},
                                 {i == 0 ? "wall_us" : "added_wall_us", summary(wall, 2 * i)},
                                 {i == 0 ? "cpu_us" : "added_cpu_us", summary(cpu, 2 * i + 1)}});
    }
    TRY(write_all(1, out.dump(1) + "\n"));
    return exit_code::done;
}

} // namespace

int main(int argc, char** argv) {
    try {
        unsigned long const rounds = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 500;
        if (rounds == 0 || rounds > 1'000'000) {
            std::fputs("isolab-harness-cost: ROUNDS: from 1 to 1000000\n", stderr);
            return exit_code::usage;
        }
        auto const status = cost_main(rounds);
        if (status) return *status;
        iso::print_error("isolab-harness-cost", status.error());
    } catch (std::exception const& problem) {
        std::fprintf(stderr, "isolab-harness-cost: %s\n", problem.what());
    }
    return exit_code::no;
}
