#include "benchmarks/harness/progress.hpp"

#include "common/clock.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace iso::bench {

namespace {

constexpr std::uint64_t k_terminal_period_ns = 200'000'000; // an eye's pace: it costs CPU time too
constexpr std::uint64_t k_log_period_ns = 10'000'000'000;

bool is_terminal() {
    char const* const kind = std::getenv("TERM");
    return ::isatty(STDERR_FILENO) != 0 && kind != nullptr && std::strcmp(kind, "dumb") != 0;
}

} // namespace

Progress::Progress(bool quiet)
    : quiet_(quiet)
    , terminal_(is_terminal()) {
    if (!terminal_) last_ns_ = monotonic_ns();
}

void Progress::update(std::string const& what, std::uint64_t elapsed_ns, std::uint64_t left_ns) {
    std::uint64_t const now = monotonic_ns();
    if (quiet_ || now - last_ns_ < (terminal_ ? k_terminal_period_ns : k_log_period_ns)) return;
    last_ns_ = now;
    auto const whole = elapsed_ns + left_ns;
    std::string const line =
        fmt::format("[{:3} %] {}, about {} s left", whole == 0 ? 0 : 100 * elapsed_ns / whole, what,
                    (left_ns + 999'999'999) / 1'000'000'000);
    if (terminal_)
        fmt::print(stderr, "\r{:.78}\x1b[K", line); // erase to the end of the line
    else
        fmt::print(stderr, "isobench: {}\n", line);
    std::fflush(stderr);
    shown_ = terminal_;
}

void Progress::note(std::string const& text) {
    clear();
    if (!quiet_) fmt::print(stderr, "isobench: {}\n", text);
}

void Progress::clear() {
    if (shown_) fmt::print(stderr, "\r\x1b[K");
    std::fflush(stderr);
    shown_ = false;
}

} // namespace iso::bench
