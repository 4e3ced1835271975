// main() of every Catch2 program: runs the session, then reports skips the way CTest and the
// summary of `./isolab test` read them: one line "ISO_SKIP need: reason" each, and exit status 77
// when every selected test case was skipped.
#define CATCH_CONFIG_RUNNER
#include "tests/support/catch.hpp"

#include <cstdio>
#include <cstdlib>

namespace {

int g_skipped = 0;

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
    Catch::Session session;
    if (int const status = session.applyCommandLine(argc, argv); status != 0) return status;
    int const failed = session.run();
    if (failed != 0) return failed;
    bool const selected_one = session.config().hasTestFilters();
    return selected_one && g_skipped != 0 ? 77 : 0;
}
