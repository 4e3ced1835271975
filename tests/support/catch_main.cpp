// main() of every Catch2 program: runs the session, then reports skips the way CTest and the
// summary of `./isolab test` read them: one line "ISO_SKIP need: reason" each, and exit status 77
// when every selected test case was skipped.
#define CATCH_CONFIG_RUNNER
#include "tests/support/catch.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace {

int g_skipped = 0;

constexpr unsigned k_slow_s = 30;
constexpr unsigned k_stuck_s = 200; ///< less than the time that CTest gives a whole program

char g_name[400];    ///< of the test case that runs
char g_running[512]; ///< what a signal handler says of it

void tell_stuck(int) {
    (void)!::write(STDOUT_FILENO, g_running, std::strlen(g_running));
}

#if CATCH_VERSION_MAJOR >= 3
using ListenerBase = Catch::EventListenerBase;
#else
using ListenerBase = Catch::TestEventListenerBase;
#endif

/// Tells which test case takes long while it does: a program that CTest ends for its time says
/// nothing else.
class SlowCases : public ListenerBase {
public:
    using ListenerBase::ListenerBase;

    void testCaseStarting(Catch::TestCaseInfo const& info) override {
        std::snprintf(g_name, sizeof g_name, "%s", info.name.c_str());
        std::snprintf(g_running, sizeof g_running, "ISO_SLOW '%s' runs for %u s\n", g_name,
                      k_stuck_s);
        began_ = std::chrono::steady_clock::now();
        ::alarm(k_stuck_s);
    }
    void testCaseEnded(Catch::TestCaseStats const& /*stats*/) override {
        ::alarm(0);
        auto const took = std::chrono::steady_clock::now() - began_;
        auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(took).count();
        if (seconds < k_slow_s) return;
        std::printf("ISO_SLOW '%s' took %lld s\n", g_name, static_cast<long long>(seconds));
        std::fflush(stdout);
    }

private:
    std::chrono::steady_clock::time_point began_;
};
CATCH_REGISTER_LISTENER(SlowCases)

bool is_required(std::string const& need) {
    char const* const list = std::getenv("ISO_REQUIRE");
    if (list == nullptr) return false;
    std::string text = list;
    for (char& c : text)
        if (c == ';' || c == ' ') c = ',';
    return ("," + text + ",").find("," + need + ",") != std::string::npos;
}

} // namespace

namespace iso::test {

void record_skip(std::string const& need, std::string const& reason) {
    if (is_required(need)) FAIL("this lane must have '" << need << "': " << reason);
    ++g_skipped;
    std::printf("ISO_SKIP %s: %s\n", need.c_str(), reason.c_str());
    std::fflush(stdout);
}

} // namespace iso::test

int main(int argc, char** argv) {
    struct sigaction action {};
    action.sa_handler = tell_stuck;
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGALRM, &action, nullptr);
    Catch::Session session;
    if (int const status = session.applyCommandLine(argc, argv); status != 0) return status;
    int const failed = session.run();
    if (failed != 0) return failed;
    bool const selected_one = session.config().hasTestFilters();
    return selected_one && g_skipped != 0 ? 77 : 0;
}
