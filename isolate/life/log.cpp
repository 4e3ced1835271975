#include "isolate/life/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <poll.h>
#include <unistd.h>
#include <utility>

#include <sys/inotify.h>
#include <sys/stat.h>

namespace iso::jail {

namespace {

constexpr int k_log_flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW;

/// Copies from where the descriptor stands to its end.
Result<void> copy_log(int from, int out) {
    char chunk[16384];
    for (;;) {
        ssize_t const n = ::read(from, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return sys_error("read(log)");
        if (n == 0) return {};
        TRY(write_all(out, {chunk, static_cast<std::size_t>(n)}));
    }
}

Fd open_log(int directory, char const* name) {
    return Fd(::openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
}

} // namespace

Result<LogFile> LogFile::open(int directory, std::uint64_t limit_bytes) {
    Fd file(::openat(directory, "log", k_log_flags, 0600));
    struct stat info {};
    if (!file || ::fstat(file.get(), &info) != 0) return sys_error("open(log)");
    return LogFile(directory, std::move(file), static_cast<std::uint64_t>(info.st_size),
                   std::max<std::uint64_t>(limit_bytes / 2, 1));
}

bool LogFile::put(std::string_view text) {
    while (!text.empty()) {
        ssize_t const n = ::write(file_.get(), text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        size_ += static_cast<std::uint64_t>(n);
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    lost_ += text.size();
    return text.empty();
}

void LogFile::append(std::string_view text) {
    if (lost_ != 0) {
        std::string const note =
            fmt::format("\n[isolate: {} bytes of output could not be written here]\n", lost_);
        std::uint64_t const told = std::exchange(lost_, 0);
        if (!put(note)) lost_ = told;
    }
    while (!text.empty()) {
        if (size_ >= half_) {
            if (::renameat(directory_, "log", directory_, "log.1") == 0) {
                Fd fresh(::openat(directory_, "log", k_log_flags, 0600));
                if (fresh) {
                    file_ = std::move(fresh);
                    size_ = 0;
                }
            }
            // A limit is a limit: without a new file there is no place for more.
            if (size_ >= half_) {
                lost_ += text.size();
                return;
            }
        }
        std::string_view const part = text.substr(
            0, static_cast<std::size_t>(std::min<std::uint64_t>(text.size(), half_ - size_)));
        (void)put(part);
        text.remove_prefix(part.size());
    }
}

Result<void> print_log(int directory, int out) {
    for (char const* name : {"log.1", "log"}) {
        Fd const file = open_log(directory, name);
        if (file) TRY(copy_log(file.get(), out));
    }
    return {};
}

Result<void> follow_log(int directory, int out, bool (*ended)(void*), void* context) {
    if (Fd const old = open_log(directory, "log.1")) TRY(copy_log(old.get(), out));
    Fd file = open_log(directory, "log");
    // Where the kernel gives no watch (a limit of the user's), the wait's own end is left.
    Fd const watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (watch)
        (void)::inotify_add_watch(watch.get(), fmt::format("/proc/self/fd/{}", directory).c_str(),
                                  IN_MODIFY | IN_CREATE | IN_MOVED_TO);
    for (;;) {
        bool const last = ended(context); // asked first: what is written before the end is shown
        if (file) TRY(copy_log(file.get(), out));
        Fd fresh = open_log(directory, "log");
        struct stat ours {};
        struct stat now {};
        if (fresh && (!file || (::fstat(file.get(), &ours) == 0 &&
                                ::fstat(fresh.get(), &now) == 0 && ours.st_ino != now.st_ino))) {
            if (file) TRY(copy_log(file.get(), out)); // the rest of what is log.1 by now
            file = std::move(fresh);
            continue;
        }
        if (last) return {};
        // A jail whose keeper was killed ends without a word in this directory.
        pollfd told{watch.get(), POLLIN, 0};
        char events[4096];
        if (::poll(&told, 1, 250) > 0)
            while (::read(watch.get(), events, sizeof events) > 0) {
            }
    }
}

} // namespace iso::jail
