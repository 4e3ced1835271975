// The three filters as tables: what each kind of task may ask of the host, and what becomes of the
// rest.
#include "common/abi/guest_abi.h"
#include "isolate/bpf_interpreter.hpp"
#include "paravirt-demo/stub/filter.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <vector>

namespace {

using namespace iso::pv;

constexpr std::uint64_t k_gate = k_stub_base + 0x1023;
constexpr std::uint64_t k_mask = k_stub_base + 0x2040;
constexpr std::uint64_t k_elsewhere = 0x401000;
constexpr std::uint32_t k_allow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t k_trap = SECCOMP_RET_TRAP;
constexpr std::uint32_t k_kill = SECCOMP_RET_KILL_PROCESS;
constexpr std::uint64_t k_high = std::uint64_t{1} << 32U;

enum class Task { user, mapper, kernel };

std::vector<sock_filter> filter(Task task) {
    std::vector<sock_filter> code;
    switch (task) {
    case Task::user:
        code.assign(std::begin(k_virtual_cpu_filter), std::end(k_virtual_cpu_filter));
        break;
    case Task::mapper:
        code.assign(std::begin(k_mapper_filter), std::end(k_mapper_filter));
        return code;
    case Task::kernel:
        code.assign(std::begin(k_kernel_filter), std::end(k_kernel_filter));
        break;
    }
    code[k_gate_check].k = static_cast<std::uint32_t>(k_gate);
    if (task == Task::user) code[k_mask_check].k = static_cast<std::uint32_t>(k_mask);
    return code;
}

struct Case {
    std::uint32_t expected;
    std::uint64_t ip;
    int number;
    std::array<std::uint64_t, 6> arguments;
    std::uint32_t arch = AUDIT_ARCH_X86_64;
};

std::uint32_t ask(std::vector<sock_filter> const& code, Case const& c) {
    seccomp_data data{};
    data.nr = c.number;
    data.arch = c.arch;
    data.instruction_pointer = c.ip;
    std::copy(c.arguments.begin(), c.arguments.end(), data.args);
    auto const answer = iso::jail::run_bpf(code, data);
    REQUIRE(answer.has_value());
    return *answer;
}

void check(Task task, std::vector<Case> const& cases) {
    auto const code = filter(task);
    for (Case const& c : cases) {
        INFO("ip " << std::hex << c.ip << std::dec << ", number " << c.number << ", arguments "
                   << c.arguments[0] << " " << c.arguments[1] << " " << c.arguments[2] << " "
                   << c.arguments[3] << " " << c.arguments[4] << " " << c.arguments[5]);
        CHECK(ask(code, c) == c.expected);
    }
}

} // namespace

TEST_CASE("the virtual CPU's filter", "[filter]") {
    check(Task::user,
          {
              {k_allow, k_gate, SYS_futex, {k_event_va, FUTEX_WAIT, 0}},
              {k_allow, k_gate, SYS_futex, {0, FUTEX_WAKE, 1}},
              {k_kill, k_gate, SYS_futex, {0, 2}},
              {k_kill, k_gate, SYS_futex, {0, FUTEX_WAIT | FUTEX_PRIVATE_FLAG}},
              {k_kill, k_gate, SYS_futex, {0, FUTEX_LOCK_PI}},
              {k_kill, k_gate, SYS_futex | 0x40000000, {0, 0}},
              {k_allow, k_gate, SYS_rt_sigprocmask, {SIG_SETMASK, k_mask, 0, 8}},
              {k_kill, k_gate, SYS_rt_sigprocmask, {SIG_BLOCK, k_mask, 0, 8}},
              {k_kill, k_gate, SYS_rt_sigprocmask, {SIG_SETMASK, k_mask + 8, 0, 8}},
              {k_kill, k_gate, SYS_rt_sigprocmask, {SIG_SETMASK, k_event_va, 0, 8}},
              {k_kill, k_gate, SYS_rt_sigprocmask, {SIG_SETMASK, k_mask & 0xffffffff, 0, 8}},
              {k_kill, k_gate, SYS_rt_sigprocmask, {SIG_SETMASK, 0, 0, 8}},
              {k_kill, k_gate, SYS_rt_sigprocmask, {SIG_SETMASK, k_mask, k_event_va, 8}},
              {k_kill, k_gate, SYS_rt_sigprocmask, {SIG_SETMASK, k_mask, k_high, 8}},
              {k_kill, k_gate, SYS_mmap, {0x10000, 4096, 3, 0x11, k_ram_fd, 0}},
              {k_kill, k_gate, SYS_read, {k_ack_fd, k_event_va, 8}},
              {k_kill, k_gate, SYS_write, {k_ack_fd, k_event_va, 8}},
              {k_trap, k_gate, SYS_futex, {0, 0}, AUDIT_ARCH_I386},
              {k_trap, k_gate - 2, SYS_futex, {0, 0}},
              {k_trap, k_gate + 1, SYS_futex, {0, 0}},
              {k_trap, k_gate + k_high, SYS_futex, {0, 0}},
              {k_trap, k_gate & 0xffffffff, SYS_futex, {0, 0}},
              {k_trap, k_elsewhere, SYS_futex, {0, 0}},
              {k_trap, k_elsewhere, SYS_rt_sigprocmask, {SIG_SETMASK, k_mask, 0, 8}},
          });
    auto const code = filter(Task::user);
    for (int number = 0; number < 1024; ++number) {
        INFO(number);
        CHECK(ask(code, {k_trap, k_elsewhere, number, {}}) == k_trap);
        if (number != SYS_futex) CHECK(ask(code, {k_kill, k_gate, number, {}}) == k_kill);
    }
}

TEST_CASE("the mapper's filter", "[filter]") {
    constexpr std::uint64_t va = 0x10000;
    check(Task::mapper,
          {
              {k_allow, 0, SYS_mmap, {va, 4096, 7, 0x8011, k_ram_fd, 0}},
              {k_allow, 0, SYS_mmap, {va, 4096, 1, 0x11, k_ram_fd, k_high - 4096}},
              {k_kill, 0, SYS_mmap, {va, 4096, 8, 0x8011, k_ram_fd, 0}},
              {k_kill, 0, SYS_mmap, {va, 4096, 0x1000000, 0x8011, k_ram_fd, 0}},
              {k_kill, 0, SYS_mmap, {va, 4096, 7, 0x8012, k_ram_fd, 0}},
              {k_kill, 0, SYS_mmap, {va, 4096, 7, 0x8031, k_ram_fd, 0}},
              {k_kill, 0, SYS_mmap, {va, 4096, 7, 0x8001, k_ram_fd, 0}},
              {k_kill, 0, SYS_mmap, {va, 4096, 7, 0x8011, k_ack_fd, 0}},
              {k_kill, 0, SYS_mmap, {va, 4096, 7, 0x8011, ~std::uint64_t{0}, 0}},
              {k_kill, 0, SYS_mmap, {va, 4096, 7, 0x8011, k_ram_fd, k_high}},
              {k_kill, 0, SYS_mmap, {va, k_high, 7, 0x8011, k_ram_fd, 0}},
              {k_kill, 0, SYS_mmap, {k_stub_base, 4096, 7, 0x8011, k_ram_fd, 0}},
              {k_kill, 0, SYS_mmap, {k_event_va, 4096, 7, 0x8011, k_ram_fd, 0}},
              {k_kill, 0, SYS_mmap, {0x600000000000, 4096, 7, 0x8011, k_ram_fd, 0}},
              {k_kill, 0, SYS_mmap, {~std::uint64_t{0xfff}, 4096, 7, 0x8011, k_ram_fd, 0}},
              {k_allow, 0, SYS_munmap, {va, 4096}},
              {k_allow, 0, SYS_munmap, {va, k_high}},
              {k_allow, 0, SYS_munmap, {ISO_USER_LOW, ISO_USER_HIGH - ISO_USER_LOW}},
              {k_kill, 0, SYS_munmap, {va, 0x600000000000}},
              {k_kill, 0, SYS_munmap, {k_high, k_high}},
              {k_kill, 0, SYS_munmap, {0x5fff00000000, ~std::uint64_t{0}}},
              {k_kill, 0, SYS_munmap, {0, ~std::uint64_t{0}}},
              {k_kill, 0, SYS_mmap, {va, ISO_USER_HIGH - ISO_USER_LOW, 7, 0x8011, k_ram_fd, 0}},
              {k_kill, 0, SYS_munmap, {k_stub_base, 4096}},
              {k_kill, 0, SYS_munmap, {k_command_va, 4096}},
              {k_allow, 0, SYS_mprotect, {va, 4096, 0}},
              {k_allow, 0, SYS_mprotect, {va, k_high - 4096, 7}},
              {k_kill, 0, SYS_mprotect, {va, 4096, 8}},
              {k_kill, 0, SYS_mprotect, {va, 4096, 0x1000003}}, // PROT_GROWSDOWN
              {k_kill, 0, SYS_mprotect, {va, k_high, 7}},
              {k_kill, 0, SYS_mprotect, {va, ISO_USER_HIGH - ISO_USER_LOW, 7}},
              {k_kill, 0, SYS_mprotect, {k_stub_base, 4096, 7}},
              {k_kill, 0, SYS_mprotect, {k_command_va, 4096, 3}},
              {k_kill, 0, SYS_mprotect, {0x600000000000, 4096, 7}},
              {k_kill, 0, SYS_pkey_mprotect, {va, 4096, 7, 0}},
              {k_kill, 0, SYS_mremap, {va, 4096, 8192, 0}},
              {k_allow, 0, SYS_futex, {k_command_va, FUTEX_WAIT}},
              {k_allow, 0, SYS_futex, {k_event_va, FUTEX_WAKE}},
              {k_kill, 0, SYS_futex, {k_event_va, 3}},
              {k_allow, 0, SYS_write, {k_ack_fd, va, 8}},
              {k_kill, 0, SYS_write, {k_ram_fd, va, 8}},
              {k_kill, 0, SYS_write, {1, va, 8}},
              {k_kill, 0, SYS_read, {k_ack_fd, va, 8}},
              {k_kill, 0, SYS_rt_sigreturn, {}},
              {k_kill, 0, SYS_rt_sigprocmask, {SIG_SETMASK, k_mask, 0, 8}},
              {k_kill, 0, SYS_mmap, {va, 4096, 7, 0x8011, k_ram_fd, 0}, AUDIT_ARCH_I386},
              {k_kill, 0, SYS_mmap | 0x40000000, {va, 4096, 7, 0x8011, k_ram_fd, 0}},
          });
    // No length that passes reaches from below the limit to the stub.
    CHECK((std::uint64_t{k_user_limit_high} << 32U) + k_high < k_stub_base);
    CHECK(ISO_USER_HIGH >> 32U < k_user_limit_high);
    auto const code = filter(Task::mapper);
    for (int number = 0; number < 1024; ++number) {
        if (number == SYS_futex || number == SYS_write || number == SYS_mmap ||
            number == SYS_munmap || number == SYS_mprotect)
            continue;
        INFO(number);
        CHECK(ask(code, {k_kill, 0, number, {}}) == k_kill);
    }
}

TEST_CASE("the guest kernel's filter", "[filter]") {
    check(Task::kernel, {
                            {k_allow, k_gate, SYS_futex, {k_control_base, FUTEX_WAIT}},
                            {k_allow, k_gate, SYS_futex, {k_control_base, FUTEX_WAKE}},
                            {k_kill, k_gate, SYS_futex, {k_control_base, 9}},
                            {k_allow, k_gate, SYS_read, {k_ack_fd, 0, 8}},
                            {k_kill, k_gate, SYS_read, {0, 0, 8}},
                            {k_kill, k_gate, SYS_read, {k_ram_fd, 0, 8}},
                            {k_kill, k_gate, SYS_read, {k_bell_fd, 0, 8}},
                            {k_allow, k_gate, SYS_write, {k_bell_fd, 0, 8}},
                            {k_kill, k_gate, SYS_write, {k_ack_fd, 0, 8}},
                            {k_kill, k_gate, SYS_write, {1, 0, 8}},
                            {k_kill, k_gate, SYS_mmap, {0x10000, 4096, 7, 0x11, k_ram_fd, 0}},
                            {k_trap, k_gate, SYS_futex, {0, 0}, AUDIT_ARCH_I386},
                            {k_trap, k_gate + k_high, SYS_futex, {0, 0}},
                            {k_trap, k_elsewhere, SYS_futex, {0, 0}},
                            {k_trap, 0x600000200010, SYS_openat, {}},
                        });
    auto const code = filter(Task::kernel);
    for (int number = 0; number < 1024; ++number) {
        INFO(number);
        CHECK(ask(code, {k_trap, k_elsewhere, number, {}}) == k_trap);
        if (number != SYS_futex) CHECK(ask(code, {k_kill, k_gate, number, {0x7f}}) == k_kill);
    }
}
