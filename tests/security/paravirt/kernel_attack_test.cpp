// The guest kernel against its hypervisor and the host: the engine says what happened and goes.
#include "common/abi/guest_abi.h"
#include "paravirt-demo/stub/boundary.hpp"
#include "tests/security/paravirt/engine.hpp"

#include <fmt/format.h>

namespace {

using namespace iso;
using iso::test::Ran;

constexpr int k_engine_failed = 125;
constexpr int k_timeout = 124;

Ran try_from_kernel(std::string const& name, std::uint64_t argument,
                    std::vector<std::string> options = {"--timeout=20s"}) {
    options.push_back("--kernel=" + test::k_programs + "/pv_hostile_kernel");
    return test::attack(options,
                        {test::k_programs + "/pv_attack", name, fmt::format("{:#x}", argument)});
}

/// The engine must name the guest kernel as what failed, and say this.
void must_fail(std::string const& name, std::uint64_t argument, std::string const& message) {
    INFO(name << " " << argument);
    Ran const ran = try_from_kernel(name, argument);
    INFO("status " << ran.status << ": " << ran.err);
    CHECK(ran.status == k_engine_failed);
    CHECK(ran.err.find("guest kernel") != std::string::npos);
    CHECK(ran.err.find(message) != std::string::npos);
}

void must_end(std::string const& name, std::uint64_t argument, std::vector<int> const& allowed,
              std::string const& timeout = "--timeout=20s") {
    INFO(name << " " << argument);
    Ran const ran = try_from_kernel(name, argument, {timeout});
    INFO("status " << ran.status << ": " << ran.err);
    CHECK(test::one_of(ran.status, allowed));
    if (ran.status == k_engine_failed) CHECK_FALSE(ran.err.empty());
}

} // namespace

TEST_CASE("the guest kernel makes no host system call", "[kernel]") {
    if (!test::engine_works()) return;
    for (std::uint64_t const which : {0U, 1U, 2U, 3U, 5U})
        must_fail("system-call", which, "host system call");
    must_end("system-call", 4, {k_engine_failed}); // sysenter: where it lands depends on the CPU
    must_end("system-call", 6, {k_engine_failed}); // vsyscall: trapped, or not there
    must_end("system-call", 7, {k_engine_failed});
    must_end("system-call", 8, {0, k_engine_failed}); // older host kernels do not know it
    must_end("system-call", 9, {k_engine_failed});
    for (std::uint64_t const number : {2, 3, 9, 10, 11, 14, 15, 56, 57, 59, 62, 231, 257, 317, 322})
        must_fail("gate-call", number, "its filter forbids");
    for (std::uint64_t const fd : {0U, 1U, 2U, 3U, 4U, 6U}) {
        must_fail("gate-descriptor", fd, "its filter forbids");                   // read
        if (fd != 6) must_fail("gate-descriptor", 16 + fd, "its filter forbids"); // write
    }
    must_fail("gate-descriptor", 16 + 5, "its filter forbids");
}

TEST_CASE("the guest kernel does not write what is read-only to it", "[kernel]") {
    if (!test::engine_works()) return;
    must_fail("write", pv::k_stub_base, "faulted");
    must_fail("write", pv::k_stub_base + pv::k_page, "faulted");
    must_fail("write", ISO_KERNEL_BASE + ISO_KERNEL_GPA, "faulted"); // its own text
    must_fail("write", ISO_KERNEL_BASE, "faulted");                  // page 0
    must_fail("write", 0x10000, "faulted");                          // no user memory here
    must_fail("write", 0x7fffffffe000, "faulted");
}

TEST_CASE("hypercalls with wild arguments are answered, or end the guest", "[kernel]") {
    if (!test::engine_works()) return;
    must_end("unknown", 0, {0});
    for (std::uint64_t const number : {0, 1, 3, 5, 13, 14, 15, 17, 23, 26, 29, 30, 32, 48, 49})
        for (std::uint64_t word = 0; word < 8; ++word)
            must_end("hypercall", number * 8 + word, {0, k_engine_failed, k_timeout},
                     "--timeout=500ms");
    for (std::uint64_t which = 0; which < 22; ++which)
        must_end("mapping", which, {0, k_engine_failed, k_timeout}, "--timeout=1s");
    for (std::uint64_t which = 0; which < 4; ++which)
        must_end("many-updates", which, {0, k_engine_failed, k_timeout}, "--timeout=1s");
    for (std::uint64_t which = 0; which < 8; ++which)
        must_end("iret", which, {k_engine_failed, k_timeout}, "--timeout=500ms");
    must_end("requests", 0, {0});
    for (std::uint64_t which = 0; which < 14 * 8; ++which)
        must_end("doorbell", which, {0, 1, k_engine_failed, k_timeout, 127, 128, 129, 255},
                 "--timeout=500ms");
    must_fail("quiet-end", 0, "without saying how its program ended");
}

TEST_CASE("address spaces are bounded, and all of them are reaped", "[kernel]") {
    if (!test::engine_works()) return;
    must_end("many-spaces", 0, {0}, "--timeout=60s");
    must_end("churn", 300, {0}, "--timeout=60s");
}

TEST_CASE("threads keep their registers, rights hold, timers interrupt", "[kernel]") {
    if (!test::engine_works()) return;
    for (char const* attempt : {"threads", "rights", "ring", "timers"})
        must_end(attempt, 0, {0});
    for (char const* attempt : {"threads", "rights", "ring"})
        for (char const* cores : {"--cores=1", "--cores=2"}) {
            INFO(attempt << " under ticks, " << cores);
            Ran const ran = try_from_kernel(attempt, 0, {"--tick=100us", cores, "--timeout=20s"});
            INFO("status " << ran.status << ": " << ran.err);
            CHECK(ran.status == 0);
        }
}

TEST_CASE("registers and frames that a program spoiled are its own loss", "[kernel]") {
    if (!test::engine_works()) return;
    for (std::uint64_t which = 0; which < 16; ++which)
        must_end("registers", which, {0});
    for (std::uint64_t which = 0; which < 26; ++which)
        must_end("frames", which, {0});
}

TEST_CASE("what the guest kernel forges in shared pages is its own loss", "[kernel]") {
    if (!test::engine_works()) return;
    for (std::uint64_t which = 0; which < 8; ++which)
        must_end("control", which, {0, k_engine_failed, k_timeout}, "--timeout=1s");
    for (std::uint64_t which = 0; which < 2; ++which)
        must_end("answer", which, {0, k_engine_failed, k_timeout}, "--timeout=1s");
    for (std::uint64_t const word : {0U, 1U, 256U, 257U, 0x7fffffffU, 0xffffffffU}) {
        INFO("running " << word);
        Ran const ran = try_from_kernel("running", word, {"--tick=1ms", "--timeout=20s"});
        INFO("status " << ran.status << ": " << ran.err);
        CHECK(ran.status == 0);
    }
}

TEST_CASE("a mapper makes no command but its own two", "[kernel]") {
    if (!test::engine_works()) return;
    for (std::uint64_t which = 0; which < 16; ++which)
        must_end("mapper", which, {0});
    must_end("full-ack", 0, {0});
}

TEST_CASE("a wedged guest kernel is ended by the timeout", "[kernel]") {
    if (!test::engine_works()) return;
    for (std::uint64_t which = 0; which < 6; ++which)
        must_end("wedge", which, {k_timeout}, "--timeout=500ms");
}
