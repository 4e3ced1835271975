// `isobench history` from its command line.
#include "common/json.hpp"
#include "common/temp_dir.hpp"
#include "tests/cli/cli.hpp"

#include <filesystem>
#include <fstream>

namespace {

using namespace iso::test;

std::string fixture(Words const& words) {
    Launch made;
    made.command = {ISO_REPORT_FIXTURE};
    made.command.insert(made.command.end(), words.begin(), words.end());
    Ran ran = launch(made);
    REQUIRE(ran.status == 0);
    return ran.out;
}

/// A folder with results, an export and names for what is made.
class Place {
public:
    Place()
        : directory_(iso::TempDir::create("isobench-history-cli").value()) {}

    [[nodiscard]] std::string at(std::string const& name) const {
        return directory_.path() + "/" + name;
    }
    [[nodiscard]] std::string put(std::string const& name, std::string const& text) const {
        std::ofstream(at(name)) << text;
        return at(name);
    }
    /// `isobench history WORDS... --db h.db`
    [[nodiscard]] Ran history(Words words) const {
        words.insert(words.begin(), "history");
        words.insert(words.end(), {"--db", at("h.db")});
        put_database();
        return call("isobench", words);
    }

private:
    /// call() reports every file that is new: this one is asked for. No bytes are an empty history.
    void put_database() const {
        if (!std::filesystem::exists(at("h.db"))) std::ofstream(at("h.db")).flush();
    }
    iso::TempDir directory_;
};

} // namespace

TEST_CASE("isobench history: a result is added once, and what failed in it is a gap",
          "[isobench]") {
    Place const place;
    std::string const result = place.put("r.json", fixture({"1"}));
    Ran const first = place.history({"add", result, "--commit", "a-name"});
    CHECK(first.status == 1); // it holds a failed and a void cell
    CHECK_THAT(first.out, Catch::StartsWith("added " + result) && Catch::Contains("commit a-name"));
    CHECK_THAT(first.err,
               Catch::Contains("no number: hello, start-to-exit in vmm-mini: failed: timed out"));
    Ran const again = place.history({"add", place.put("copy.json", fixture({"1"}))});
    CHECK(again.status == 0);
    CHECK_THAT(again.out, Catch::Contains("is in " + place.at("h.db") + " already"));
    CHECK(place.history({"add", place.put("s.json", fixture({"2"})), "--date", "2026-02-03"})
              .status == 1);
    Ran const list = place.history({"list"});
    CHECK(list.status == 0);
    CHECK_THAT(list.out, Catch::Contains("2 runs of 1 machine") && Catch::Contains("2026-02-03") &&
                             Catch::Contains("a-name"));
    Ran const show = place.history({"show", "--engines=isolate", "--workloads=syscall-null"});
    CHECK(show.status == 0);
    CHECK_THAT(show.out, Catch::Contains("isolate") && !Catch::Contains("vmm-mini") &&
                             !Catch::Contains("cpu-int"));
    CHECK(place.history({"changes"}).status == 3); // two runs say nothing
    std::string const id = list.out.substr(list.out.find("2026-02-03") - 11, 8);
    CHECK(place.history({"remove", id}).status == 0);
    CHECK_THAT(place.history({"list"}).out, Catch::StartsWith("1 run of"));
}

TEST_CASE("isobench history: an export comes back as it was, and its change is found",
          "[isobench]") {
    Place const place;
    std::string const text = fixture({"history", "30"});
    CHECK(place.history({"import", place.put("e.json", text)}).status == 0);
    CHECK(place.history({"export"}).out == text);
    CHECK(place.history({"import", place.at("e.json")}).status == 0);
    std::string const out = place.put("out", "older"); // call() reports every file that is new
    CHECK(place.history({"export", "-o", out}).status == 0);
    CHECK(iso::read_file(out).value() == text);

    Ran const changes = place.history({"changes"});
    CHECK(changes.status == 1);
    CHECK_THAT(changes.out,
               Catch::StartsWith("WORSE") && Catch::Contains("cpu-int in isolate: +8"));
    CHECK(place.history({"changes", "--newest", "5"}).status == 0); // it is six runs old
    CHECK(place.history({"changes", "--min-effect", "20%"}).status == 0);
    CHECK(place.history({"changes", "--engines=vmm-mini"}).status == 0);
    Ran const json = place.history({"changes", "--format", "json"});
    CHECK(nlohmann::json::parse(json.out).at("changes").size() == 1);
    CHECK(place.history({"changes", "--format", "markdown", "-o", out}).status == 1);
    CHECK_THAT(iso::read_file(out).value(), Catch::StartsWith("**1 for the worse"));

    std::string const page = place.put("page.html", "older");
    CHECK(call("isobench", {"report", "--history", place.at("h.db"), "-o", page}).status == 0);
    CHECK_THAT(iso::read_file(page).value(),
               Catch::Contains("<h2 id=\"history\">Over time</h2>") && Catch::Contains("Dearer."));
}

TEST_CASE("isobench history: what is wrong ends with 2, and nothing is changed", "[isobench]") {
    Place const place;
    CHECK(place.history({"import", place.put("e.json", fixture({"history", "12"}))}).status == 0);
    std::string const before = iso::read_file(place.at("h.db")).value();
    std::string const good = place.put("r.json", fixture({"1"}));
    std::string const cut = place.put("cut.json", fixture({"1"}).substr(0, 4000));
    for (Words const& words :
         {Words{"add", good, cut}, Words{"add", place.at("none.json")}, Words{"add"},
          Words{"add", good, "--date", "soon"}, Words{"add", good, "--commit", "a\nb"},
          Words{"add", place.at("e.json")}, Words{"import", good}, Words{"import", cut},
          Words{"remove", "no-such-run"}, Words{"remove"}, Words{"show", "--engines=none"},
          Words{"changes", "--newest", "1"}, Words{"changes", "--min-effect", "0"},
          Words{"changes", "--format", "xml"}, Words{"no-such-verb"}, Words{}}) {
        INFO(shown(words));
        check_told("isobench", place.history(words), 2);
    }
    CHECK(iso::read_file(place.at("h.db")).value() == before);

    std::string const other = place.put("other.db", "no database, but kept as it is");
    std::string const missing = place.at("missing.db");
    for (Words const& words :
         {Words{"list"}, Words{"show"}, Words{"changes"}, Words{"export"}, Words{"remove", "0"},
          Words{"add", good}, Words{"import", place.at("e.json")}}) {
        INFO(shown(words));
        Words all{"history"};
        all.insert(all.end(), words.begin(), words.end());
        all.insert(all.end(), {"--db", other});
        check_told("isobench", call("isobench", all), 2);
        all.back() = missing;
        if (words.front() != "add" && words.front() != "import")
            check_told("isobench", call("isobench", all), 2);
        all.back() = "/no/such/folder/h.db";
        CHECK(call("isobench", all).status != 0);
    }
    CHECK(iso::read_file(other).value() == "no database, but kept as it is");
    CHECK_FALSE(std::filesystem::exists(missing));
    check_told("isobench", call("isobench", {"report", good, "--history", other, "-o", "-"}), 2);
    check_told("isobench", call("isobench", {"report"}), 2);
}

TEST_CASE("isobench history: help tells the exit statuses; output that nobody takes is a failure",
          "[isobench]") {
    Ran const help = call("isobench", {"history", "--help"});
    CHECK(help.status == 0);
    for (char const* const verb :
         {"add", "list", "show", "changes", "export", "import", "remove"}) {
        CHECK_THAT(help.out, Catch::Contains(verb));
        Ran const own = call("isobench", {"history", verb, "--help"});
        CHECK(own.status == 0);
        CHECK_THAT(own.out, Catch::Contains("--db"));
    }
    CHECK_THAT(call("isobench", {"history", "changes", "--help"}).out,
               Catch::Contains("3 too few"));
    Place const place;
    CHECK(place.history({"import", place.put("e.json", fixture({"history", "12"}))}).status == 0);
    Launch how;
    how.out = Launch::Out::full;
    for (char const* const verb : {"list", "show", "changes", "export"}) {
        Ran const ran = call("isobench", {"history", verb, "--db", place.at("h.db")}, how);
        INFO(verb);
        CHECK(ran.status == 1);
        CHECK_THAT(ran.err, Catch::Contains("write(stdout): No space left on device"));
    }
    CHECK(place.history({"export", "-o", "/dev/full"}).status == 1);
}
