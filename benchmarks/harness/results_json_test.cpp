#include "benchmarks/harness/output_file.hpp"
#include "benchmarks/harness/results_fixture.hpp"
#include "benchmarks/harness/results_json.hpp"
#include "common/fd.hpp"
#include "common/json.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <filesystem>
#include <unistd.h>

using namespace iso::bench;

TEST_CASE("results survive the way to a file and back") {
    Results const results = iso::bench::test::some_results();
    std::string const text = to_json(results);
    auto const read = parse_results(text);
    REQUIRE(read);
    CHECK(to_json(*read) == text);
    CHECK(read->cells.size() == results.cells.size());
    CHECK(read->samples.front().own->checksum == "0123456789abcdef");
    CHECK(read->samples.front().phases.enter == 1400);
    CHECK_FALSE(read->samples.front().phases.load.has_value());
    CHECK_FALSE(read->complete());
}

TEST_CASE("the schema has the keys that it promises") {
    auto const document = nlohmann::json::parse(to_json(iso::bench::test::some_results()));
    CHECK(document.at("schema") == "isolab.results/1");
    for (char const* const key :
         {"environment", "engines", "workloads", "cells", "samples", "warnings"})
        CHECK(document.contains(key));
    for (char const* const key :
         {"engine", "backend", "workload", "metric", "unit", "median", "ratio", "ci_low", "ci_high",
          "n", "status", "reason", "sha256", "checksum"})
        CHECK(document.at("cells").at(0).contains(key));
    CHECK(document.at("cells").at(3).at("status") == "void");
    CHECK(document.at("cells").at(3).at("median").is_null()); // void: there is no number to misuse
}

TEST_CASE("what is no results file is refused with the reason") {
    CHECK(parse_results("").error().cause == "not one JSON object: truncated, or not a result");
    CHECK(parse_results("[]").error().cause == "not one JSON object: truncated, or not a result");
    CHECK(parse_results(R"({"schema":"isolab.results/2"})").error().cause.find("another schema") ==
          0);
    CHECK_FALSE(parse_results(R"({"schema":"isolab.results/1"})"));
    std::string text = to_json(iso::bench::test::some_results());
    text.replace(text.find("\"void\""), 6, "\"voit\"");
    CHECK(parse_results(text).error().cause.find("unknown value 'voit'") != std::string::npos);
}

TEST_CASE("a results file is there complete or not at all") {
    auto const directory = iso::TempDir::create("isobench-test");
    REQUIRE(directory);
    auto files = [&] {
        auto const all = std::filesystem::directory_iterator(directory->path());
        return std::distance(begin(all), end(all));
    };
    std::string const path = directory->path() + "/r.json";
    auto const file = OutputFile::prepare(path);
    REQUIRE(file);
    CHECK(files() == 0); // preparing leaves nothing
    REQUIRE(file->commit("text\n"));
    CHECK(iso::read_file(path).value() == "text\n");
    CHECK(files() == 1);

    auto const missing = OutputFile::prepare(directory->path() + "/no/r.json");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().exit_status == 1);
    CHECK_FALSE(OutputFile::prepare(directory->path()));
}

TEST_CASE("a full disk is told, and leaves no file") {
    auto const full = OutputFile::prepare("/dev/full");
    REQUIRE(full);
    auto const written = full->commit("text\n");
    REQUIRE_FALSE(written);
    CHECK(written.error().cause == "No space left on device");
    CHECK(written.error().exit_status == 1);
}
