#include "guest/port/lazy_timer.hpp"
#include "tests/support/catch.hpp"

using iso::guest::LazyTimer;

TEST_CASE("lazy timer: the device is asked only for an earlier moment") {
    LazyTimer timer;
    CHECK(timer.set(100) == 100);
    CHECK(timer.set(200) == 0);
    CHECK(timer.set(0) == 0);
    CHECK(timer.set(300) == 0);
    CHECK(timer.set(50) == 50);
    CHECK(timer.set(60) == 0);
}

TEST_CASE("lazy timer: what fires early is asked for again, what was cancelled is not") {
    LazyTimer timer;
    timer.set(100);
    timer.set(200);
    LazyTimer::Fired fired = timer.fired(100);
    CHECK_FALSE(fired.due);
    CHECK(fired.again == 200);
    CHECK(timer.set(250) == 0);
    CHECK(timer.set(150) == 150);
    fired = timer.fired(151);
    CHECK(fired.due);
    CHECK(fired.again == 0);
    CHECK(timer.set(400) == 400); // the device has nothing any more
    timer.set(0);
    fired = timer.fired(500);
    CHECK_FALSE(fired.due);
    CHECK(fired.again == 0);
    fired = timer.fired(600); // nobody asked
    CHECK_FALSE(fired.due);
}
