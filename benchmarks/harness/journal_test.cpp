#include "benchmarks/harness/fake_engine.hpp"
#include "benchmarks/harness/journal.hpp"
#include "benchmarks/harness/json_fields.hpp"
#include "benchmarks/harness/results_file.hpp"
#include "benchmarks/harness/results_fixture.hpp"
#include "benchmarks/harness/run_plan.hpp"

#include <algorithm>
#include <fstream>
#include <set>

using namespace iso;
using namespace iso::bench;
using namespace iso::bench::test;
using nlohmann::json;

namespace {

RunPlan some_plan() {
    Results const results = some_results();
    RunPlan plan;
    plan.options.seed = 7;
    plan.options.workloads = {"cpu-int"};
    plan.options.program = {"/bin/prog", "a b"};
    plan.environment = results.environment;
    plan.machine = "0123456789abcdef";
    plan.cpu = 1;
    plan.engines = results.engines;
    plan.workloads = results.workloads;
    return plan;
}

Sample sample_of(std::string const& arm, std::uint64_t block) {
    Sample sample = some_results().samples.front();
    sample.arm = arm;
    sample.block = block;
    return sample;
}

json block_line(std::uint64_t number) {
    return {{"block", {{"workload", "cpu-int"}, {"number", number}, {"elapsed_ns", 100 * number}}}};
}

json first_line() {
    return {{"journal", Journal::schema}, {"plan", plan_to_json(some_plan())}};
}

/// A journal as text, by line.
std::vector<std::string> some_lines() {
    std::vector<std::string> lines;
    auto add = [&](json const& line) { lines.push_back(journal_line(line)); };
    add(first_line());
    add({{"part", PartRecord{"2026-01-01T00:00:00Z", "boot", "0.1", 0, 0}}});
    add({{"sample", sample_of("native", 1)}});
    add({{"sample", sample_of("isolate", 1)}});
    add(block_line(1));
    add({{"sample", sample_of("native", 2)}});
    add({{"part", PartRecord{"2026-01-02T00:00:00Z", "boot", "0.1", 0, 0}}});
    add({{"sample", sample_of("isolate", 2)}});
    add({{"sample", sample_of("native", 2)}});
    add(block_line(2));
    add({{"sample", sample_of("native", 3)}});
    return lines;
}

std::string joined(std::vector<std::string> const& lines) {
    std::string text;
    for (std::string const& line : lines)
        text += line;
    return text;
}

std::string in(TempDir const& directory, char const* name = "/out.json") {
    return directory.path() + name;
}

} // namespace

TEST_CASE("a journal says which samples count: those of complete blocks") {
    auto const read = read_journal(joined(some_lines()));
    REQUIRE(read);
    CHECK(read->begun);
    Recorded const& recorded = read->recorded;
    CHECK(recorded.parts.size() == 2);
    CHECK(recorded.blocks.at("cpu-int") == 2);
    CHECK(recorded.elapsed_ns == 200);
    std::vector<bool> counts;
    for (Sample const& sample : recorded.samples)
        counts.push_back(sample.good());
    // The first run of block 2 was cut off by the end of its part, block 3 by the end of the file.
    CHECK(counts == std::vector<bool>{true, true, false, true, true, false});
    CHECK(read->plan.options.seed == 7);
    CHECK(read->plan.options.program == std::vector<std::string>{"/bin/prog", "a b"});
    CHECK(read->plan.engines.size() == some_plan().engines.size());
}

TEST_CASE("a journal that was torn anywhere has every line that was whole") {
    std::vector<std::string> const lines = some_lines();
    std::string const text = joined(lines);
    std::size_t whole = 0; // bytes of whole lines
    std::size_t line = 0;
    std::size_t samples = 0;
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        if (line < lines.size() && cut == whole + lines[line].size()) {
            whole = cut;
            samples += lines[line].find("\"sample\":{") != std::string::npos ? 1 : 0;
            ++line;
        }
        auto const read = read_journal(text.substr(0, cut));
        if (!read) FAIL(cut << ": " << read.error().message());
        if (read->good_bytes != whole || read->recorded.samples.size() != samples)
            FAIL("cut at " << cut << ": " << read->good_bytes << " bytes, "
                           << read->recorded.samples.size() << " samples");
    }
    CHECK(line == lines.size());
}

TEST_CASE("damage ends a journal after its last complete block, and spoils it before") {
    std::vector<std::string> lines = some_lines();
    lines[10][lines[10].size() / 2] ^= 1;
    auto const after = read_journal(joined(lines));
    REQUIRE(after);
    CHECK(after->recorded.samples.size() == 5);
    lines = some_lines();
    for (std::size_t const bad : {0, 2, 3, 7}) {
        std::vector<std::string> spoiled = lines;
        std::fill(spoiled[bad].begin(), spoiled[bad].end() - 1, '\0'); // as after a power cut
        auto const read = read_journal(joined(spoiled));
        REQUIRE_FALSE(read);
        CHECK(read.error().exit_status == exit_code::usage);
        CHECK_THAT(read.error().cause, Catch::Contains("line " + std::to_string(bad + 1)));
    }
    CHECK_FALSE(read_journal(journal_line({{"journal", "isolab.journal/9"}})));
}

TEST_CASE("a journal with samples is not written over, and neither is anything else") {
    auto const directory = TempDir::create("isobench-journal").value();
    std::string const path = Journal::path_for(in(directory));
    {
        Journal journal = Journal::create(in(directory)).value();
        CHECK_THAT(Journal::create(in(directory)).error().cause,
                   Catch::Contains("another isobench"));
        REQUIRE(journal.write(some_plan()));
    }
    CHECK_FALSE(Journal::create(in(directory)).value().has_samples()); // nothing was lost
    std::ofstream(path) << "my shopping list\n";
    CHECK_THAT(Journal::create(in(directory)).error().cause, Catch::Contains("no journal"));
    std::ofstream(path) << joined(some_lines());
    CHECK_THAT(Journal::create(in(directory)).error().cause, Catch::Contains("6 samples"));
    std::ofstream(path, std::ios::app) << "{\"check\":\"tor";
    {
        Journal const journal = Journal::reopen(in(directory)).value();
        CHECK(read_file(path).value() == joined(some_lines()));
        CHECK(journal.has_samples());
        REQUIRE(journal.remove());
    }
    CHECK(Journal::reopen(in(directory)).error().exit_status == exit_code::usage);
}

TEST_CASE("options are those of then, and one that contradicts is refused") {
    CompareOptions then;
    then.seed = 7;
    then.engine_directory = "/e";
    CompareOptions asked;
    asked.resume = "/x.json";
    asked.engine_directory = "/other"; // found, not given
    asked.given = {"--resume"};
    auto const options = resumed_options(then, asked);
    REQUIRE(options);
    CHECK(options->seed == 7);
    CHECK(options->engine_directory == "/e");
    CHECK(options->json == "/x.json");
    asked.given = {"--seed"};
    asked.seed = 8;
    CHECK(resumed_options(then, asked).error().exit_status == exit_code::usage);
    asked.seed = 7;
    CHECK(resumed_options(then, asked));
}

TEST_CASE("another machine, engine or program is refused, and all that differs is named") {
    RunPlan const then = some_plan();
    REQUIRE(check_same_run(then, then, "/x.json"));
    auto differs = [&](auto change) {
        RunPlan now = some_plan();
        change(now);
        auto const same = check_same_run(then, now, "/x.json");
        return same ? std::string() : same.error().cause;
    };
    CHECK(differs([](RunPlan& now) {
              now.environment.facts.push_back({"date", "", "later", {}});
          }).empty());
    CHECK_THAT(differs([](RunPlan& now) { now.environment.facts[2].text = "Linux 6.2"; }),
               Catch::Contains("kernel: 'Linux 6.1' then, 'Linux 6.2' now"));
    CHECK_THAT(differs([](RunPlan& now) { now.machine = "fedcba9876543210"; }),
               Catch::Contains("machine: "));
    CHECK_THAT(differs([](RunPlan& now) {
                   now.environment.facts.push_back({"isolab.sha256", "", "bb", {}});
               }),
               Catch::Contains("isolab.sha256: 'not known' then, 'bb' now"));
    CHECK_THAT(differs([](RunPlan& now) { now.cpu = std::nullopt; }), Catch::Contains("CPU"));
    CHECK_THAT(differs([](RunPlan& now) { now.engines[3].backend = "kvm_amd"; }),
               Catch::Contains("vmm-mini: 'usable, kvm_pvm' then, 'usable, kvm_amd' now"));
    CHECK_THAT(differs([](RunPlan& now) { now.engines[2].sha256 = "new"; }),
               Catch::Contains("isolate's program"));
    CHECK_THAT(differs([](RunPlan& now) { now.engines.pop_back(); }),
               Catch::Contains("paravirt-demo"));
    CHECK_THAT(differs([](RunPlan& now) { now.workloads[0].sha256 = "00"; }),
               Catch::Contains("the bytes of cpu-int"));
    CHECK_THAT(differs([](RunPlan& now) { now.workloads[0].ops = 7; }),
               Catch::Contains("the arguments of cpu-int"));
}

namespace {

/// Runs with a journal, in which an engine interrupts the harness at its `stop_at`th run.
struct Interrupted {
    TempDir directory = TempDir::create("isobench-resume").value();
    std::string results = in(directory);

    explicit Interrupted(unsigned stop_at)
        : engine_("echo run >>" + in(directory, "/runs") + "; [ $(wc -l <" +
                  in(directory, "/runs") + ") = " + std::to_string(stop_at) +
                  " ] && kill -TERM $PPID\n" + k_honest) {}

    Compared run(Journal& journal) const {
        CompareOptions options = options_for(engine_, {"syscall-null", "hello"});
        options.blocks = 4;
        options.explain = false;
        options.resume = results;
        Interrupts interrupts = Interrupts::create().value();
        Lineup const lineup =
            Lineup::probe(options.engine_directory, options.engines, interrupts).value();
        Progress progress(true);
        auto compared = compare(options, lineup, interrupts, progress, {}, &journal);
        if (!compared) FAIL(compared.error().message());
        return std::move(*compared);
    }

private:
    FakeEngine engine_;
};

std::set<std::string> without_marks(std::vector<Sample> const& samples) {
    std::set<std::string> texts;
    for (Sample sample : samples) {
        sample.unused.clear();
        texts.insert(json(sample).dump());
    }
    return texts;
}

} // namespace

TEST_CASE("a comparison that is interrupted at any sample goes on, and loses none") {
    // identity, warm-ups with and without loop, then the blocks: some run is hit in each phase.
    for (unsigned const stop_at : {1U, 2U, 3U, 5U, 6U, 8U, 11U}) {
        INFO("interrupted at run " << stop_at);
        Interrupted const run(stop_at);
        Results partial;
        {
            Journal journal = Journal::create(run.results).value();
            Compared compared = run.run(journal);
            REQUIRE(compared.interrupted);
            partial = std::move(compared.results);
        }
        Journal journal = Journal::reopen(run.results).value();
        std::set<std::string> const before = without_marks(journal.recorded().samples);
        CHECK(before == without_marks(partial.samples));
        Compared const compared = run.run(journal);
        REQUIRE_FALSE(compared.interrupted);
        Results const& results = compared.results;
        CHECK(results.complete());
        CHECK(check_results(results));
        CHECK(results.parts.size() == 2);
        CHECK(results.parts[0].samples == before.size());
        std::set<std::string> const after = without_marks(results.samples);
        CHECK(std::includes(after.begin(), after.end(), before.begin(), before.end()));
        for (Cell const& cell : results.cells)
            CHECK((!cell.deciding || cell.n == 4));
        // Every block is from one part.
        std::map<std::pair<std::string, std::uint64_t>, std::set<std::uint64_t>> parts;
        for (Sample const& sample : results.samples)
            if (sample.block != 0 && sample.good())
                parts[{sample.workload, sample.block}].insert(sample.part);
        for (auto const& [block, of] : parts)
            CHECK(of.size() == 1);
        CHECK_THAT(results.warnings.front(), Catch::Contains("interrupted and went on"));
    }
}

TEST_CASE("what failed before the interruption stays failed") {
    auto const directory = TempDir::create("isobench-resume").value();
    // One workload fails once, in a way that would not happen again; then the other interrupts.
    FakeEngine const engine("once() { [ ! -e " + in(directory, "/") + "$1 ] && touch " +
                            in(directory, "/") +
                            "$1; }\n"
                            "case \"$1\" in */syscall-null) once failed && kill -SEGV $$;; "
                            "*/hello) once stopped && kill -TERM $PPID;; esac\n" +
                            k_honest);
    CompareOptions options = options_for(engine, {"syscall-null", "hello"});
    options.explain = false;
    for (bool const resumed : {false, true}) {
        Journal journal = resumed ? Journal::reopen(in(directory)).value()
                                  : Journal::create(in(directory)).value();
        Interrupts interrupts = Interrupts::create().value();
        Lineup const lineup =
            Lineup::probe(options.engine_directory, options.engines, interrupts).value();
        Progress progress(true);
        auto const compared = compare(options, lineup, interrupts, progress, {}, &journal);
        REQUIRE(compared);
        CHECK(compared->interrupted == !resumed);
        Cell const* const cell = compared->results.find("syscall-null", "own-time", "isolate");
        REQUIRE(cell != nullptr);
        CHECK(cell->status == Status::failed);
        CHECK_THAT(cell->reason, Catch::Contains("no report"));
        if (resumed) CHECK(compared->results.find("hello", "start-to-exit", "isolate")->n == 1);
    }
}
