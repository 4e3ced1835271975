// What the host's kernel charges for operations that engines are compared by. (What they are made
// of: units.cpp.)
#include "benchmarks/micro/workload.hpp"

#include <benchmark/benchmark.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace {

using benchmark::State;

constexpr std::size_t k_page = 4096;

void clock_gettime_vdso(State& state) {
    timespec now{};
    for (auto _ : state) {
        ::clock_gettime(CLOCK_MONOTONIC, &now);
        benchmark::DoNotOptimize(now);
    }
}
BENCHMARK(clock_gettime_vdso);

/// One byte there and one back between two processes: two context switches.
void pipe_round_trip(State& state) {
    int there[2];
    int back[2];
    if (::pipe2(there, O_CLOEXEC) != 0 || ::pipe2(back, O_CLOEXEC) != 0) {
        state.SkipWithError("pipe2 failed");
        return;
    }
    char byte = 'x';
    pid_t const child = ::fork();
    if (child == 0) {
        ::close(there[1]);
        while (::read(there[0], &byte, 1) == 1)
            if (::write(back[1], &byte, 1) != 1) break;
        ::_exit(0);
    }
    for (auto _ : state)
        if (::write(there[1], &byte, 1) != 1 || ::read(back[0], &byte, 1) != 1) {
            state.SkipWithError("the other end is gone");
            break;
        }
    for (int const fd : {there[0], there[1], back[0], back[1]})
        ::close(fd);
    ::waitpid(child, nullptr, 0);
}
BENCHMARK(pipe_round_trip)->UseRealTime();

void fork_wait(State& state) {
    for (auto _ : state) {
        pid_t const child = ::fork();
        if (child == 0) ::_exit(0);
        int status = 0;
        if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0) {
            state.SkipWithError("fork failed");
            break;
        }
    }
}
BENCHMARK(fork_wait)->UseRealTime();

/// Start and end of the smallest program: the floor under every engine's start-to-exit.
void posix_spawn_hello(State& state) {
    std::string path = workload("hello");
    char* const argv[] = {path.data(), nullptr};
    char* const environment[] = {nullptr};
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    for (auto _ : state) {
        pid_t child = -1;
        int status = -1;
        if (::posix_spawn(&child, path.c_str(), &actions, nullptr, argv, environment) != 0 ||
            ::waitpid(child, &status, 0) != child || status != 0) {
            state.SkipWithError(("cannot run " + path).c_str());
            break;
        }
    }
    ::posix_spawn_file_actions_destroy(&actions);
}
BENCHMARK(posix_spawn_hello)->UseRealTime();

void mmap_munmap(State& state) {
    for (auto _ : state) {
        void* const memory =
            ::mmap(nullptr, k_page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED || ::munmap(memory, k_page) != 0) {
            state.SkipWithError("mmap failed");
            break;
        }
    }
}
BENCHMARK(mmap_munmap);

} // namespace
