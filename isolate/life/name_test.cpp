#include "isolate/life/name.hpp"
#include "isolate/life/signals.hpp"
#include "tests/support/catch.hpp"

#include <csignal>

using namespace iso;
using namespace iso::jail;

TEST_CASE("a jail's name can be nothing but a name") {
    for (char const* good : {"a", "web-1", "A.b_c+d", "0", "jail-0123abcd"})
        CHECK(check_name(good));
    CHECK(check_name(std::string(k_longest_name, 'x')));
    for (std::string const& bad :
         {std::string(), std::string("."), std::string(".."), std::string("../x"),
          std::string("a/b"), std::string("/etc"), std::string(".hidden"), std::string("-rf"),
          std::string("a b"), std::string("a\n"), std::string("a\0b", 3), std::string("\xc3\xa4"),
          std::string("a%n"), std::string(k_longest_name + 1, 'x')}) {
        auto const checked = check_name(bad);
        REQUIRE_FALSE(checked);
        CHECK(checked.error().exit_status == exit_code::usage);
        CHECK(checked.error().op.find('\n') == std::string::npos); // fit to be shown
        CHECK(checked.error().op.find('\0') == std::string::npos);
    }
    CHECK(check_name(make_name()));
    CHECK(make_name() != make_name());
}

TEST_CASE("signals have names and numbers") {
    CHECK(parse_signal("TERM").value() == SIGTERM);
    CHECK(parse_signal("sigkill").value() == SIGKILL);
    CHECK(parse_signal("15").value() == 15);
    CHECK(parse_signal("RTMIN+3").value() == SIGRTMIN + 3);
    CHECK(parse_signal("SIGRTMAX-1").value() == SIGRTMAX - 1);
    for (char const* bad : {"", "0", "65", "-1", "15x", "NOSUCH", "RTMIN+", "RTMIN-1", "RTMIN+99",
                            "RTMIN+1x", "99999999999999999999"}) {
        INFO(bad);
        CHECK_FALSE(parse_signal(bad));
    }
    CHECK(ends_by_default(SIGTERM));
    CHECK(ends_by_default(SIGUSR1));
    CHECK_FALSE(ends_by_default(SIGWINCH));
}
