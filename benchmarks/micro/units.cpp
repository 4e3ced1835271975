// Unit costs: what the host charges for the things that engines count. A comparison multiplies its
// counts by these, measured in the same run on the same CPU (benchmarks/harness/decomposition.cpp).
#include "benchmarks/micro/tiny_machine.hpp"

#include <benchmark/benchmark.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <sched.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace {

using benchmark::State;

constexpr std::size_t k_page = 4096;

void unit_system_call(State& state) {
    for (auto _ : state)
        benchmark::DoNotOptimize(::syscall(SYS_getppid)); // no C library answers it
}
BENCHMARK(unit_system_call);

/// First touch of a private page; mapping and unmapping are spread over 512 of them.
void unit_page_fault(State& state) {
    constexpr std::size_t k_pages = 512;
    while (state.KeepRunningBatch(k_pages)) {
        state.PauseTiming();
        void* const memory = ::mmap(nullptr, k_pages * k_page, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) return state.SkipWithError("mmap failed");
        ::madvise(memory, k_pages * k_page, MADV_NOHUGEPAGE);
        state.ResumeTiming();
        auto* const bytes = static_cast<char volatile*>(memory);
        for (std::size_t i = 0; i < k_pages; ++i)
            bytes[i * k_page] = 1;
        state.PauseTiming();
        ::munmap(memory, k_pages * k_page);
        state.ResumeTiming();
    }
}
BENCHMARK(unit_page_fault);

/// A page of a memory file mapped with its entry, or unmapped: half of both.
void unit_mapping(State& state) {
    int const file = static_cast<int>(::syscall(SYS_memfd_create, "unit", 1U /* MFD_CLOEXEC */));
    void* const at =
        ::mmap(nullptr, k_page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (file < 0 || ::ftruncate(file, k_page) != 0 || at == MAP_FAILED)
        return state.SkipWithError("no memory file");
    while (state.KeepRunningBatch(2))
        if (::mmap(at, k_page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE, file,
                   0) == MAP_FAILED ||
            ::munmap(at, k_page) != 0)
            return state.SkipWithError("mmap failed");
    ::close(file);
}
BENCHMARK(unit_mapping);

// ---- Context switches ---------------------------------------------------------------------------

/// Two processes on one CPU that hand a turn to each other; the other's is the odd one.
class Turns {
public:
    Turns()
        : word_(static_cast<std::atomic<std::uint32_t>*>(
              ::mmap(nullptr, k_page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    }
    ~Turns() { ::munmap(word_, k_page); }
    Turns(Turns const&) = delete;
    Turns& operator=(Turns const&) = delete;

    void pass() {
        word_->fetch_add(1);
        ::syscall(SYS_futex, word_, FUTEX_WAKE, 1, nullptr, nullptr, 0);
    }
    void await(std::uint32_t parity) {
        for (std::uint32_t now = word_->load(); now % 2 != parity; now = word_->load())
            ::syscall(SYS_futex, word_, FUTEX_WAIT, now, nullptr, nullptr, 0);
    }

private:
    std::atomic<std::uint32_t>* word_;
};

void unit_context_switch(State& state) {
    cpu_set_t before;
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(static_cast<unsigned>(::sched_getcpu()), &here);
    ::sched_getaffinity(0, sizeof before, &before);
    ::sched_setaffinity(0, sizeof here, &here);
    Turns turns;
    pid_t const parent = ::getpid();
    pid_t const child = ::fork();
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (::getppid() == parent) {
            turns.await(1);
            turns.pass();
        }
        ::_exit(0);
    }
    if (child < 0) return state.SkipWithError("fork failed");
    while (state.KeepRunningBatch(2)) {
        turns.pass();
        turns.await(0);
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::sched_setaffinity(0, sizeof before, &before);
}
BENCHMARK(unit_context_switch)->UseRealTime();

// ---- Traps --------------------------------------------------------------------------------------

/// A number that no kernel has: only the filter below sees it.
constexpr unsigned k_trapped_call = 100'000;

/// In a process of its own: a filter cannot be taken off again.
double trap_ns(std::uint64_t rounds) {
    int results[2];
    if (::pipe(results) != 0) return 0;
    pid_t const child = ::fork();
    if (child == 0) {
        struct sigaction action {};
        action.sa_handler = [](int) {};
        ::sigaction(SIGSYS, &action, nullptr);
        sock_filter code[] = {
            {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
            {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, k_trapped_call},
            {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_TRAP},
            {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
        };
        sock_fprog const program{4, code};
        timespec from{};
        timespec to{};
        if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
            ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
            ::_exit(1);
        ::clock_gettime(CLOCK_MONOTONIC, &from);
        for (std::uint64_t i = 0; i < rounds; ++i)
            ::syscall(k_trapped_call);
        ::clock_gettime(CLOCK_MONOTONIC, &to);
        double const ns = static_cast<double>(to.tv_sec - from.tv_sec) * 1e9 +
                          static_cast<double>(to.tv_nsec - from.tv_nsec);
        ::_exit(::write(results[1], &ns, sizeof ns) == sizeof ns ? 0 : 1);
    }
    ::close(results[1]);
    double ns = 0;
    if (child < 0 || ::read(results[0], &ns, sizeof ns) != sizeof ns) ns = 0;
    ::close(results[0]);
    if (child > 0) ::waitpid(child, nullptr, 0);
    return ns;
}

/// A system call that a filter turns into a signal, and the return from its handler.
void unit_trap(State& state) {
    constexpr std::uint64_t k_batch = 1000;
    while (state.KeepRunningBatch(k_batch)) {
        double const ns = trap_ns(k_batch);
        if (ns == 0) return state.SkipWithError("no seccomp(2) filter can be installed");
        state.SetIterationTime(ns / 1e9);
    }
}
BENCHMARK(unit_trap)->UseManualTime();

// ---- Virtual machines ---------------------------------------------------------------------------

/// KVM_RUN until the guest's next port access.
void unit_vm_exit(State& state) {
    iso::micro::TinyMachine machine(0);
    if (!machine.good()) return state.SkipWithError("no usable /dev/kvm");
    for (auto _ : state)
        if (!machine.run()) return state.SkipWithError("KVM_RUN failed");
}
BENCHMARK(unit_vm_exit)->UseRealTime();

/// A register instruction in the guest's ring 0: where KVM emulates it, that is its price; else it
/// is next to nothing.
void unit_emulated_instruction(State& state) {
    constexpr unsigned k_instructions = 512; // beside which the exit is small
    iso::micro::TinyMachine machine(k_instructions);
    if (!machine.good()) return state.SkipWithError("no usable /dev/kvm");
    while (state.KeepRunningBatch(k_instructions))
        if (!machine.run()) return state.SkipWithError("KVM_RUN failed");
}
BENCHMARK(unit_emulated_instruction)->UseRealTime();

} // namespace
