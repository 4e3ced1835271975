#include "common/machine/disk_file.hpp"

#include "common/machine/stop.hpp"
#include "common/scope_exit.hpp"
#include "common/units.hpp"

#include <climits>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <unistd.h>

#include <sys/file.h>
#include <sys/stat.h>

namespace iso {

namespace {

constexpr std::uint64_t k_block = 4096; // what the guest's file system counts in

Error bad_disk(std::string const& path, std::string cause, std::string hint) {
    return error("--disk(" + path + ")", std::move(cause), std::move(hint)).value();
}

Result<void> check_size(std::string const& path, std::uint64_t bytes) {
    if (bytes < DiskFile::k_least_bytes || bytes > DiskFile::k_most_bytes)
        return tl::unexpected<Error>(
            bad_disk(path, fmt::format("{} bytes are no size for a disk", bytes),
                     fmt::format("{}M to {}G", DiskFile::k_least_bytes / k_mib,
                                 DiskFile::k_most_bytes >> 30U)));
    if (bytes % k_block != 0)
        return tl::unexpected<Error>(
            bad_disk(path, fmt::format("{} bytes are not whole blocks of {}", bytes, k_block),
                     "truncate(1) makes it a multiple, or another file"));
    return {};
}

/// Opens what is there, or makes it; O_NONBLOCK, as a named pipe would wait for a reader.
Result<Fd> open_or_create(std::string const& path, bool& created) {
    constexpr int flags = O_RDWR | O_NOCTTY | O_NONBLOCK;
    for (int attempt = 0; attempt < 2; ++attempt) { // it may come or go in between
        auto found = Fd::open(path, flags);
        if (found || found.error().code != ENOENT) {
            if (found) return found;
            return tl::unexpected<Error>(
                std::move(found).error().with_hint("a regular file that this user may write to"));
        }
        auto made = Fd::open(path, flags | O_CREAT | O_EXCL, 0644);
        created = made.has_value();
        if (made || made.error().code != EEXIST) {
            if (made) return made;
            return tl::unexpected<Error>(std::move(made).error().with_hint(
                "a file in a directory that exists and is writable"));
        }
    }
    return tl::unexpected<Error>(bad_disk(path, "it comes and goes", "a file of your own"));
}

} // namespace

Result<DiskFile> DiskFile::open(std::string const& path, std::uint64_t bytes) {
    if (bytes != 0) TRY(check_size(path, bytes)); // before there is a file
    // A limit on the sizes of files (setrlimit(2)) is then an error, not the engine's death.
    if (std::signal(SIGXFSZ, SIG_IGN) == SIG_ERR) return sys_error("signal(SIGXFSZ)");
    DiskFile disk;
    disk.fd_ = TRY(open_or_create(path, disk.created_));
    ScopeExit forget([&] {
        if (disk.created_) ::unlink(path.c_str()); // it was for nothing
    });
    // Locked before its size is asked for: another machine may just be making it.
    if (::flock(disk.fd(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return sys_error("flock(" + path + ")");
        return tl::unexpected<Error>(bad_disk(path, "another machine runs with it",
                                              "wait for that one, or a copy of the file"));
    }
    struct stat status {};
    if (::fstat(disk.fd(), &status) != 0) return sys_error("fstat(" + path + ")");
    if (!S_ISREG(status.st_mode))
        return tl::unexpected<Error>(
            bad_disk(path, "not a regular file", "a path where nothing is: the file is made then"));
    auto size = static_cast<std::uint64_t>(status.st_size);
    if (size == 0) {
        size = bytes != 0 ? bytes : k_default_bytes;
        if (::ftruncate(disk.fd(), static_cast<off_t>(size)) != 0)
            return sys_error("ftruncate(" + path + ")");
    }
    TRY(check_size(path, size));
    if (bytes != 0 && bytes != size)
        return tl::unexpected<Error>(bad_disk(path,
                                              fmt::format("it has {} bytes, not {}", size, bytes),
                                              "leave the size out, or name another file"));
    disk.sectors_ = size / k_sector;
    forget.disarm();
    return disk;
}

Result<std::optional<DiskFile>> DiskFile::open(RunOptions const& options) {
    std::optional<DiskFile> disk;
    if (!options.disk.empty()) disk = TRY(open(options.disk, options.disk_bytes));
    return disk;
}

template <typename Call>
int DiskFile::move(std::uint64_t sector, std::span<iovec> parts, std::uint64_t& moved, Call call) {
    std::uint64_t total = 0;
    for (iovec const& part : parts) { // each lies in the guest's memory: no sum of them wraps
        if (part.iov_len > k_most_bytes) return EINVAL;
        total += part.iov_len;
    }
    if (total % k_sector != 0 || sector > sectors_ || total / k_sector > sectors_ - sector)
        return EINVAL;
    auto offset = static_cast<off_t>(sector * k_sector);
    while (!parts.empty()) {
        if (stopping()) return EINTR; // a hostile request may move 64 GiB, again and again
        auto const count = static_cast<int>(std::min<std::size_t>(parts.size(), IOV_MAX));
        ssize_t const n = call(fd(), parts.data(), count, offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        auto rest = static_cast<std::size_t>(n);
        moved += rest;
        offset += n;
        while (!parts.empty() && rest >= parts.front().iov_len) {
            rest -= parts.front().iov_len;
            parts = parts.subspan(1);
        }
        if (parts.empty()) break;
        if (n == 0) return EIO; // somebody made the file shorter
        parts.front().iov_base = static_cast<std::byte*>(parts.front().iov_base) + rest;
        parts.front().iov_len -= rest;
    }
    return 0;
}

int DiskFile::read(std::uint64_t sector, std::span<iovec> parts) {
    ++reads_;
    return move(sector, parts, read_bytes_, [](int fd, iovec const* at, int count, off_t offset) {
        return ::preadv(fd, at, count, offset);
    });
}

int DiskFile::write(std::uint64_t sector, std::span<iovec> parts) {
    ++writes_;
    return move(sector, parts, written_bytes_,
                [](int fd, iovec const* at, int count, off_t offset) {
                    return ::pwritev(fd, at, count, offset);
                });
}

int DiskFile::flush() {
    ++flushes_;
    while (::fdatasync(fd()) != 0)
        if (errno != EINTR) return errno;
    return 0;
}

void DiskFile::add_to(Counters& counters) const {
    counters["disk.reads"] = reads_;
    counters["disk.writes"] = writes_;
    counters["disk.flushes"] = flushes_;
    counters["disk.read_bytes"] = read_bytes_;
    counters["disk.written_bytes"] = written_bytes_;
}

} // namespace iso
