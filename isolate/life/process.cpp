#include "isolate/life/process.hpp"

#include "common/clock.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <poll.h>
#include <string_view>

namespace iso::jail {

namespace {

tl::unexpected<Error> ended(pid_t pid) {
    errno = ESRCH;
    return sys_error(fmt::format("process {}", pid));
}

/// The n-th word (from 0) of a text of words with one space between them.
std::string_view word_of(std::string_view text, int n) {
    for (; n > 0; --n) {
        auto const space = text.find(' ');
        if (space == std::string_view::npos) return {};
        text.remove_prefix(space + 1);
    }
    return text.substr(0, text.find(' '));
}

} // namespace

Result<ProcessId> identify(pid_t pid) {
    if (pid <= 0) return ended(pid);
    auto const stat = read_file(fmt::format("/proc/{}/stat", pid), 4096);
    if (!stat) return ended(pid);
    // "PID (NAME) STATE ...": the name may hold anything, so the last ')' counts.
    auto const after_name = stat->rfind(") ");
    if (after_name == std::string::npos) return ended(pid);
    std::string_view const rest = std::string_view(*stat).substr(after_name + 2);
    std::string_view const state = word_of(rest, 0);
    if (state == "Z" || state == "X" || state == "x") return ended(pid);
    std::string_view const start = word_of(rest, 19); // field 22, of which the first two are gone
    ProcessId id{pid, 0};
    auto const [end, problem] =
        std::from_chars(start.data(), start.data() + start.size(), id.start_time);
    if (problem != std::errc{}) return ended(pid);
    return id;
}

Result<Pidfd> open_process(ProcessId const& process) {
    if (!process.known()) return ended(process.pid);
    // First the handle, then the check: if the check finds the same process, the handle, which is
    // older, is of no other.
    Pidfd pidfd = TRY(Pidfd::open(process.pid));
    ProcessId const now = TRY(identify(process.pid));
    if (now != process) return ended(process.pid);
    return pidfd;
}

bool is_alive(ProcessId const& process) {
    auto const now = identify(process.pid);
    return now && *now == process;
}

Result<bool> wait_for_end(Pidfd const& process, std::uint64_t timeout_ns) {
    std::uint64_t const deadline = timeout_ns == 0 ? 0 : monotonic_ns() + timeout_ns;
    for (;;) {
        pollfd polled{process.get(), POLLIN, 0};
        int const ready = ::poll(&polled, 1, deadline == 0 ? -1 : wait_ms(deadline));
        if (ready > 0) return true;
        if (ready == 0) return false;
        if (errno != EINTR) return sys_error("poll");
    }
}

std::string boot_id() {
    auto text = read_file("/proc/sys/kernel/random/boot_id", 64);
    if (!text) return {};
    while (!text->empty() && text->back() == '\n')
        text->pop_back();
    return *text;
}

} // namespace iso::jail
