// Guest user code against the boundary: it gets no further than its own death.
#include "paravirt-demo/stub/boundary.hpp"
#include "tests/security/paravirt/engine.hpp"

#include <fmt/format.h>

namespace {

using namespace iso;
using iso::test::Ran;

constexpr int k_segv = 128 + 11;
constexpr int k_ill = 128 + 4;
constexpr int k_sys = 128 + 31;
constexpr int k_kill = 128 + 9;
constexpr int k_timeout = 124;

Ran try_from_user(std::string const& name, std::string const& argument,
                  std::vector<std::string> const& options = {"--timeout=20s"}) {
    return test::attack(options, {test::k_programs + "/pv_attack", name, argument});
}

void must_end(std::string const& name, std::string const& argument,
              std::vector<int> const& allowed) {
    INFO(name << " " << argument);
    Ran const ran = try_from_user(name, argument);
    INFO("status " << ran.status << ": " << ran.err);
    CHECK(test::one_of(ran.status, allowed));
}

std::string hex(std::uint64_t value) {
    return fmt::format("{:#x}", value);
}

} // namespace

TEST_CASE("user code cannot see or change what is not its own", "[user]") {
    if (!test::engine_works()) return;
    for (std::uint64_t const address :
         {std::uint64_t{0x600000001000}, std::uint64_t{0x600000200000},
          std::uint64_t{0x600000400000}, pv::k_control_base, pv::k_control_base + pv::k_page,
          pv::k_slots_base + pv::k_slot_bytes, std::uint64_t{0x7fffffffe000},
          std::uint64_t{0x7ffff7ff0000}, std::uint64_t{0xffffffff81000000}}) {
        must_end("read", hex(address), {k_segv});
        must_end("write", hex(address), {k_segv});
    }
    for (std::uint64_t page = 0; page < 8; ++page)
        must_end("write", hex(pv::k_stub_base + page * pv::k_page), {k_segv});
    must_end("write", hex(pv::k_command_va), {k_segv});
    must_end("write", hex(pv::k_command_va + 1024), {k_segv});
    constexpr int k_came_back = 99; // its own pages: nothing is decided by what they hold
    must_end("write", hex(pv::k_event_va), {k_came_back});
    must_end("write", hex(pv::k_signal_stack_va), {k_came_back});
    must_end("call", hex(pv::k_event_va), {k_segv});
    must_end("call", hex(pv::k_signal_stack_va), {k_segv});
    must_end("call", hex(pv::k_command_va), {k_segv});
}

TEST_CASE("no instruction leaves user code for the host", "[user]") {
    if (!test::engine_works()) return;
    for (int which = 0; which < 8; ++which)
        must_end("instruction", std::to_string(which), {k_segv, k_ill});
    must_end("compat", "0", {k_segv, k_ill});
    must_end("compat", "1", {k_segv, k_ill});
    must_end("call", "0xffffffffff600000",
             {99, k_segv}); // the vsyscall page: answered inside, or not there
    for (std::uint64_t const number :
         {0x40000000 + 39, 0x40000000 + 520, 335, 317 /* seccomp */, 101 /* ptrace */,
          425 /* io_uring_setup */, 321 /* bpf */, 272 /* unshare */, 400})
        must_end("refused", std::to_string(number), {0});
    must_end("unfiltered", "336", {0});
    must_end("close-all", "0", {0});
}

TEST_CASE("the gate serves user code nothing but waiting and waking", "[user]") {
    if (!test::engine_works()) return;
    must_end("gate-wakes", "0", {0});
    for (int const number : {0 /* read */,
                             1,
                             2,
                             3,
                             9 /* mmap */,
                             10,
                             11,
                             13,
                             14,
                             15 /* rt_sigreturn */,
                             56,
                             57,
                             59,
                             60,
                             62,
                             131 /* sigaltstack */,
                             157,
                             231,
                             234,
                             257 /* openat */,
                             317,
                             322,
                             0x40000000 + 202})
        must_end("gate-call", std::to_string(number), {k_sys});
    for (int const operation : {2, 3, 4, 5, 6, 9, 11, 13, 128, 129, 256})
        must_end("gate-futex", std::to_string(operation), {k_sys});
}

TEST_CASE("the mapper's system calls are not user code's", "[user]") {
    if (!test::engine_works()) return;
    for (int n = 0; n < 24; ++n)
        for (char const* attempt : {"mapper-mmap", "mapper-execve"}) {
            INFO(attempt << " " << n);
            Ran const ran = try_from_user(attempt, std::to_string(n), {"--timeout=300ms"});
            INFO("status " << ran.status << ": " << ran.err);
            CHECK(ran.err.find("paravirt-demo:") ==
                  std::string::npos); // the guest ended, not the engine
        }
}

TEST_CASE("a jump to anywhere in the stub ends in a documented way", "[user]") {
    if (!test::engine_works()) return;
    constexpr unsigned k_samples = 64;
    for (unsigned i = 0; i < k_samples; ++i) {
        unsigned const offset =
            4096 + i * 29; // the text is some 2 KiB; 29 meets every kind of place
        INFO("offset " << offset);
        Ran const ran = try_from_user("jump", std::to_string(offset), {"--timeout=200ms"});
        INFO("status " << ran.status << ": " << ran.err);
        // Some places call exit_group, and the guest kernel serves that: any status, but from the
        // guest.
        CHECK(ran.err.find("paravirt-demo:") == std::string::npos);
    }
}

TEST_CASE("forged events and frames harm nobody but their maker", "[user]") {
    if (!test::engine_works()) return;
    for (int which = 0; which <= 10; ++which)
        for (char const* tick : {"--tick=1ms", "--cores=1"}) {
            INFO("field " << which << " " << tick);
            Ran const ran =
                try_from_user("forge-page", std::to_string(which), {"--timeout=2s", tick});
            INFO("status " << ran.status << ": " << ran.err);
            CHECK(test::one_of(ran.status, {0, k_segv, k_ill, k_sys, k_kill, k_timeout}));
        }
    for (int which = 0; which < 4; ++which)
        for (char const* cores : {"--cores=1", "--cores=2"}) {
            INFO("event " << which << " " << cores);
            Ran const ran =
                try_from_user("forge-event", std::to_string(which), {"--timeout=2s", cores});
            INFO("status " << ran.status << ": " << ran.err);
            CHECK(test::one_of(ran.status, {0, 2, 99, k_segv, k_ill, k_sys, k_kill, 128 + 5,
                                            128 + 7, 128 + 8, k_timeout}));
        }
    must_end("no-signal-stack", "0", {k_sys, k_ill, k_segv});
    must_end("keep-page", "0", {0});
}

TEST_CASE("user code that takes no ticks is ended before long", "[user]") {
    if (!test::engine_works()) return;
    Ran const ran = try_from_user("sleep-in-stub", "0", {"--tick=1ms", "--timeout=60s"});
    INFO("status " << ran.status << ": " << ran.err);
    CHECK(ran.status == k_sys);
}

TEST_CASE("user code that hides in the stub from ticks is ended by the timeout", "[user]") {
    if (!test::engine_works()) return;
    for (char const* attempt : {"sleep-in-stub", "spin-in-stub"}) {
        INFO(attempt);
        Ran const ran = try_from_user(attempt, "0", {"--tick=1ms", "--timeout=2s"});
        INFO("status " << ran.status << ": " << ran.err);
        CHECK(ran.status == k_timeout);
    }
}
