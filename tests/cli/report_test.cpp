// `isobench report` from its command line.
#include "common/temp_dir.hpp"
#include "tests/cli/cli.hpp"

#include <filesystem>
#include <fstream>

namespace {

using namespace iso::test;

/// A result with failed and void cells in it, as a file.
std::string put_result(iso::TempDir const& directory, std::string const& name,
                       std::string const& seed) {
    Launch fixture;
    fixture.command = {ISO_REPORT_FIXTURE, seed};
    Ran const ran = launch(fixture);
    REQUIRE(ran.status == 0);
    std::string const path = directory.path() + "/" + name;
    std::ofstream(path) << ran.out;
    return path;
}

} // namespace

TEST_CASE("isobench report: a result becomes a page, and what failed in it is told", "[isobench]") {
    auto const directory = iso::TempDir::create("isobench-report-cli");
    REQUIRE(directory);
    std::string const result = put_result(*directory, "r.json", "1");
    std::string const page = directory->path() + "/page.html";
    std::ofstream(page) << "an older page"; // which is replaced
    Ran const ran = call("isobench", {"report", result, "-o", page});
    CHECK(ran.status == 1); // not everything in it ran
    CHECK(ran.out == "written to " + page + "\n");
    CHECK_THAT(ran.err, Catch::StartsWith("isobench: r.json: not everything in it ran"));
    auto const text = iso::read_file(page);
    REQUIRE(text);
    CHECK_THAT(*text, Catch::StartsWith("<!DOCTYPE html>\n") && Catch::EndsWith("</html>\n"));

    Ran const again = call("isobench", {"report", result, "-o", "-"});
    CHECK(again.status == 1);
    CHECK(again.out == *text); // the same result is the same page, letter by letter

    Ran const two =
        call("isobench", {"report", result, put_result(*directory, "s.json", "2"), "-o", "-"});
    CHECK(two.status == 1);
    CHECK_THAT(two.out, Catch::Contains("<h2 id=\"r2-result\">s.json</h2>"));
}

TEST_CASE("isobench report: what is no result is refused, and no page is written", "[isobench]") {
    auto const directory = iso::TempDir::create("isobench-report-cli");
    REQUIRE(directory);
    std::string const good = put_result(*directory, "good.json", "1");
    std::string const cut = directory->path() + "/cut.json";
    std::filesystem::copy_file(good, cut);
    std::filesystem::resize_file(cut, 5000);
    std::string const page = directory->path() + "/page.html";
    for (std::string const& bad : {cut, directory->path() + "/missing.json", directory->path()}) {
        Ran const ran = call("isobench", {"report", good, bad, "-o", page});
        check_told("isobench", ran, 2);
        CHECK_THAT(ran.err, Catch::Contains(bad));
        CHECK_FALSE(std::filesystem::exists(page));
    }
    Ran const twice = call("isobench", {"report", good, good, "-o", page});
    check_told("isobench", twice, 2);
    CHECK_THAT(twice.err, Catch::Contains("the same result as good.json"));
    CHECK(call("isobench", {"report"}).status == 2);
}

TEST_CASE("isobench report: a page that cannot be written is a failure", "[isobench]") {
    auto const directory = iso::TempDir::create("isobench-report-cli");
    REQUIRE(directory);
    std::string const good = put_result(*directory, "good.json", "1");
    for (char const* const target : {"/dev/full", "/no/such/directory/page.html", "/"}) {
        Ran const ran = call("isobench", {"report", good, "-o", target});
        check_told("isobench", ran, 1);
        CHECK_THAT(ran.err, Catch::Contains(target));
    }
}
