#include "tests/conformance/arena.hpp"

#include "common/subprocess.hpp"
#include "tests/support/leftovers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <unistd.h>

namespace iso::test {

namespace {

constexpr std::uint64_t k_patience_ns = 60'000'000'000;

RunOptions options_of(Job const& job) {
    RunOptions options;
    options.program = job.program;
    options.arguments = job.arguments;
    options.environment = job.environment;
    options.added = job.added;
    options.workdir = job.workdir;
    options.timeout_ns = job.timeout_ns;
    options.memory_bytes = job.memory_bytes;
    options.report_fd = k_report_fd;
    return options;
}

std::string joined(std::vector<std::string> const& lines) {
    return fmt::format("{}", fmt::join(lines, "\n"));
}

} // namespace

std::string workload(std::string const& name) {
    return std::string(ISO_WORKLOAD_DIR) + "/" + name;
}

Job behave(std::string const& mode) {
    Job job;
    job.program = std::string(ISO_TEST_PROGRAM_DIR) + "/behave";
    job.arguments = {mode};
    return job;
}

Ran Arena::run_unreported(Job job) const {
    auto command = engine_.command(options_of(job));
    REQUIRE(command.has_value());
    command->insert(command->begin() + 2, job.engine_options.begin(), job.engine_options.end());
    job.launch.command = *command;
    INFO(fmt::format("{}", fmt::join(*command, " ")));

    Leftovers const before = Leftovers::look();
    Ran ran = launch(job.launch);
    INFO("status " << ran.status << "\nstderr: " << ran.err.substr(0, 2000));
    REQUIRE_FALSE(ran.hung);
    CHECK(joined(ran.strays) == "");
    CHECK(joined(before.appeared()) == "");
    return ran;
}

Ran Arena::run(Job job) const {
    Ran ran = run_unreported(job);
    if (job.launch.signal == SIGKILL) return ran; // nobody was left to write a report
    auto const parsed = parse_report(ran.report);
    if (!parsed) FAIL("the report: " << parsed.error().message() << "\n" << ran.report);
    CHECK(parsed->engine == engine_.name());
    if (parsed->ended != Ended::engine_failed ||
        !parsed->backend.empty()) // it may fail before it knows
        CHECK(parsed->backend == probe_.backend);
    CHECK(parsed->exit_status() == ran.status);
    auto const& phases = parsed->phases;
    REQUIRE(phases.create.has_value());
    CHECK(ran.began_ns <= *phases.create);
    CHECK(phases.create <= phases.load.value_or(*phases.create));
    if (phases.load && phases.enter) CHECK(*phases.load <= *phases.enter);
    if (phases.enter && phases.exit) CHECK(*phases.enter <= *phases.exit);
    if (phases.exit && phases.destroy) CHECK(*phases.exit <= *phases.destroy);
    if (phases.destroy) CHECK(*phases.destroy <= ran.ended_ns);
    return ran;
}

RunReport Arena::report(Ran const& ran) {
    auto report = parse_report(ran.report);
    REQUIRE(report.has_value());
    return *report;
}

Ran run_native(Job job) {
    job.launch.command = {job.program};
    job.launch.command.insert(job.launch.command.end(), job.arguments.begin(), job.arguments.end());
    job.launch.environment = job.environment; // env(1) would merge variables of the same name
    Ran ran = launch(job.launch);
    REQUIRE_FALSE(ran.hung);
    return ran;
}

namespace {

// The first line in which two texts differ, for a reader of a log who sees only its beginning.
std::string first_difference(std::string_view native, std::string_view engine) {
    for (int line = 1; !native.empty() || !engine.empty(); ++line) {
        auto const of_native = native.substr(0, native.find('\n'));
        auto const of_engine = engine.substr(0, engine.find('\n'));
        if (of_native != of_engine)
            return fmt::format("line {}: native \"{}\", engine \"{}\"", line, of_native, of_engine);
        native.remove_prefix(std::min(of_native.size() + 1, native.size()));
        engine.remove_prefix(std::min(of_engine.size() + 1, engine.size()));
    }
    return "only the line ends differ";
}

} // namespace

Ran require_same(Arena const& arena, Job const& job) {
    Ran const native = run_native(job);
    Ran ran = arena.run(job);
    INFO(arena.name() << " " << job.program << " "
                      << fmt::format("{}", fmt::join(job.arguments, " ")));
    CHECK(ran.status == native.status);
    if (ran.err != native.err)
        FAIL_CHECK("standard error: " << first_difference(native.err, ran.err));
    if (ran.out != native.out)
        FAIL_CHECK("standard output, " << native.out.size() << " and " << ran.out.size()
                                       << " bytes: " << first_difference(native.out, ran.out));
    return ran;
}

void with_engine(char const* name, char const* need,
                 std::function<void(Arena const&)> const& test) {
    static auto const engines = make_engines(ISO_BIN_DIR);
    for (auto const& engine : engines) {
        if (engine->name() != name) continue;
        if (::access((std::string(ISO_BIN_DIR) + "/" + name).c_str(), X_OK) != 0)
            FAIL(name << " was not built into " ISO_BIN_DIR);
        // A probe that is broken is a failure; only one that says what is missing is a skip.
        auto const answer = run_and_capture(
            {std::string(ISO_BIN_DIR) + "/" + name, "probe", "--json"}, k_patience_ns);
        REQUIRE(answer.has_value());
        INFO("probe --json ended with " << answer->exit_status() << ": " << answer->out
                                        << answer->err);
        REQUIRE(parse_probe(answer->out).has_value());
        EngineProbe const probe = engine->probe();
        REQUIRE(answer->exit_status() == (probe.usable ? 0 : 1));
        if (!probe.usable) ISO_SKIP(need, std::string(name) + ": " + probe.reason);
        test(Arena(*engine, probe));
        return;
    }
    FAIL("no engine is called " << name);
}

} // namespace iso::test
