#pragma once

#include "common/engine.hpp"
#include "common/report.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/launch.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace iso::test {

/// What to run, in the engine under test and natively.
struct Job {
    std::string program; ///< absolute
    std::vector<std::string> arguments;
    std::vector<std::string> environment;
    std::vector<AddedPath> added;
    std::string workdir = "/";
    std::uint64_t timeout_ns = 0;
    std::uint64_t memory_bytes = 0;
    std::vector<std::string> engine_options; ///< more options of `run`, for example --stats
    Launch launch;                           ///< input, output and signal; its command is filled in
};

std::string workload(std::string const& name); ///< its path
Job behave(std::string const& mode);           ///< the program that misbehaves on request

/// One engine, found usable. Every run through it is checked for leftovers, and its report against
/// its exit status.
class Arena {
public:
    Arena(Engine const& engine, EngineProbe probe)
        : engine_(engine)
        , probe_(std::move(probe)) {}

    [[nodiscard]] std::string name() const { return std::string(engine_.name()); }
    [[nodiscard]] bool is(char const* name) const { return engine_.name() == name; }

    /// Runs the job in the engine.
    [[nodiscard]] Ran run(Job job) const;
    /// The same for a run that may end before there can be a report.
    [[nodiscard]] Ran run_unreported(Job job) const;
    /// Its report, parsed; run() has required that there is one, unless the engine was killed.
    [[nodiscard]] static RunReport report(Ran const& ran);

private:
    Engine const& engine_;
    EngineProbe probe_;
};

/// Runs the job directly, with exactly the environment it asks for.
Ran run_native(Job job);

/// Runs the job in both, and requires the same status and the same bytes on stdout and stderr.
Ran require_same(Arena const& arena, Job const& job);

/// Finds the engine and calls the test with it. Skips where the machine lacks what the engine
/// needs; fails when the engine was not built.
void with_engine(char const* name, char const* need, std::function<void(Arena const&)> const& test);

} // namespace iso::test

#define ISO_CONFORMANCE_NAME_(line) iso_conformance_##line
#define ISO_CONFORMANCE_NAME(line) ISO_CONFORMANCE_NAME_(line)

/// Declares one test case per engine of this project, so that each is skipped or fails by name:
/// ISO_CONFORMANCE("subject", "[group]") { ... uses `arena` ... }
#define ISO_CONFORMANCE(subject, group)                                                            \
    static void ISO_CONFORMANCE_NAME(__LINE__)(::iso::test::Arena const& arena);                   \
    TEST_CASE("isolate: " subject, "[isolate]" group) {                                            \
        ::iso::test::with_engine("isolate", "userns", ISO_CONFORMANCE_NAME(__LINE__));             \
    }                                                                                              \
    TEST_CASE("vmm-mini: " subject, "[vmm-mini]" group) {                                          \
        ::iso::test::with_engine("vmm-mini", "kvm", ISO_CONFORMANCE_NAME(__LINE__));               \
    }                                                                                              \
    TEST_CASE("paravirt-demo: " subject, "[paravirt-demo]" group) {                                \
        ::iso::test::with_engine("paravirt-demo", "paravirt", ISO_CONFORMANCE_NAME(__LINE__));     \
    }                                                                                              \
    static void ISO_CONFORMANCE_NAME(__LINE__)([[maybe_unused]] ::iso::test::Arena const& arena)
