// `isobench gate` on git revisions, of a repository that stub-project makes.
#include "common/subprocess.hpp"
#include "common/temp_dir.hpp"
#include "tests/cli/cli.hpp"
#include "tests/support/json_schema.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>

namespace {

using namespace iso::test;
namespace fs = std::filesystem;

constexpr std::uint64_t k_ms = 1'000'000;

std::string output_of(std::vector<std::string> const& command) {
    auto const ran = iso::run_and_capture(command, 60'000 * k_ms);
    INFO(shown(command));
    REQUIRE(ran);
    INFO(ran->err);
    REQUIRE(ran->exit_status() == 0);
    return ran->out;
}

/// The repository, with the current directory in it, until the end of the test.
class Repository {
public:
    Repository()
        : place_(iso::TempDir::create("isolab-gate").value())
        , before_(fs::current_path())
        , log(place_.path() + "/compiled") {
        output_of({ISO_STUB_PROJECT, folder(), ISO_WORKLOAD_DIR});
        fs::current_path(folder());
        ::setenv("ISO_STUB_LOG", log.c_str(), 1);
        for (char const* const name : {"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"})
            ::setenv(name, "/dev/null", 1);
        std::ofstream{log}; // call() reports every file that is new
    }
    ~Repository() {
        std::error_code ignored;
        fs::current_path(before_, ignored);
    }
    Repository(Repository const&) = delete;
    Repository& operator=(Repository const&) = delete;

    [[nodiscard]] std::string folder() const { return place_.path() + "/stub"; }
    [[nodiscard]] std::string place() const { return place_.path(); }
    /// As a person would find it: nothing changed, no further working tree.
    [[nodiscard]] std::string state() const {
        return output_of({"git", "status", "--porcelain", "--ignored"}) +
               output_of({"git", "worktree", "list"}) + output_of({"git", "branch", "-a"});
    }
    [[nodiscard]] std::size_t compiled() const {
        std::string const text = iso::read_file(log).value();
        return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    }

private:
    iso::TempDir place_;
    fs::path before_;

public:
    std::string const log;
};

Ran gate(std::string const& base, std::string const& head, Words const& more = {},
         Launch how = {}) {
    Words words{"gate",
                "--counts",
                "--base",
                base,
                "--head",
                head,
                "--engines=isolate",
                "--workloads=hello",
                "--no-pin"};
    words.insert(words.end(), more.begin(), more.end());
    return call("isobench", words, how);
}

} // namespace

TEST_CASE("isobench gate: two revisions are built, counted and judged", "[isobench]") {
    Repository const repository;
    std::string const before = repository.state();
    Ran const same = gate("base", "same");
    INFO(same.err << same.out);
    CHECK(same.status == 0);
    CHECK_THAT(same.err, Catch::Contains("building base (") && Catch::Contains("building same ("));
    CHECK(repository.compiled() == 2);
    std::string const verdict = repository.place() + "/verdict";
    for (char const* const ending : {".md", ".xml", ".json"})
        std::ofstream{verdict + ending}; // call() reports every file that is new
    Ran const more = gate(
        "base", "more",
        {"--report", verdict + ".md", "--report", verdict + ".xml", "--report", verdict + ".json"});
    INFO(more.err << more.out);
    CHECK(more.status == 1);
    CHECK_THAT(more.out, Catch::Contains("exit.io 2 -> 3"));
    CHECK_THAT(iso::read_file(verdict + ".md").value(), Catch::StartsWith("### isobench gate: 1"));
    CHECK_THAT(iso::read_file(verdict + ".xml").value(), Catch::Contains("<failure type"));
    auto const written = nlohmann::json::parse(iso::read_file(verdict + ".json").value());
    std::ifstream schema(ISO_GATE_SCHEMA_FILE);
    CHECK(fault(nlohmann::json::parse(schema), written, "") == "");
    CHECK(written.at("cells").front().at("outcome") == "regression");
    CHECK(repository.state() == before);
}

TEST_CASE("isobench gate: builds that are kept are used again", "[isobench]") {
    Repository const repository;
    std::string const kept = repository.place() + "/builds";
    fs::create_directory(kept);
    for (std::string const& place : {std::string("../builds"), kept}) {
        Launch how; // not by call(): files that stay are what this is about
        how.command = {program_path("isobench"),
                       "gate",
                       "--counts",
                       "--base=base",
                       "--head=same",
                       "--engines=isolate",
                       "--workloads=hello",
                       "--build-dir",
                       place};
        Ran const ran = launch(how);
        INFO(ran.err << ran.out);
        CHECK(ran.status == 0);
    }
    CHECK(repository.compiled() == 2);
}

TEST_CASE("isobench gate: a revision that does not build ends with 2 and its first error",
          "[isobench]") {
    Repository const repository;
    Ran const broken = gate("base", "broken");
    CHECK(broken.status == 2);
    CHECK(broken.out.empty());
    CHECK_THAT(broken.err, Catch::Contains("building broken (") &&
                               Catch::Contains("isolate.cpp:7:3: error: expected a semicolon"));
    // An engine that is not there yet did not run: told, and never fine.
    Ran const early = gate("early", "base");
    INFO(early.out << early.err);
    CHECK(early.status == 2);
    CHECK_THAT(early.out, Catch::Contains("NOT RUN"));
}

TEST_CASE("isobench gate: a revision that cannot be had ends with 2, before anything is built",
          "[isobench]") {
    Repository const repository;
    Ran const unknown = gate("base", "no-such-revision");
    check_told("isobench", unknown, 2);
    CHECK_THAT(unknown.err, Catch::Contains("no file, no folder and no git revision"));
    check_told("isobench", gate("base", "same", {"--workloads=hallo"}), 2);
    check_told("isobench", gate("base", "same", {"--report=verdict.pdf"}), 2);

    std::ofstream("README.md") << "another text";
    Ran const dirty = gate("base", "HEAD");
    check_told("isobench", dirty, 2);
    CHECK_THAT(dirty.err, Catch::Contains("not committed") && Catch::Contains("README.md"));

    std::string const shallow = repository.place() + "/shallow";
    output_of({"git", "clone", "-q", "--depth=1", "file://" + repository.folder(), shallow});
    fs::current_path(shallow);
    Ran const cut = gate("HEAD~1", "HEAD");
    check_told("isobench", cut, 2);
    CHECK_THAT(cut.err, Catch::Contains("shallow") && Catch::Contains("git fetch --unshallow"));

    fs::current_path(repository.place());
    Ran const outside = gate("HEAD~1", "HEAD");
    check_told("isobench", outside, 2);
    CHECK_THAT(outside.err, Catch::Contains("not a git repository"));
    CHECK(repository.compiled() == 0);
}

TEST_CASE("isobench gate: Ctrl-C while it builds ends it with 130 and leaves nothing",
          "[isobench]") {
    Repository const repository;
    std::string const before = repository.state();
    for (std::uint64_t const after : {100, 500, 2000}) {
        Launch how;
        how.signal = SIGINT;
        how.signal_after_ns = after * k_ms; // `slow` takes a minute: it never is done
        INFO("after " << after << " ms");
        CHECK(gate("slow", "base", {}, how).status == 130);
    }
    CHECK(repository.state() == before);
}
