// The harness from its command line.
#include "common/json.hpp"
#include "common/temp_dir.hpp"
#include "tests/cli/cli.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <unistd.h>

namespace {

using namespace iso::test;
using nlohmann::json;
using Words = std::vector<std::string>;

constexpr std::uint64_t k_ms = 1'000'000;

} // namespace

TEST_CASE("isobench: probe tells of every engine", "[isobench]") {
    Ran const ran = call("isobench", {"probe"});
    for (char const* engine : {"native", "isolate", "vmm-mini", "paravirt-demo"})
        CHECK_THAT(ran.out, Catch::Contains(engine));
    CHECK((ran.status == 0 || ran.status == 1));
}

TEST_CASE("isobench: list names every workload and engine", "[isobench]") {
    Ran const ran = call("isobench", {"list"});
    CHECK(ran.status == 0);
    for (char const* name :
         {"hello", "cpu-int", "cpu-fp", "mem-stream", "mem-chase", "syscall-null", "page-fault",
          "write-small", "native", "isolate", "vmm-mini", "paravirt-demo"})
        CHECK_THAT(ran.out, Catch::Contains(name));
}

TEST_CASE("isobench: an unknown engine or workload ends with 2 and is named", "[isobench]") {
    Ran const engine = call("isobench", {"compare", "--engines=native,no-such-engine"});
    check_told("isobench", engine, 2);
    CHECK_THAT(engine.err, Catch::Contains("no-such-engine"));
    Ran const workload = call("isobench", {"compare", "--workloads=no-such-workload"});
    check_told("isobench", workload, 2);
    CHECK_THAT(workload.err, Catch::Contains("no-such-workload"));
}

TEST_CASE("isobench: a program that cannot run is told before anything is measured", "[isobench]") {
    Ran const missing = call("isobench", {"compare", "--", "/no/such/program"});
    CHECK(missing.status != 0);
    CHECK_THAT(missing.err, Catch::Contains("/no/such/program"));
    CHECK(missing.ended_ns - missing.began_ns < 10'000 * k_ms);
    Ran const dynamic = call("isobench", {"compare", "--", "/usr/bin/env"});
    CHECK(dynamic.status != 0);
    CHECK_THAT(dynamic.err, Catch::Contains("dynamically linked"));
}

TEST_CASE("isobench: a JSON file that cannot be written is a failure", "[isobench]") {
    for (char const* target : {"/dev/full", "/no/such/directory/out.json", "/"}) {
        Ran const ran = call("isobench", {"compare", "--quick", "--engines=native",
                                          "--workloads=hello", "--json", target});
        INFO(target << ": " << ran.err);
        CHECK(ran.status != 0);
        CHECK(ran.status < 128);
        CHECK_THAT(ran.err, Catch::Contains(target));
    }
}

TEST_CASE("isobench: the JSON of a comparison has its four parts", "[isobench]") {
    auto const dir = iso::TempDir::create("isolab-cli").value();
    std::string const file = dir.path() + "/out.json";
    std::ofstream(file) << "older"; // call() reports every file that is new: this one is asked for
    Ran const ran = call("isobench", {"compare", "--quick", "--engines=native",
                                      "--workloads=cpu-int", "--json", file});
    INFO(ran.err);
    CHECK(ran.status == 0);
    json const out = json::parse(iso::read_file(file).value(), nullptr, false);
    REQUIRE(out.is_object());
    for (char const* key : {"schema", "environment", "cells", "samples"})
        CHECK(out.contains(key));
    for (json const& cell : out.at("cells"))
        for (char const* key :
             {"engine", "backend", "workload", "metric", "unit", "median", "ratio", "ci_low",
              "ci_high", "n", "status", "reason", "sha256", "checksum"}) {
            INFO(key << " in " << cell.dump());
            CHECK(cell.contains(key));
        }
}

TEST_CASE("isobench: output that nobody takes is a failure, not a crash", "[isobench]") {
    Launch how;
    how.out = Launch::Out::full;
    for (Words const& words :
         {Words{"compare", "--quick", "--engines=native", "--workloads=hello"},
          Words{"compare", "--quick", "--engines=native", "--workloads=hello", "--json=-"},
          Words{"probe"}, Words{"probe", "--json"}, Words{"list"}, Words{"list", "--json"}}) {
        Ran const ran = call("isobench", words, how);
        INFO(words.front());
        INFO(ran.err); // with --json=- the table, too
        CHECK(ran.status == 1);
        CHECK_THAT(ran.err, Catch::Contains("isobench: write(stdout): No space left on device"));
    }
}

TEST_CASE("isobench: Ctrl-C at any moment ends it with 130 and leaves nothing", "[isobench]") {
    for (bool const to_group : {true, false})
        for (std::uint64_t const after : {1, 20, 150, 400, 1000, 2500}) {
            auto const dir = iso::TempDir::create("isolab-cli").value();
            Launch how;
            how.signal = SIGINT;
            how.to_group = to_group;
            how.signal_after_ns = after * k_ms;
            INFO("after " << after << " ms");
            std::string const journal = dir.path() + "/out.json.samples";
            std::ofstream(journal).close(); // call() reports every file that is new
            Ran const ran = call("isobench", {"compare", "--json", dir.path() + "/out.json"}, how);
            CHECK(ran.status == 130);
            // The samples stay where there are some, and it says how to go on.
            bool const kept =
                iso::read_file(journal).value_or("").find("\"sample\":{") != std::string::npos;
            CHECK(kept == (ran.err.find("--resume") != std::string::npos));
        }
}

namespace {

/// The samples of a journal whose lines are whole, or of a result, without what is said of them
/// afterwards.
std::multiset<std::string> samples_in(std::string const& text, bool journal) {
    std::multiset<std::string> found;
    auto add = [&](json sample) {
        sample.erase("unused");
        found.insert(sample.dump());
    };
    if (!journal) {
        json const whole = json::parse(text);
        for (json const& sample : whole.at("samples"))
            add(sample);
        return found;
    }
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line) && !lines.eof();)
        if (json const one = json::parse(line, nullptr, false); one.contains("sample"))
            add(one.at("sample"));
    return found;
}

} // namespace

TEST_CASE("isobench: a comparison that is killed at any moment goes on without losing a sample",
          "[isobench]") {
    auto const dir = iso::TempDir::create("isolab-cli").value();
    std::string const file = dir.path() + "/out.json";
    std::string const journal = file + ".samples";
    Words const begin{"compare",
                      "--quick",
                      "--engines=native,isolate",
                      "--workloads=hello,cpu-int",
                      "--blocks",
                      "4",
                      "--json",
                      file};
    Words const resume{"compare", "--resume", file};
    std::ofstream(file) << "older"; // call() reports every file that is new
    std::ofstream(journal).close();
    std::multiset<std::string> recorded;
    bool begun = false;
    unsigned kills = 0;
    int status = 128 + SIGKILL;
    // Each try lives a little longer, so that each phase is hit, and the last one is left alone.
    for (unsigned attempt = 0; attempt < 40 && status == 128 + SIGKILL; ++attempt) {
        Launch how;
        how.signal = attempt < 30 ? SIGKILL : 0;
        how.signal_after_ns = (5 + attempt * attempt * 3) * k_ms;
        Ran const ran = call("isobench", begun ? resume : begin, how);
        INFO("attempt " << attempt << ": " << ran.err);
        status = ran.status;
        if (status != 128 + SIGKILL) break;
        ++kills;
        CHECK(iso::read_file(file).value() == "older"); // complete, or as it was
        auto const now = samples_in(iso::read_file(journal).value(), true);
        CHECK(std::includes(now.begin(), now.end(), recorded.begin(), recorded.end()));
        recorded = now;
        begun = begun || !recorded.empty();
    }
    CHECK((status == 0 || status == 1)); // an engine may not be here
    CHECK(kills != 0);
    CHECK(::access(journal.c_str(), F_OK) != 0);
    json const out = json::parse(iso::read_file(file).value());
    auto const samples = samples_in(out.dump(), false);
    CHECK(std::includes(samples.begin(), samples.end(), recorded.begin(), recorded.end()));
    CHECK(out.at("parts").size() > (begun ? 1U : 0U));
    // Each block is there once, whole. How many of them a cell counts depends on the machine: the
    // wall time of a block that was disturbed does not.
    std::map<std::string, std::multiset<unsigned>> blocks;
    for (json const& sample : out.at("samples"))
        if (sample.at("role") == "measure" && sample.value("unused", "").empty())
            blocks[sample.at("workload").get<std::string>() + " in " +
                   sample.at("engine").get<std::string>()]
                .insert(sample.at("block").get<unsigned>());
    CHECK(blocks.count("cpu-int in native") == 1);
    for (auto const& [series, found] : blocks) {
        INFO(series);
        CHECK(found == std::multiset<unsigned>{1, 2, 3, 4});
    }
}

TEST_CASE("isobench: a comparison goes on only as what it was", "[isobench]") {
    auto const dir = iso::TempDir::create("isolab-cli").value();
    std::string const file = dir.path() + "/out.json";
    check_told("isobench", call("isobench", {"compare", "--resume", file}), 2);
    std::ofstream(file + ".samples").close();
    Launch how;
    how.signal = SIGINT;
    how.signal_after_ns = 300 * k_ms;
    Ran first;
    do { // until it has a sample when it ends
        how.signal_after_ns *= 2;
        std::ofstream(file + ".samples").close(); // call() reports every file that is new
        first = call("isobench",
                     {"compare", "--engines=native", "--workloads=cpu-int,mem-stream,page-fault",
                      "--seed=5", "--json", file},
                     how);
        INFO(first.err);
        REQUIRE(first.status == 130);
    } while (first.err.find("--resume") == std::string::npos);
    std::string const kept = iso::read_file(file + ".samples").value();
    Ran const anew = call("isobench", {"compare", "--engines=native", "--json", file});
    check_told("isobench", anew, 2);
    CHECK_THAT(anew.err, Catch::Contains("interrupted") && Catch::Contains("--resume"));
    Ran const other = call("isobench", {"compare", "--resume", file, "--seed=6"});
    CHECK(other.status == 2);
    CHECK_THAT(other.err, Catch::Contains("--seed: 6 now, 5 in"));
    CHECK(call("isobench", {"compare", "--resume", file, "--json", file}).status == 2);
    CHECK(iso::read_file(file + ".samples").value() == kept);
    std::string changed = kept;
    changed[40] ^= 1; // in its first line
    std::ofstream(file + ".samples") << changed;
    CHECK(call("isobench", {"compare", "--resume", file}).status == 2);
}

TEST_CASE("isobench: files on a disk are measured in every engine that can run", "[isobench]") {
    auto const place = iso::TempDir::create("isolab-cli").value();
    std::string const file = place.path() + "/out.json";
    std::ofstream(file) << "older"; // see above
    Ran const ran = call("isobench", {"compare", "--quick", "--workloads=disk-create,disk-fsync",
                                      "--blocks=1", "--json", file});
    INFO(ran.err);
    json const out = json::parse(iso::read_file(file).value(), nullptr, false);
    REQUIRE(out.is_object());
    std::map<std::string, bool> usable;
    for (json const& engine : out.at("engines"))
        usable[engine.at("name")] = engine.at("usable");
    unsigned measured = 0;
    for (json const& cell : out.at("cells")) {
        INFO(cell.dump());
        bool const ok = cell.at("status") == "ok";
        CHECK((ok || !usable.at(cell.at("engine"))));
        measured += ok ? 1 : 0;
    }
    CHECK(measured >= 2); // native can
}

TEST_CASE("isobench: killed beside neighbours it leaves none of them", "[isobench]") {
    for (std::uint64_t const after : {300, 600, 900, 1200, 1500, 1800, 2100}) {
        Launch how;
        how.signal = SIGKILL;
        how.signal_after_ns = after * k_ms;
        INFO("after " << after << " ms");
        Ran const ran = call("isobench",
                             {"compare", "--quick", "--engines=native,isolate",
                              "--workloads=beside-cpu,beside-cpu-here", "--blocks=100"},
                             how);
        CHECK(ran.status == 128 + SIGKILL);
    }
}

TEST_CASE("isobench: Ctrl-C while engines are asked leaves none of them", "[isobench]") {
    for (std::uint64_t after = 2; after <= 40; after += 2) {
        Launch how;
        how.signal = SIGINT;
        how.signal_after_ns = after * k_ms;
        INFO("after " << after << " ms");
        int const status = call("isobench", {"probe"}, how).status;
        CHECK((status == 130 || status == 0)); // or it was done already
    }
}

TEST_CASE("isobench: peers tells of each that it is described", "[isobench]") {
    Ran const ran = call("isobench", {"peers"});
    CHECK(ran.status == 0);
    CHECK_THAT(ran.out, Catch::Contains("uml") && Catch::Contains("User-Mode Linux"));
    Ran const as_json = call("isobench", {"peers", "--json"});
    json const out = json::parse(as_json.out, nullptr, false);
    REQUIRE(out.is_object());
    CHECK(out.at("schema") == "isolab.peers/1");
    for (json const& peer : out.at("peers")) {
        INFO(peer.dump());
        for (char const* key : {"name", "title", "technique", "isolates", "usable", "install"})
            CHECK(peer.contains(key));
        if (!peer.at("usable")) {
            CHECK_FALSE(peer.at("reason").get<std::string>().empty());
            CHECK_FALSE(peer.at("next_step").get<std::string>().empty());
        }
    }
}

TEST_CASE("isobench: a peer that nobody described, or described wrongly, ends with 2",
          "[isobench]") {
    Ran const unknown = call("isobench", {"compare", "--peers=umm"});
    check_told("isobench", unknown, 2);
    CHECK_THAT(unknown.err, Catch::Contains("did you mean 'uml'?"));
    auto const dir = iso::TempDir::create("isolab-cli").value();
    std::ofstream(dir.path() + "/odd.json")
        << "{\n \"schema\": \"isolab.peer/1\",\n \"naem\": 1\n}";
    for (Words const& words : {Words{"peers", "--peer-dir", dir.path()},
                               Words{"peers", "--packages", "--peer-dir", dir.path()},
                               Words{"compare", "--peers", "--peer-dir", dir.path()}}) {
        Ran const ran = call("isobench", words);
        check_told("isobench", ran, 2);
        CHECK_THAT(ran.err, Catch::Contains("odd.json:1: name: missing"));
    }
    Ran const nowhere = call("isobench", {"peers", "--peer-dir", "/no/such/directory"});
    check_told("isobench", nowhere, 2);
}

TEST_CASE("isobench: Ctrl-C beside a peer leaves neither it nor its files", "[isobench]") {
    for (std::uint64_t const after : {50, 700, 2500}) {
        Launch how;
        how.signal = SIGINT;
        how.signal_after_ns = after * k_ms;
        INFO("after " << after << " ms");
        CHECK(call("isobench",
                   {"compare", "--engines=native", "--peers", "--workloads=syscall-null"}, how)
                  .status == 130);
    }
}

TEST_CASE("isobench: a gate that cannot be judged ends with 2, and says why", "[isobench]") {
    auto const dir = iso::TempDir::create("isolab-cli").value();
    std::string const cut = dir.path() + "/cut.json";
    std::ofstream(cut) << R"({"schema":"isolab.results/1","environment":{)";
    for (Words const& sides :
         {Words{"--base", cut, "--head", cut}, Words{"--base", cut, "--head", "/"},
          Words{"--base", "/no/such", "--head", cut}}) {
        Words words{"gate"};
        words.insert(words.end(), sides.begin(), sides.end());
        check_told("isobench", call("isobench", words), 2);
    }
    CHECK_THAT(call("isobench", {"gate", "--base", cut, "--head", cut}).err, Catch::Contains(cut));
    CHECK(call("isobench", {"gate", "--base", cut}).status == 2);
    for (char const* share : {"0", "-1%", "x", "1.5 %%"})
        CHECK(call("isobench", {"gate", "--base", cut, "--head", cut, "--min-effect", share})
                  .status == 2);
}

TEST_CASE("isobench: a gate on two counted files passes, and finds what was added", "[isobench]") {
    auto const dir = iso::TempDir::create("isolab-cli").value();
    std::string const base = dir.path() + "/base.json";
    std::string const head = dir.path() + "/head.json";
    std::ofstream(base) << "older"; // call() reports every file that is new
    std::ofstream(head) << "older";
    REQUIRE(call("isobench", {"compare", "--counts", "--quick", "--engines=isolate",
                              "--workloads=hello", "--json", base})
                .status == 0);
    std::string text = iso::read_file(base).value();
    json const first = json::parse(text);
    if (!first.at("engines")[2].at("usable").get<bool>())
        ISO_SKIP("userns", "isolate cannot run here");
    std::ofstream(head) << text;
    CHECK(call("isobench", {"gate", "--counts", "--base", base, "--head", head}).status == 0);
    json more = first;
    for (json& sample : more.at("samples"))
        if (sample.at("engine") == "isolate" && sample.at("counters").contains("jail.steps"))
            sample["counters"]["jail.steps"] = sample["counters"]["jail.steps"].get<int>() + 1;
    std::ofstream(head) << more.dump();
    Ran const ran = call("isobench", {"gate", "--counts", "--base", base, "--head", head});
    CHECK(ran.status == 1);
    CHECK_THAT(ran.out, Catch::Contains("jail.steps"));
    // Counts are no times.
    CHECK(call("isobench", {"gate", "--base", base, "--head", head}).status == 2);
}

TEST_CASE("isobench: Ctrl-C ends a gate with 130 and leaves nothing", "[isobench]") {
    for (std::uint64_t const after : {1, 150, 1000}) {
        Launch how;
        how.signal = SIGINT;
        how.signal_after_ns = after * k_ms;
        std::string const tree = std::string(ISO_BIN_DIR);
        INFO("after " << after << " ms");
        CHECK(call("isobench", {"gate", "--base", tree, "--head", tree}, how).status == 130);
    }
}

TEST_CASE("isobench: convert writes every format and refuses what is no result", "[isobench]") {
    auto const dir = iso::TempDir::create("isolab-cli").value();
    std::string const file = dir.path() + "/out.json";
    std::string const other = dir.path() + "/other";
    std::ofstream(file) << "older"; // call() reports every file that is new
    std::ofstream(other) << "older";
    REQUIRE(call("isobench", {"compare", "--quick", "--blocks=6", "--engines=native",
                              "--workloads=hello", "--json", file})
                .status == 0);
    for (char const* format :
         {"table", "csv", "json", "gbench", "customsmaller", "junit", "markdown"}) {
        Ran const ran = call("isobench", {"convert", file, "--format", format});
        INFO(format);
        CHECK(ran.status == 0);
        CHECK_THAT(ran.out, Catch::Contains("native"));
        CHECK(call("isobench", {"convert", file, "--format", format, "-o", other}).status == 0);
        CHECK(iso::read_file(other).value() == ran.out);
    }
    CHECK(call("isobench", {"convert", file, "--format", "xml"}).status == 2);
    check_told("isobench", call("isobench", {"convert", "/no/such/file"}), 2);
    std::string const whole = iso::read_file(file).value();
    std::ofstream(file) << whole.substr(0, whole.size() / 2);
    check_told("isobench", call("isobench", {"convert", file}), 2);
}
