#include "benchmarks/harness/fake_engine.hpp"
#include "benchmarks/harness/row.hpp"

using namespace iso;
using namespace iso::bench;
using namespace iso::bench::test;

namespace {

/// Runs one latency workload in an engine that misbehaves; returns that engine's cell.
Cell cell_in(std::string const& body, std::uint64_t timeout_ns = 30'000'000'000) {
    FakeEngine const engine(body);
    CompareOptions options = options_for(engine, {"syscall-null"});
    options.timeout_ns = timeout_ns;
    Results const results = results_of(options);
    CHECK_FALSE(results.complete());
    Cell const* const native = results.find("syscall-null", "own-time", "native");
    REQUIRE(native != nullptr);
    CHECK(native->status == Status::ok); // one engine's trouble is not the others'
    Cell const* const cell = results.find("syscall-null", "own-time", "isolate");
    REQUIRE(cell != nullptr);
    CHECK_FALSE(cell->median.has_value());
    INFO(cell->reason);
    CHECK_FALSE(cell->reason.empty());
    return *cell;
}

bool has(std::string const& text, std::string const& part) {
    INFO("'" << part << "' in '" << text << "'");
    bool const found = text.find(part) != std::string::npos;
    CHECK(found);
    return found;
}

} // namespace

TEST_CASE("an honest engine gives cells of every kind") {
    FakeEngine const engine(k_honest);
    CompareOptions options = options_for(engine, {"cpu-int", "syscall-null", "hello"});
    options.blocks = 6;
    Results const results = results_of(options);
    CHECK(results.complete());
    for (auto const& [workload, metric] :
         {std::pair{"cpu-int", "cpu-time"}, std::pair{"syscall-null", "own-time"},
          std::pair{"hello", "start-up"}, std::pair{"hello", "start-to-exit"}}) {
        INFO(workload << " " << metric);
        for (char const* const name : {"native", k_control_name, "isolate"}) {
            Cell const* const cell = results.find(workload, metric, name);
            REQUIRE(cell != nullptr);
            CHECK(cell->status == Status::ok);
            CHECK(cell->n == 6);
            CHECK(cell->identity_proved);
            CHECK(cell->sha256.size() == 64);
            CHECK(cell->effect().has_value());
            CHECK(cell->ci_low.has_value() == (std::string(name) != "native"));
        }
    }
    CHECK(results.find("cpu-int", "cpu-time", "isolate")->checksum.size() == 16);
    CHECK(results.find("hello", "start-up", "isolate")->backend == "fake");
}

TEST_CASE("other bytes than the file's make a cell void") {
    Cell const cell = cell_in(
        R"(case "$2" in identity=1) echo '{"workload":"syscall-null","identity":"00"}'; report 0; exit 0;; esac
)" + std::string(k_honest));
    CHECK(cell.status == Status::void_);
    has(cell.reason, "other bytes");
}

TEST_CASE("another checksum than native's makes a cell void") {
    Cell const cell = cell_in(
        R"("$@" | sed 's/"checksum":"[0-9a-f]*"/"checksum":"0000000000000000"/'; report 0; exit 0)");
    CHECK(cell.status == Status::void_);
    has(cell.reason, "another checksum");
}

TEST_CASE("fewer operations than asked for make a cell void") {
    Cell const cell = cell_in(R"(case "$2" in ops=*) set -- "$1" ops=7;; esac
)" + std::string(k_honest));
    CHECK(cell.status == Status::void_);
    has(cell.reason, "it did 7 operations");
}

TEST_CASE("a clock that runs fast makes a latency cell void") {
    Cell const cell = cell_in(R"("$@" | sed 's/"ns":/"ns":99999/'; report 0; exit 0)");
    CHECK(cell.status == Status::void_);
    has(cell.reason, "its clock disagrees");
}

TEST_CASE("a crash, a wrong report and stray output fail a cell with the reason") {
    CHECK(has(cell_in("kill -SEGV $$").reason, "no report"));
    CHECK(has(cell_in("echo 'cannot do it' >&2; exit 125").reason, "cannot do it"));
    CHECK(has(cell_in(R"("$@"; echo '{"schema":' >&3; exit 0)").reason, "nonsense"));
    CHECK(has(cell_in(R"("$@"; report 0; exit 3)").reason,
              "reported exit status 0 and ended with 3"));
    CHECK(has(cell_in(R"(echo chatter; "$@"; report 0; exit 0)").reason, "stray output"));
    CHECK(has(cell_in(R"("$@"; echo chatter >&2; report 0; exit 0)").reason,
              "stray output on stderr: chatter"));
    CHECK(has(cell_in("report 0; exit 0").reason, "printed nothing"));
}

TEST_CASE("a hanging engine is ended from outside") {
    CHECK(has(cell_in("sleep 1000", 200'000'000).reason, "timed out"));
}

TEST_CASE("an engine that ignores the polite signal is ended all the same") {
    CHECK(has(cell_in("trap '' TERM; while :; do sleep 1000; done", 100'000'000).reason,
              "timed out"));
}

TEST_CASE("a flood is stopped") {
    CHECK(has(cell_in("cat /dev/zero").reason, "wrote more than"));
}

TEST_CASE("a process that is left behind is found, ended and told") {
    Cell const cell = cell_in(R"("$@"; (sleep 1000 &); report 0; exit 0)");
    CHECK(cell.status == Status::failed);
    // Its name is the shell's until it has become sleep.
    has(cell.reason, "left a process behind: ");
}

TEST_CASE("a program of the user's is compared by its output and exit status") {
    FakeEngine const honest(k_honest);
    CompareOptions options = options_for(honest, {});
    options.program = {workload_directory() + "/hello", "identity=1"};
    Results const results = results_of(options);
    CHECK(results.complete());
    Cell const* const cell = results.find("hello", "start-to-exit", "isolate");
    REQUIRE(cell != nullptr);
    CHECK(cell->checksum.size() == 64);

    FakeEngine const liar("echo other; report 0; exit 0");
    options.engine_directory = liar.directory();
    CHECK(results_of(options).find("hello", "start-to-exit", "isolate")->status == Status::void_);

    options.engine_directory = honest.directory();
    options.program = {workload_directory() + "/hello",
                       "no-such-argument"}; // ends with 2 everywhere
    CHECK(results_of(options).complete());
}

TEST_CASE("bad input is refused before anything runs") {
    FakeEngine const engine(k_honest);
    Interrupts interrupts = Interrupts::create().value();
    CHECK(Lineup::probe(engine.directory(), {"isolat"}, interrupts)
              .error()
              .cause.find("did you mean 'isolate'?") != std::string::npos);
    CHECK(
        Lineup::probe(engine.directory(), {"qqq"}, interrupts).error().cause.find("did you mean") ==
        std::string::npos);

    Lineup const lineup = Lineup::probe(engine.directory(), {"isolate"}, interrupts).value();
    CompareOptions options = options_for(engine, {"cpuint"});
    CHECK(plan_rows(options, lineup).error().cause.find("did you mean 'cpu-int'?") !=
          std::string::npos);
    options.program = {"/no/such/program"};
    options.workloads.clear();
    CHECK(plan_rows(options, lineup).error().exit_status == exit_code::not_found);
    options.program = {"/bin/sh"}; // dynamically linked
    CHECK(plan_rows(options, lineup).error().exit_status == exit_code::cannot_execute);
    options.program = {engine.directory() + "/isolate"}; // a script
    CHECK(plan_rows(options, lineup).error().exit_status == exit_code::cannot_execute);
}

TEST_CASE("a required engine that cannot run ends the comparison at once") {
    FakeEngine const engine(k_honest);
    CompareOptions options = options_for(engine, {"hello"});
    options.required = {"vmm-mini"};
    options.engines = {"isolate", "vmm-mini"};
    Interrupts interrupts = Interrupts::create().value();
    Lineup const lineup = Lineup::probe(engine.directory(), options.engines, interrupts).value();
    Progress progress(true);
    auto const compared = compare(options, lineup, interrupts, progress);
    REQUIRE_FALSE(compared);
    CHECK(compared.error().exit_status == exit_code::no);
    CHECK(compared.error().cause.find("not built") != std::string::npos);
}
