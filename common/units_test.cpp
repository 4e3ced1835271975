#include "common/units.hpp"
#include "tests/support/catch.hpp"

using iso::parse_bytes;
using iso::parse_duration_ns;

TEST_CASE("sizes") {
    CHECK(parse_bytes("0").value() == 0);
    CHECK(parse_bytes("4096").value() == 4096);
    CHECK(parse_bytes("64M").value() == 64ULL << 20);
    CHECK(parse_bytes("64m").value() == 64ULL << 20);
    CHECK(parse_bytes("1k").value() == 1024);
    CHECK(parse_bytes("3G").value() == 3ULL << 30);
    CHECK(parse_bytes("2T").value() == 2ULL << 40);
    CHECK(parse_bytes("18446744073709551615").value() == ~0ULL);
    CHECK(parse_bytes("16777215T").value() == 16777215ULL << 40);
}

TEST_CASE("what is not a size is refused, with the form that is") {
    for (char const* text : {"", "M", "-1", "+1", " 1", "1 ", "1.5M", "1MB", "1X", "0x10", "1e3",
                             "18446744073709551616", "16777216T", "99999999999999999999G"}) {
        auto const size = parse_bytes(text);
        INFO(text);
        REQUIRE_FALSE(size.has_value());
        CHECK_THAT(size.error().op, Catch::Contains(text));
        CHECK_FALSE(size.error().hint.empty());
    }
}

TEST_CASE("durations are nanoseconds; seconds without a unit") {
    CHECK(parse_duration_ns("0").value() == 0);
    CHECK(parse_duration_ns("1").value() == 1'000'000'000);
    CHECK(parse_duration_ns("1.5s").value() == 1'500'000'000);
    CHECK(parse_duration_ns("250ms").value() == 250'000'000);
    CHECK(parse_duration_ns("7us").value() == 7'000);
    CHECK(parse_duration_ns("42ns").value() == 42);
    CHECK(parse_duration_ns("2m").value() == 120'000'000'000);
    CHECK(parse_duration_ns("1h").value() == 3'600'000'000'000);
    CHECK(parse_duration_ns(".5").value() == 500'000'000);
}

TEST_CASE("what the harness passes on arrives exactly") {
    // An engine receives --timeout=<N>ns: every whole number of nanoseconds must survive.
    for (std::uint64_t ns : {1ULL, 999'999'999ULL, 123'456'789'012ULL, 4'503'599'627'370'497ULL})
        CHECK(parse_duration_ns(std::to_string(ns) + "ns").value() == ns);
}

TEST_CASE("what is not a duration is refused") {
    for (char const* text : {"", "s", "-1", "1 s", "1.5.2", "inf", "nan", "1e9", "0x5", "1d", "1S",
                             "9300000000", "99999999999999999999999h", "1s "}) {
        auto const duration = parse_duration_ns(text);
        INFO(text);
        REQUIRE_FALSE(duration.has_value());
        CHECK_THAT(duration.error().op, Catch::Contains(text));
    }
}

TEST_CASE("a duration that was asked for is never rounded to none") {
    // 0 means "no timeout" everywhere.
    for (char const* text : {"0.1ns", "0.0000000001"})
        CHECK(parse_duration_ns(text).value() > 0);
}
