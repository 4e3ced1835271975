#include "benchmarks/harness/fake_engine.hpp"
#include "benchmarks/harness/manifest.hpp"
#include "benchmarks/harness/row.hpp"
#include "benchmarks/harness/table.hpp"
#include "common/subprocess.hpp"

#include <algorithm>
#include <set>

using namespace iso;
using namespace iso::bench;
using namespace iso::bench::test;

namespace {

constexpr std::uint64_t k_patience_ns = 30'000'000'000;

std::vector<std::string> names(std::vector<Row> const& rows) {
    std::vector<std::string> found;
    for (Row const& row : rows)
        found.push_back(row.record.name);
    return found;
}

} // namespace

TEST_CASE("the manifest: names are unique, groups are together and known") {
    std::set<std::string_view> seen{"all"};
    for (Group const& group : groups())
        CHECK(seen.insert(group.name).second);
    std::vector<std::string_view> order;
    for (Workload const& workload : workloads()) {
        INFO(workload.name);
        CHECK(seen.insert(workload.name).second);
        CHECK(find_group(workload.group) != nullptr);
        CHECK(find_workload(workload.name) == &workload);
        CHECK_FALSE(workload.title.empty());
        CHECK_FALSE(workload.measures.empty());
        CHECK((workload.ops == 0) ==
              (workload.kind == Kind::start_up || workload.kind == Kind::density));
        CHECK((workload.quick_ops == 0) == (workload.ops == 0));
        if (order.empty() || order.back() != workload.group) order.push_back(workload.group);
    }
    REQUIRE(order.size() == groups().size());
    for (std::size_t i = 0; i < order.size(); ++i)
        CHECK(order[i] == groups()[i].name);
}

TEST_CASE("the manifest names the arguments and defaults that the programs have") {
    for (Program const& program : programs()) {
        std::string const path = workload_directory() + "/" + std::string(program.name);
        auto const ran = run_and_capture({path, "no-such-argument"}, k_patience_ns);
        REQUIRE(ran.has_value());
        CHECK(ran->exit_status() == 2);
        std::string expected = "; it takes " + std::string(program.arguments);
        if (!program.arguments.empty()) expected += " ";
        CHECK(ran->err == std::string(program.name) + ": unknown argument: 'no-such-argument'" +
                              expected + "identity=1\n");
        CHECK(std::any_of(workloads().begin(), workloads().end(), [&](Workload const& row) {
            return row.file() == program.name ||
                   (!row.neighbour.empty() && program.name == "neighbour");
        }));
    }
    for (Workload const& workload : workloads()) {
        INFO(workload.name);
        REQUIRE(program_of(workload).name == workload.file());
        std::vector<std::string> const known = split_words(program_of(workload).arguments);
        auto own = split_words(workload.arguments);
        auto const quick = split_words(workload.quick_arguments);
        CHECK(workload.neighbour.empty() == (workload.kind != Kind::neighbour));
        own.insert(own.end(), quick.begin(), quick.end());
        for (std::string const& word : own) {
            std::string const name = word.substr(0, word.find('=') + 1);
            INFO(word);
            CHECK(std::any_of(known.begin(), known.end(),
                              [&](std::string const& one) { return one.starts_with(name); }));
        }
    }
}

TEST_CASE("rows are chosen by name, by group, all, or by default") {
    FakeEngine const engine(k_honest);
    Interrupts interrupts = Interrupts::create().value();
    Lineup const lineup = Lineup::probe(engine.directory(), {"isolate"}, interrupts).value();
    auto rows_of = [&](std::vector<std::string> chosen) {
        return names(plan_rows(options_for(engine, std::move(chosen)), lineup).value());
    };
    CHECK(rows_of({"hello", "communication"}) ==
          std::vector<std::string>{"pipe-pingpong", "futex-pingpong", "hello"});
    CHECK(rows_of({"all"}).size() == workloads().size());
    CHECK(rows_of({}).size() < workloads().size() / 2);
    auto const problem = plan_rows(options_for(engine, {"file"}), lineup).error();
    CHECK(problem.exit_status == exit_code::usage);
    CHECK(problem.hint.find("files") != std::string::npos);
}

TEST_CASE("what an engine's kernel does not offer is an answer and not a failure") {
    FakeEngine const engine(
        R"sh(case "$*" in *identity=1*) "$@"; report 0; exit 0;; esac
echo '{"workload":"net-loopback","not_available":"socket(AF_INET)","errno":38}'; report 4; exit 4)sh");
    Results const results = results_of(options_for(engine, {"net-unix"}));
    CHECK(results.complete());
    Cell const* const cell = results.find("net-unix", "own-time", "isolate");
    REQUIRE(cell != nullptr);
    CHECK(cell->status == Status::unavailable);
    CHECK(cell->reason == "socket(AF_INET): Function not implemented");
    CHECK_FALSE(cell->median.has_value());
    CHECK(results.find("net-unix", "own-time", "native")->status == Status::ok);
    TableStyle style;
    style.unicode = false;
    std::string const text = render(results, style);
    CHECK(text.find(" n/a") != std::string::npos);
    CHECK(text.find("n/a: net-unix in isolate: socket(AF_INET): Function not implemented") !=
          std::string::npos);
}

TEST_CASE("a rate is shown where moving bytes is the point") {
    CHECK(format_rate(11.5e9, 1e9) == "11.5 GB/s");
    CHECK(format_rate(1, 2) == "500 MB/s");
    FakeEngine const engine(k_honest);
    Results const results = results_of(options_for(engine, {"file-read"}));
    CHECK(results.find("file-read", "own-time", "native")->bytes_per_op == 65536);
}
