// A kernel under stress, in rounds that check their own results. What is printed depends on the
// seed and the number of rounds only, never on the engine or on time.
//
//     stress seed=1 rounds=3 width=20 [leaks=1] [exhaust=1] [only=NAME]
//
// leaks: kept memory and kernel objects must be the same after every round (/proc/slabinfo of the
// guest kernel). exhaust: memory runs out, too, which is no kindness to a host.
#include "tests/programs/stress.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <string>
#include <unistd.h>

#include <sys/wait.h>

namespace {

using namespace stress;

// Kernel objects in use by name, and the frames that nobody has but the pools.
std::map<std::string, long> kernel_state() {
    std::map<std::string, long> state;
    char text[8192] = {};
    int fd = open("/proc/slabinfo", O_RDONLY);
    if (fd < 0 || read(fd, text, sizeof text - 1) < 0) return state;
    close(fd);
    char* rest = nullptr;
    strtok_r(text, "\n", &rest);
    for (char* line; (line = strtok_r(nullptr, "\n", &rest)) != nullptr;) {
        char name[32];
        long in_use = 0;
        if (std::sscanf(line, "%31s %ld", name, &in_use) == 2) state[name] = in_use;
    }
    fd = open("/proc/meminfo", O_RDONLY);
    ssize_t const got = read(fd, text, sizeof text - 1);
    close(fd);
    text[got > 0 ? got : 0] = 0;
    for (char const* name : {"MemFree:", "Slab:"})
        if (char const* const at = strstr(text, name))
            state["frames"] += std::atol(at + strlen(name)) / 4;
    return state;
}

struct Scenario {
    char const* name;
    long (*run)(Options const& options, Random random);
    bool exhausting;
};
constexpr Scenario k_scenarios[] = {
    {"forks", forks, false},     {"pipes", pipes, false},          {"memory", memory, false},
    {"signals", signals, false}, {"files", files, false},          {"execs", execs, false},
    {"handles", handles, false}, {"exhaustion", exhaustion, true},
};

// In a child, so that nothing of it stays: its result is a checksum.
long in_child(Scenario const& scenario, Options const& options, Random random) {
    int ends[2];
    if (pipe(ends) != 0) fail("pipe");
    pid_t const child = fork();
    if (child == 0) {
        close(ends[0]);
        long const result = scenario.run(options, random);
        if (write(ends[1], &result, sizeof result) != sizeof result) _exit(2);
        _exit(0);
    }
    if (child < 0) fail("fork");
    close(ends[1]);
    long result = -1;
    if (read(ends[0], &result, sizeof result) != sizeof result) result = -1;
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0) {
        std::printf("%s ended with status %x\n", scenario.name, static_cast<unsigned>(status));
        std::exit(1);
    }
    return result;
}

Options read_options(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        char const* const value = strchr(argv[i], '=');
        if (value == nullptr) continue;
        std::string const name(argv[i], static_cast<size_t>(value - argv[i]));
        if (name == "seed") options.seed = std::strtoul(value + 1, nullptr, 0);
        if (name == "rounds") options.rounds = std::atoi(value + 1);
        if (name == "width") options.width = std::atoi(value + 1);
        if (name == "leaks") options.leaks = value[1] == '1';
        if (name == "exhaust") options.exhaust = value[1] == '1';
        if (name == "only") options.only = value + 1;
    }
    return options;
}

bool same_state(std::map<std::string, long> const& before) {
    auto const after = kernel_state();
    bool same = true;
    for (auto const& [name, count] : after) {
        auto const old = before.find(name);
        if (old != before.end() && old->second == count) continue;
        same = false;
        std::printf("leak: %s %ld, was %ld\n", name.c_str(), count,
                    old != before.end() ? old->second : 0);
    }
    return same;
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 2 && strchr(argv[1], '=') == nullptr) return std::atoi(argv[1]); // of execs()
    Options const options = read_options(argc, argv);
    std::map<std::string, long> before;
    bool good = true;
    for (int round = 0; round <= options.rounds; ++round) { // the first one warms up
        for (Scenario const& scenario : k_scenarios) {
            if (scenario.exhausting && !options.exhaust) continue;
            if (!options.only.empty() && options.only != scenario.name) continue;
            Random const random(options.seed + static_cast<unsigned long>(round) * 1000003);
            long const result = in_child(scenario, options, random);
            if (!scenario.exhausting || result < 0)
                std::printf("round %d %s %ld\n", round, scenario.name, result);
            std::fflush(stdout);
            good = good && result >= 0;
            if (!options.leaks) continue;
            if (round == 0) {
                kernel_state();
                before = kernel_state();
            } else if (!same_state(before)) {
                std::printf("after %s in round %d\n", scenario.name, round);
                return 1;
            }
        }
    }
    std::puts(good ? "done" : "failed");
    return good ? 0 : 1;
}
