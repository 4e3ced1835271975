// Peers that are honest, that misbehave, and that are not here: a shell script in the place of the
// engine's program.
#include "benchmarks/harness/fake_engine.hpp"
#include "benchmarks/harness/rivals.hpp"
#include "benchmarks/harness/strays.hpp"
#include "common/scope_exit.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <sys/wait.h>

using namespace iso;
using namespace iso::bench;
using namespace iso::bench::test;

namespace {

/// A directory with one peer, "fake": a script that finds the root in $1 and the program's words
/// behind it. `more` are further keys of its file.
class FakePeer {
public:
    explicit FakePeer(std::string const& body, std::string const& result = "stdout",
                      std::string const& more = "")
        : directory_(TempDir::create("isobench-peer-test").value()) {
        std::string const tool = directory_.path() + "/fake-peer";
        std::ofstream(tool) << "#!/bin/sh\nroot=$1; program=$1$2; shift 2\n" << body << "\n";
        std::filesystem::permissions(tool, std::filesystem::perms::owner_all);
        std::ofstream(directory_.path() + "/fake.json")
            << R"({"schema": "isolab.peer/1", "name": "fake", "title": "A fake",
                   "technique": "OS-level virtualization", "isolates": "nothing",
                   "needs": {"programs": [")"
            << tool << R"("]}, "version": ["/bin/echo", "fake 1.2.3"], "workload": "directory",
                   "result": ")"
            << result << R"(", "run": [")" << tool << R"(", "{root}", "{program}", "{args...}"],
                   "stop": {"signal": "TERM", "settle_ms": 1000,
                            "cleanup": [["touch", ")"
            << directory_.path() << R"(/cleaned"]]},
                   "install": {"else": "it is in the test"})"
            << more << "}";
    }

    [[nodiscard]] std::string path(std::string const& name) const {
        return directory_.path() + "/" + name;
    }
    [[nodiscard]] bool cleaned() const { return std::filesystem::exists(path("cleaned")); }

    [[nodiscard]] CompareOptions options(std::string const& engines) const {
        CompareOptions options;
        options.quick = true;
        options.pin = false;
        options.blocks = 1;
        options.engines = {"native"};
        options.workloads = {"syscall-null"};
        options.peers = "fake";
        options.peer_directory = directory_.path();
        options.engine_directory = engines;
        options.workload_directory = workload_directory();
        return options;
    }

private:
    TempDir directory_;
};

Results compare_with(CompareOptions const& options) {
    Interrupts interrupts = Interrupts::create().value();
    auto const lineup = Lineup::probe(options.engine_directory, options.engines, interrupts,
                                      PeerChoice::of(options));
    if (!lineup) FAIL(lineup.error().message());
    Progress progress(true);
    auto compared = compare(options, *lineup, interrupts, progress);
    if (!compared) FAIL(compared.error().message());
    return std::move(compared->results);
}

Cell cell_of(FakePeer const& peer, std::uint64_t timeout_ns = 30'000'000'000) {
    CompareOptions options = peer.options("/nowhere");
    options.timeout_ns = timeout_ns;
    Results const results = compare_with(options);
    Cell const* const native = results.find("syscall-null", "own-time", "native");
    REQUIRE(native != nullptr);
    CHECK(native->status == Status::ok);
    Cell const* const cell = results.find("syscall-null", "own-time", "fake");
    REQUIRE(cell != nullptr);
    CHECK(results.complete() ==
          (cell->status == Status::ok || cell->status == Status::unavailable));
    if (cell->status != Status::ok) CHECK_FALSE(cell->median.has_value());
    return *cell;
}

/// A body that behaves in the trial (the workload `hello`) and does `body` otherwise.
std::string after_trial(std::string const& body) {
    return "case $program in */hello) \"$program\" \"$@\"; exit;; esac\n" + body;
}

constexpr char const* k_runs = "exec \"$program\" \"$@\"";

std::size_t scratch_directories() {
    std::size_t found = 0;
    for (auto const& entry :
         std::filesystem::directory_iterator(std::filesystem::temp_directory_path()))
        found += entry.path().filename().string().starts_with("isobench-scratch-fake.") ? 1 : 0;
    return found;
}

} // namespace

TEST_CASE("an honest peer gives cells that are proved, and a place beside ours") {
    FakePeer const peer(k_runs);
    FakeEngine const engine(k_honest);
    CompareOptions options = peer.options(engine.directory());
    options.engines = {"isolate"};
    options.blocks = 6;
    std::size_t const before = scratch_directories();
    Results const results = compare_with(options);
    CHECK(results.complete());
    Cell const* const cell = results.find("syscall-null", "own-time", "fake");
    REQUIRE(cell != nullptr);
    CHECK(cell->status == Status::ok);
    CHECK(cell->identity_proved);
    CHECK(cell->n == 6);
    CHECK(cell->backend == "1.2.3");
    CHECK(results.find("hello", "start-to-exit", "fake")->status == Status::ok);
    CHECK_FALSE(peer.cleaned());
    CHECK(scratch_directories() == before);

    auto const rivals = rivals_of(results);
    REQUIRE(rivals.size() == 3); // own time, and the two of start-up
    for (Rival const& rival : rivals) {
        CHECK(rival.ours == "isolate");
        CHECK(rival.peer == "fake");
        CHECK(rival.n == 6);
        CHECK(rival.ratio > 0);
        CHECK((rival.ci_low.value() <= rival.ratio && rival.ratio <= rival.ci_high.value()));
    }
    std::string const shown = render_rivals(results, {false, true, 100});
    CHECK_THAT(shown, Catch::Contains("isolate beside its peers in OS-level virtualization"));
    CHECK_THAT(shown, Catch::Contains("hello, start-to-exit"));
}

TEST_CASE("a peer's console is read between the marks") {
    FakePeer const peer("printf 'booting\\n\\036isolab begin\\n'; \"$program\" \"$@\"\n"
                        "printf '\\036isolab end %d\\nhalted\\n' $?",
                        "console");
    CHECK(cell_of(peer).status == Status::ok);
}

TEST_CASE("a machine that ends without a word about its program fails the cell") {
    FakePeer const peer("printf 'booting\\n\\036isolab begin\\n'; \"$program\" \"$@\"\n"
                        "case $program in */hello) printf '\\036isolab end 0\\n';; esac\n"
                        "echo 'Kernel panic: oh'",
                        "console");
    Cell const cell = cell_of(peer);
    CHECK(cell.status == Status::failed);
    CHECK_THAT(cell.reason, Catch::Contains("before it said how its program did"));
    CHECK(peer.cleaned());
}

TEST_CASE("a machine that dies after its program has ended well fails the cell all the same") {
    FakePeer const peer(
        "printf '\\036isolab begin\\n'; \"$program\" \"$@\"\n"
        "printf '\\036isolab end %d\\n' $?\n"
        "case $program in */hello) exit 0;; esac\necho 'Kernel panic: oh'\nkill -ABRT $$",
        "console");
    Cell const cell = cell_of(peer);
    CHECK(cell.status == Status::failed);
    CHECK(cell.reason == "its program ended with 0, but then the machine itself died of signal 6: "
                         "Kernel panic: oh");
}

TEST_CASE("a peer that prints garbage or another checksum fails or voids its cell") {
    CHECK(cell_of(FakePeer(after_trial("echo garbage"))).status == Status::failed);
    CHECK(cell_of(FakePeer("echo garbage")).status == Status::failed); // in the trial, too
    CHECK(cell_of(FakePeer(after_trial("\"$program\" \"$@\"; echo more"))).status ==
          Status::failed);
    Cell const lie = cell_of(FakePeer(after_trial(
        R"("$program" "$@" | sed 's/"checksum":"[0-9a-f]*"/"checksum":"0000000000000000"/')")));
    CHECK(lie.status == Status::void_);
    CHECK_THAT(lie.reason, Catch::Contains("another checksum"));
}

TEST_CASE("a peer that does not end is ended, and cleaned up behind") {
    FakePeer const peer(after_trial("sleep 1000"));
    Cell const cell = cell_of(peer, 200'000'000);
    CHECK(cell.status == Status::failed);
    CHECK_THAT(cell.reason, Catch::Contains("timed out"));
    CHECK(peer.cleaned());
}

TEST_CASE("what a peer started may end a moment later, but not stay") {
    CHECK(cell_of(FakePeer("\"$program\" \"$@\"; (sleep 0.05 &)")).status == Status::ok);
    Cell const cell = cell_of(FakePeer(after_trial("\"$program\" \"$@\"; (sleep 1000 &)")));
    CHECK(cell.status == Status::failed);
    CHECK_THAT(cell.reason, Catch::Contains("left a process behind"));
}

TEST_CASE("a peer that cannot run here is unavailable, with its own words as the reason") {
    Cell const cell = cell_of(FakePeer("echo 'no such luck' >&2; exit 9"));
    CHECK(cell.status == Status::unavailable);
    CHECK_THAT(cell.reason, Catch::Contains("a trial failed: exit status 9: no such luck"));
}

TEST_CASE("a peer that is not installed, or whose conflict is here, says so and what to do") {
    FakePeer const peer(k_runs);
    std::filesystem::remove(peer.path("fake-peer"));
    Cell const cell = cell_of(peer);
    CHECK(cell.status == Status::unavailable);
    CHECK_THAT(cell.reason, Catch::Contains("fake-peer is not installed"));
}

TEST_CASE("what a peer is known not to do is not tried") {
    FakePeer const peer(after_trial("exit 1"), "stdout",
                        R"(, "cannot": {"syscall-null": "it has no calls"})");
    Cell const cell = cell_of(peer);
    CHECK(cell.status == Status::unavailable);
    CHECK(cell.reason == "it has no calls");
}

TEST_CASE("the results file remembers which columns are peers") {
    FakePeer const peer(k_runs);
    Results const results = compare_with(peer.options("/nowhere"));
    CHECK(results.engines.back().name == "fake");
    CHECK(results.engines.back().peer);
    CHECK_FALSE(results.engines.front().peer);
}

TEST_CASE("what a killed harness left of a peer is cleaned up by the next, a living one's is not") {
    TempDir const place = TempDir::create("isobench-peer-test").value();
    char const* const set = std::getenv("TMPDIR");
    std::string const before = set == nullptr ? "" : set;
    ::setenv("TMPDIR", place.path().c_str(), 1); // where nobody else looks for the dead
    ScopeExit const back([&] {
        if (set == nullptr)
            ::unsetenv("TMPDIR");
        else
            ::setenv("TMPDIR", before.c_str(), 1);
    });
    std::string const reached = place.path() + "/reached";
    FakePeer const slow(after_trial("touch " + reached + "; exec sleep 1000"));
    pid_t const harness = ::fork();
    if (harness == 0) {
        Interrupts interrupts = Interrupts::create().value();
        CompareOptions const options = slow.options("/nowhere");
        auto const lineup = Lineup::probe(options.engine_directory, options.engines, interrupts,
                                          PeerChoice::of(options));
        Progress progress(true);
        (void)compare(options, *lineup, interrupts, progress);
        ::_exit(0);
    }
    for (int i = 0; i < 3000 && !std::filesystem::exists(reached); ++i)
        ::usleep(10'000);
    REQUIRE(std::filesystem::exists(reached));
    std::size_t const with_it = scratch_directories();
    auto make = [&] { (void)make_peers(PeerChoice::of(slow.options("/nowhere"))).value(); };
    make();
    CHECK(scratch_directories() == with_it); // it lives
    CHECK_FALSE(slow.cleaned());
    ::kill(harness, SIGKILL);
    ::waitpid(harness, nullptr, 0);
    CHECK(scratch_directories() == with_it);
    make();
    CHECK(scratch_directories() == with_it - 1);
    CHECK(slow.cleaned());
    (void)end_strays(); // what the harness had started was handed to this process
}
