// However a program ends, the engine ends in the way that a shell would show.
#include "tests/conformance/arena.hpp"

#include <csignal>

namespace {

using namespace iso::test;

void check_crash(Arena const& arena, std::string const& way, int signal) {
    Ran const ran = require_same(arena, behave("crash=" + way));
    CHECK(ran.status == 128 + signal);
    auto const report = Arena::report(ran);
    CHECK(report.ended == iso::Ended::signalled);
    CHECK(report.signal == signal);
}

} // namespace

ISO_CONFORMANCE("the exit status is the program's own", "[crash]") {
    for (int const status : {0, 1, 3, 77, 124, 125, 126, 127, 128, 139, 255}) {
        Ran const ran = require_same(arena, behave("exit=" + std::to_string(status)));
        CHECK(ran.status == status);
        auto const report = Arena::report(ran);
        CHECK(report.ended == iso::Ended::exited);
        CHECK(report.status == status);
    }
    CHECK(require_same(arena, behave("exit=259")).status == 3); // exit_group keeps eight bits
}

ISO_CONFORMANCE("a write to the null page is SIGSEGV", "[crash]") {
    check_crash(arena, "null", SIGSEGV);
}
ISO_CONFORMANCE("a wild write is SIGSEGV", "[crash]") {
    check_crash(arena, "wild", SIGSEGV);
}
ISO_CONFORMANCE("a read of kernel memory is SIGSEGV", "[crash]") {
    check_crash(arena, "kernel", SIGSEGV);
    check_crash(arena, "guest-kernel", SIGSEGV);
}
ISO_CONFORMANCE("a non-canonical address is SIGSEGV", "[crash]") {
    check_crash(arena, "noncanonical", SIGSEGV);
}
ISO_CONFORMANCE("an undefined instruction is SIGILL", "[crash]") {
    check_crash(arena, "ud2", SIGILL);
}
ISO_CONFORMANCE("a division by zero is SIGFPE", "[crash]") {
    check_crash(arena, "div0", SIGFPE);
}
ISO_CONFORMANCE("a breakpoint is SIGTRAP", "[crash]") {
    check_crash(arena, "int3", SIGTRAP);
}
ISO_CONFORMANCE("a privileged instruction is SIGSEGV", "[crash]") {
    check_crash(arena, "gp", SIGSEGV);
    check_crash(arena, "cli", SIGSEGV);
}
ISO_CONFORMANCE("a port is out of reach", "[crash]") {
    check_crash(arena, "port", SIGSEGV);
}
ISO_CONFORMANCE("an overflowing stack is SIGSEGV", "[crash]") {
    check_crash(arena, "stack-overflow", SIGSEGV);
}
ISO_CONFORMANCE("data cannot be executed", "[crash]") {
    check_crash(arena, "exec-data", SIGSEGV);
}
ISO_CONFORMANCE("code and constants cannot be written", "[crash]") {
    check_crash(arena, "write-text", SIGSEGV);
    check_crash(arena, "write-constant", SIGSEGV);
}
ISO_CONFORMANCE("a program that sends itself SIGABRT dies of it", "[crash]") {
    check_crash(arena, "abort", SIGABRT);
}
