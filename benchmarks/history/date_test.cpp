#include "benchmarks/history/date.hpp"
#include "tests/support/catch.hpp"

using iso::bench::history::utc_date;

TEST_CASE("dates become UTC, as git and isobench write them") {
    CHECK(utc_date("2026-01-02T03:04:05Z") == "2026-01-02T03:04:05Z");
    CHECK(utc_date("2026-01-02") == "2026-01-02T00:00:00Z");
    CHECK(utc_date("2026-01-01T00:30:00+01:00") == "2025-12-31T23:30:00Z");
    CHECK(utc_date("2024-02-28T23:30:00-01:00") == "2024-02-29T00:30:00Z"); // a leap year
}

TEST_CASE("what is no date is refused") {
    for (char const* const text :
         {"", "yesterday", "2026-1-2", "2026-02-30", "2026-13-01", "2026-01-02T",
          "2026-01-02 03:04", "2026-01-02T03:04:05", "2026-01-02T25:00:00Z",
          "2026-01-02T03:04:05+1:00", "2026-01-02T03:04:05+01:99", "2026-01-02T03:04:05Zx",
          " 2026-01-02", "0001-01-01", "2026-01-02T-3:04:05Z"}) {
        INFO(text);
        auto const refused = utc_date(text);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().exit_status == iso::exit_code::usage);
    }
}
