#include "benchmarks/history/archive.hpp"
#include "benchmarks/history/history_fixture.hpp"
#include "benchmarks/history/store.hpp"
#include "common/fd.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>

using namespace iso;
using namespace iso::bench::history;
using iso::bench::Random;
using iso::bench::history::test::Synthetic;

namespace {

Synthetic with_gaps() {
    Synthetic made(4, 2, 0.1);
    Synthetic::spoil(made.of("cpu-int", "vmm-mini").points[1], iso::bench::Status::void_,
                     "another checksum");
    made.of("cpu-int", "vmm-mini").points[2].emulated = true;
    made.of("hello", "isolate").points[0].low = made.of("hello", "isolate").points[0].high =
        std::nullopt;
    return made;
}

std::string changed(std::string text, std::string const& from, std::string const& to) {
    auto const at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

} // namespace

TEST_CASE("an export read back is the same history, and the same text") {
    Synthetic const made = with_gaps();
    std::string const text = export_json(made.history);
    auto const read = parse_export(text);
    if (!read) FAIL(read.error().message());
    CHECK(*read == made.history);
    CHECK(export_json(*read) == text);
    auto const nothing = parse_export(export_json({}));
    REQUIRE(nothing);
    CHECK(*nothing == History{});
}

TEST_CASE("through a database and back it is the same text, once and twice") {
    auto const place = TempDir::create("isolab-history-test").value();
    std::string const db = place.path() + "/h.db";
    std::string const text = export_json(with_gaps().history);
    for (int i = 0; i < 2; ++i) {
        REQUIRE(merge(db, *parse_export(text), Known::compare));
        CHECK(export_json(load(db).value()) == text);
    }
}

TEST_CASE("a new run changes an export by lines that come, and by no others") {
    auto lines = [](std::string const& text) {
        std::vector<std::string> found;
        std::size_t begin = 0;
        for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
            std::string line = text.substr(begin, end - begin);
            if (line.ends_with(',')) line.pop_back(); // what comes after the last one adds a comma
            found.push_back(line);
            begin = end + 1;
        }
        return found;
    };
    Synthetic const longer(9);
    History shorter = longer.history;
    for (Series& series : shorter.series)
        series.points.pop_back();
    shorter.runs.pop_back();
    auto before = lines(export_json(shorter));
    auto after = lines(export_json(longer.history));
    CHECK(after.size() == before.size() + 1 + longer.history.series.size());
    std::sort(before.begin(), before.end());
    std::sort(after.begin(), after.end());
    CHECK(std::includes(after.begin(), after.end(), before.begin(), before.end()));
}

TEST_CASE("an export that cannot be is refused, with the place") {
    std::string const good = export_json(with_gaps().history);
    auto refused = [&](std::string const& text, std::string const& why) {
        auto const result = parse_export(text);
        INFO(why);
        REQUIRE_FALSE(result);
        CHECK(result.error().exit_status == exit_code::usage);
        CHECK_THAT(result.error().cause, Catch::Contains(why));
    };
    refused("", "not one JSON object");
    refused(good.substr(0, good.size() / 2), "not one JSON object");
    refused("[]", "not one JSON object");
    refused(changed(good, "isolab.history/1", "isolab.history/2"), "another schema");
    refused(changed(good, "isolab.history/1", "isolab.results/1"), "another schema");
    refused(changed(good, "\"machines\"", "\"machine\""), "'machines' is no list");
    refused(changed(good, "Test CPU", "Other CPU"), "not the id of its facts");
    refused(changed(good, "\"date\":\"2026-01-01T", "\"date\":\"2026-01-41T"), "date");
    refused(changed(good, "\"status\":\"void\"", "\"status\":\"fine\""), "'status' is unknown");
    refused(changed(good, "\"status\":\"void\"", "\"status\":\"ok\""), "a number is missing");
    refused(changed(good, "\"status\":\"void\"", "\"status\":\"void\",\"value\":1"),
            "says why there is none");
    refused(changed(good, "\"value\":", "\"value\":null,\"v\":"), "'value' is null");
    refused(changed(good, "\"value\":", "\"value\":-1,\"v\":"), "not above 0");
    refused(changed(good, "\"value\":", "\"value\":1e999,\"v\":"), "not one JSON object");
    refused(changed(good, "\"value\":", "\"value\":true,\"v\":"), "'value' is no number");
    refused(changed(good, "\"low\":", "\"low\":1e9,\"l\":"), "two ends");
    refused(changed(good, "\"n\":20", "\"n\":-20"), "'n' is no number");
    refused(changed(good, "\"run\":\"0", "\"run\":\"1"), "its run is not in the file");
    refused(changed(good, "\"commit\":\"c0ffee", "\"commit\":\"\\u001b[2J"), "control characters");
    Synthetic twice = with_gaps();
    twice.history.series.push_back(twice.history.series.front());
    refused(export_json(twice.history), "a series is there twice");
    twice = with_gaps();
    twice.history.runs.push_back(twice.history.runs.front());
    refused(export_json(twice.history), "two runs");
    twice = with_gaps();
    auto& points = twice.history.series.front().points;
    points.push_back(points.front());
    refused(export_json(twice.history), "two points of one run");
}

TEST_CASE("whatever is done to an export, it is refused or it is a history") {
    auto const place = TempDir::create("isolab-history-test").value();
    std::string const db = place.path() + "/h.db";
    std::string const good = export_json(with_gaps().history);
    REQUIRE(merge(db, *parse_export(good), Known::compare));
    Random random(11);
    unsigned refused = 0;
    unsigned taken = 0;
    auto somewhere = [&](std::string const& text) { return random.below(text.size()); };
    for (int i = 0; i < 3000; ++i) {
        std::string text = good;
        for (std::uint64_t n = 1 + random.below(3); n > 0; --n)
            switch (random.below(6)) {
            case 0:
                text[somewhere(text)] = static_cast<char>(random.next());
                break;
            case 1:
                text.erase(somewhere(text), random.below(40));
                break;
            case 2:
                text.insert(somewhere(text), text.substr(somewhere(text), random.below(40)));
                break;
            case 3:
                text[somewhere(text)] = "0123456789-.e\"{}[],:"[random.below(21)];
                break;
            case 4: { // a line less
                auto const at = text.find('\n', somewhere(text));
                if (at != std::string::npos)
                    text.erase(at, std::min(text.find('\n', at + 1), text.size()) - at);
                break;
            }
            default: { // a line twice
                auto const at = text.find('\n', somewhere(text));
                if (at == std::string::npos) break;
                auto const end = std::min(text.find('\n', at + 1), text.size());
                text.insert(at, text.substr(at, end - at));
            }
            }
        auto const history = parse_export(text);
        if (!history) {
            ++refused;
            CHECK(history.error().exit_status == exit_code::usage);
            CHECK_FALSE(history.error().cause.empty());
            continue;
        }
        ++taken;
        std::string const again = export_json(*history);
        auto const reread = parse_export(again);
        REQUIRE(reread);
        CHECK(*reread == *history);
        if (taken % 8 != 0) continue; // a database takes longer
        // What is said of a run that is known differs, or the text means the same.
        if (auto const merged = merge(db, *history, Known::compare); !merged)
            CHECK(merged.error().exit_status == exit_code::usage);
        CHECK(parse_export(export_json(load(db).value())));
    }
    CHECK(refused > 1500);
    CHECK(taken > 50);
}
