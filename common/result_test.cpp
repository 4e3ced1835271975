#include "common/fd.hpp"
#include "common/result.hpp"
#include "tests/support/catch.hpp"

#include <memory>

namespace {

iso::Result<int> half(int value) {
    if (value % 2 != 0)
        return iso::error("half(" + std::to_string(value) + ")", "it is odd", "an even number");
    return value / 2;
}

iso::Result<int> quarter(int value) {
    int const once = TRY(half(value));
    return TRY(half(once));
}

iso::Result<void> check_even(int value) {
    TRY(half(value));
    return {};
}

iso::Result<std::unique_ptr<int>> move_only(bool fail) {
    if (fail) return iso::error("move_only", "asked to fail");
    return std::make_unique<int>(7);
}

iso::Result<int> through_move_only(bool fail) {
    auto const pointer = TRY(move_only(fail));
    TRY(check_even(2));
    return *pointer;
}

} // namespace

TEST_CASE("TRY unwraps a value or returns the error untouched") {
    CHECK(quarter(8).value() == 2);
    CHECK(quarter(7).error().op == "half(7)");
    CHECK(quarter(6).error().op == "half(3)");
    CHECK(check_even(4).has_value());
    CHECK(check_even(5).error().cause == "it is odd");
    CHECK(through_move_only(false).value() == 7);
    CHECK(through_move_only(true).error().cause == "asked to fail");
}

TEST_CASE("an error names the call, the cause, the place and the next step") {
    iso::Error const error = half(3).error();
    std::string const place = "[result_test.cpp:" + std::to_string(error.at.line()) + "]";
    CHECK(error.message() == "half(3): it is odd " + place + "; try: an even number");
    CHECK(error.exit_status == 125);
}

TEST_CASE("an error without a hint promises none") {
    CHECK_THAT(move_only(true).error().message(), !Catch::Contains("try:"));
}

TEST_CASE("a failed system call keeps its errno and the place of its caller") {
    auto const fd = iso::Fd::open("/no/such/file", O_RDONLY);
    REQUIRE_FALSE(fd.has_value());
    CHECK(fd.error().code == ENOENT);
    CHECK(fd.error().op == "open(/no/such/file)");
    CHECK(fd.error().cause == "No such file or directory");
    CHECK_THAT(fd.error().message(), Catch::Contains("[result_test.cpp:"));
}

TEST_CASE("hint and status can be replaced on the way up") {
    iso::Error const error = half(3).error().with_hint("4").with_exit(126);
    CHECK(error.hint == "4");
    CHECK(error.exit_status == 126);
    CHECK(error.op == "half(3)");
}
