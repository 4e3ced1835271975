#include "isolate/bpf_interpreter.hpp"
#include "isolate/seccomp_compiler.hpp"
#include "isolate/seccomp_profile.hpp"
#include "tests/support/catch.hpp"

#include <seccomp.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <initializer_list>
#include <memory>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

namespace {

using namespace iso::jail;

constexpr std::uint32_t k_x32 = 0x40000000;

seccomp_data call(std::uint32_t number, std::uint32_t arch = AUDIT_ARCH_X86_64) {
    seccomp_data data{};
    data.nr = static_cast<int>(number);
    data.arch = arch;
    return data;
}

seccomp_data with_argument(std::uint32_t number, unsigned index, std::uint64_t value) {
    seccomp_data data = call(number);
    data.args[index] = value;
    return data;
}

std::uint32_t ask(SeccompProgram const& program, seccomp_data const& data) {
    auto const answer = run_bpf(program, data);
    REQUIRE(answer.has_value());
    return *answer;
}

/// The same policy, built by libseccomp: the oracle.
SeccompProgram oracle(SeccompPolicy const& policy) {
    std::unique_ptr<void, decltype(&seccomp_release)> const filter(
        seccomp_init(policy.unlisted.value), seccomp_release);
    REQUIRE(filter);
    REQUIRE(seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH,
                             policy.wrong_architecture.value) == 0);
    for (std::uint32_t number = 0; number < 1000; ++number)
        if (!policy.tests.contains(number) && policy.action(number) != policy.unlisted)
            REQUIRE(seccomp_rule_add_exact(filter.get(), policy.action(number).value,
                                           static_cast<int>(number), 0) == 0);
    for (auto const& [number, test] : policy.tests) {
        // libseccomp knows no "otherwise": it is the default unless each case is a rule of its own.
        auto const nr = static_cast<int>(number);
        for (std::uint32_t const value : test.values) {
            bool const mask = test.kind == ArgumentTest::Kind::any_bit_of;
            if (!mask) {
                scmp_arg_cmp const equal{test.argument, SCMP_CMP_MASKED_EQ, 0xffffffff, value};
                REQUIRE(seccomp_rule_add_exact_array(filter.get(), test.matched.value, nr, 1,
                                                     &equal) == 0);
                continue;
            }
            for (unsigned bit = 0; bit < 32; ++bit) {
                if ((value >> bit & 1U) == 0) continue;
                scmp_arg_cmp const set{test.argument, SCMP_CMP_MASKED_EQ, 1ULL << bit, 1ULL << bit};
                REQUIRE(seccomp_rule_add_exact_array(filter.get(), test.matched.value, nr, 1,
                                                     &set) == 0);
            }
        }
    }
    int const file = ::memfd_create("bpf", 0);
    REQUIRE(seccomp_export_bpf(filter.get(), file) == 0);
    auto const size = ::lseek(file, 0, SEEK_END);
    SeccompProgram program(static_cast<std::size_t>(size) / sizeof(sock_filter));
    REQUIRE(::pread(file, program.data(), static_cast<std::size_t>(size), 0) == size);
    ::close(file);
    return program;
}

/// A policy whose `otherwise` is always its `unlisted`, as libseccomp can express.
SeccompPolicy expressible(SeccompPolicy policy) {
    for (auto& [number, test] : policy.tests) {
        if (test.matched == policy.unlisted) test.matched = SeccompAction::fail(EXDEV);
        test.otherwise = policy.unlisted;
    }
    return policy;
}

} // namespace

TEST_CASE("the table that the build made is the default profile") {
    auto const compiled = compile_seccomp(default_profile());
    REQUIRE(compiled);
    auto const table = default_filter();
    REQUIRE(table.size() == compiled->size());
    CHECK(std::memcmp(table.data(), compiled->data(), table.size_bytes()) == 0);
}

TEST_CASE("the default profile answers as libseccomp's filter of the same policy") {
    SeccompPolicy const policy = expressible(default_profile());
    auto const ours = compile_seccomp(policy);
    REQUIRE(ours);
    SeccompProgram const theirs = oracle(policy);
    std::uint64_t const arguments[] = {
        0,       1,          2,          10,          16,          17,
        38,      40,         0x5412,     0x541c,      0x5423,      0x20000,
        0x20008, 0x10000000, 0xffffffff, 0x100000000, 0x100005412, 0xffffffff00000001};
    for (std::uint32_t number = 0; number < 1200; ++number)
        for (std::uint64_t const value : arguments)
            for (unsigned index : {0U, 1U}) {
                seccomp_data const data = with_argument(number, index, value);
                if (ask(*ours, data) != ask(theirs, data)) {
                    INFO(syscall_name(number) << " argument " << index << " = " << value);
                    REQUIRE(ask(*ours, data) == ask(theirs, data));
                }
            }
    for (auto const arch : {std::uint32_t{AUDIT_ARCH_I386}, std::uint32_t{AUDIT_ARCH_AARCH64}})
        for (std::uint32_t number = 0; number < 600; ++number)
            REQUIRE(ask(*ours, call(number, arch)) == ask(theirs, call(number, arch)));
    CHECK(ours->size() * 2 < theirs.size()); // what the intervals are for
}

TEST_CASE("the default profile refuses what it says and only that") {
    SeccompPolicy const policy = default_profile();
    auto const program = compile_seccomp(policy);
    REQUIRE(program);
    std::uint32_t const eperm = SeccompAction::fail(EPERM).value;
    std::uint32_t const enosys = SeccompAction::fail(ENOSYS).value;
    for (DeniedCall const& denied : denied_calls()) {
        INFO(syscall_name(denied.number));
        CHECK(ask(*program, call(denied.number)) == eperm);
    }
    for (std::uint32_t const allowed :
         std::initializer_list<std::uint32_t>{SYS_read, SYS_write, SYS_execve, SYS_fork, SYS_openat,
                                              SYS_futex, SYS_rseq, SYS_ptrace})
        CHECK(ask(*program, call(allowed)) == SECCOMP_RET_ALLOW);
    CHECK(ask(*program, call(SYS_clone3)) == enosys);
    CHECK(ask(*program, call(335)) == enosys);
    CHECK(ask(*program, call(463)) == enosys);
    CHECK(ask(*program, call(100'000)) == enosys);
    CHECK(ask(*program, call(0xffffffff)) == enosys);
}

TEST_CASE("the i386 and x32 tables are closed") {
    auto const program = compile_seccomp(default_profile());
    REQUIRE(program);
    std::uint32_t const enosys = SeccompAction::fail(ENOSYS).value;
    for (std::uint32_t number = 0; number < 600; ++number) {
        REQUIRE(ask(*program, call(number | k_x32)) == enosys);
        REQUIRE(ask(*program, call(number, AUDIT_ARCH_I386)) == enosys);
    }
}

TEST_CASE("argument rules look at 32 bits, whatever the upper half holds") {
    auto const program = compile_seccomp(default_profile());
    REQUIRE(program);
    std::uint32_t const eperm = SeccompAction::fail(EPERM).value;
    for (std::uint64_t const high : {0ULL, 1ULL << 32U, 0xffffffffULL << 32U}) {
        CHECK(ask(*program, with_argument(SYS_ioctl, 1, high | TIOCSTI)) == eperm);
        CHECK(ask(*program, with_argument(SYS_ioctl, 1, high | TIOCLINUX)) == eperm);
        CHECK(ask(*program, with_argument(SYS_ioctl, 1, high | TIOCGWINSZ)) == SECCOMP_RET_ALLOW);
        CHECK(ask(*program, with_argument(SYS_clone, 0, high | CLONE_NEWUSER | SIGCHLD)) == eperm);
        CHECK(ask(*program, with_argument(SYS_clone, 0, high | CLONE_VM | SIGCHLD)) ==
              SECCOMP_RET_ALLOW);
        CHECK(ask(*program, with_argument(SYS_socket, 0, high | AF_VSOCK)) == eperm);
        CHECK(ask(*program, with_argument(SYS_socket, 0, high | AF_INET)) == SECCOMP_RET_ALLOW);
    }
    CHECK(ask(*program, with_argument(SYS_personality, 0, 0x0040000)) ==
          eperm); // ADDR_NO_RANDOMIZE
}

TEST_CASE("a policy with far apart answers still compiles to valid jumps") {
    SeccompPolicy policy;
    policy.unlisted = SeccompAction::kill_process();
    policy.wrong_architecture = SeccompAction::kill_process();
    for (std::uint32_t number = 0; number < 1500;
         ++number) // no two neighbours alike: nothing to merge
        policy.calls[number] = SeccompAction::fail(static_cast<int>(1 + number % 7));
    policy.tests[700] = {
        5, ArgumentTest::Kind::one_of, {}, SeccompAction::allow(), SeccompAction::trap()};
    for (std::uint32_t value = 0; value < 250; ++value)
        policy.tests[700].values.push_back(value * 3);
    auto const program = compile_seccomp(policy);
    REQUIRE(program);
    for (std::uint32_t number = 0; number < 1600; ++number) {
        std::uint32_t const wanted = number >= 1500  ? policy.unlisted.value
                                     : number == 700 ? SeccompAction::allow().value
                                                     : policy.calls[number].value;
        REQUIRE(ask(*program, with_argument(number, 5, 3)) == wanted);
    }
    CHECK(ask(*program, with_argument(700, 5, 4)) == SeccompAction::trap().value);
}

TEST_CASE("a senseless policy is refused") {
    SeccompPolicy policy;
    policy.tests[1] = {
        6, ArgumentTest::Kind::one_of, {1}, SeccompAction::allow(), SeccompAction::trap()};
    CHECK_FALSE(compile_seccomp(policy));
    policy.tests[1] = {
        0, ArgumentTest::Kind::one_of, {}, SeccompAction::allow(), SeccompAction::trap()};
    CHECK_FALSE(compile_seccomp(policy));
    policy.tests.clear();
    for (std::uint32_t number = 0; number < 4000; ++number)
        policy.calls[number] = SeccompAction::fail(static_cast<int>(1 + number % 7));
    CHECK_FALSE(compile_seccomp(policy)); // longer than the kernel takes
}

TEST_CASE("names and numbers of system calls agree with the C library's") {
    CHECK(syscall_number("openat") == SYS_openat);
    CHECK(syscall_number("set_mempolicy_home_node") == SYS_set_mempolicy_home_node);
    CHECK_FALSE(syscall_number("no_such_call"));
    CHECK(syscall_name(SYS_pivot_root) == "pivot_root");
    CHECK(syscall_name(400) == "syscall_400");
    for (std::uint32_t number = 0; number <= SYS_set_mempolicy_home_node; ++number) {
        std::unique_ptr<char, decltype(&std::free)> const theirs(
            seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, static_cast<int>(number)),
            &std::free);
        if (theirs) CHECK(syscall_name(number) == theirs.get());
    }
}
