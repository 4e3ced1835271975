// Filling a new file system with what it will cover. In the child: nothing here allocates.
#include "isolate/step_parts.hpp"

#include <climits>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace iso::jail::steps {

namespace {

constexpr int k_deepest_copy = 64; ///< each level holds two descriptors

int copy_directory(int from, int to, int depth);

/// An owner who does not exist inside stays who copies.
void copy_owner(int fd, struct stat const& info) {
    (void)!::fchown(fd, info.st_uid, info.st_gid);
    (void)::fchmod(fd, info.st_mode & 07777U);
}

int copy_data(int source, int target, struct stat const& info) {
    for (ssize_t n = 1; n > 0;) {
        n = ::sendfile(target, source, nullptr, std::size_t{1} << 20U);
        if (n < 0 && errno != EINTR) return errno;
        if (n < 0) n = 1;
    }
    copy_owner(target, info);
    return 0;
}

int copy_file(int from, int to, char const* name, struct stat const& info) {
    int const source = ::openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (source < 0) return errno;
    int const target = ::openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int const failed = target < 0 ? errno : copy_data(source, target, info);
    if (target >= 0) ::close(target);
    ::close(source);
    return failed;
}

int copy_link(int from, int to, char const* name, struct stat const& info) {
    char text[PATH_MAX];
    ssize_t const length = ::readlinkat(from, name, text, sizeof text - 1);
    if (length < 0) return errno;
    text[length] = '\0';
    if (::symlinkat(text, to, name) != 0) return errno;
    (void)!::fchownat(to, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW);
    return 0;
}

int copy_below(int from, int to, char const* name, struct stat const& info, int depth) {
    if (::mkdirat(to, name, 0700) != 0) return errno;
    int const source = ::openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (source < 0) return errno;
    int const target = ::openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int const failed = target < 0 ? errno : copy_directory(source, target, depth + 1);
    if (target >= 0) copy_owner(target, info);
    if (target >= 0) ::close(target);
    ::close(source);
    return failed;
}

int copy_entry(int from, int to, char const* name, int depth) {
    struct stat info {};
    if (::fstatat(from, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return errno;
    if (S_ISDIR(info.st_mode)) return copy_below(from, to, name, info, depth);
    if (S_ISREG(info.st_mode)) return copy_file(from, to, name, info);
    if (S_ISLNK(info.st_mode)) return copy_link(from, to, name, info);
    if (::mknodat(to, name, info.st_mode, info.st_rdev) != 0) return errno;
    (void)!::fchownat(to, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW);
    return 0;
}

/// getdents64(2) by itself: readdir(3) allocates.
int copy_directory(int from, int to, int depth) {
    if (depth > k_deepest_copy) return ELOOP;
    alignas(dirent64) char entries[2048];
    for (;;) {
        long const filled = ::syscall(SYS_getdents64, from, entries, sizeof entries);
        if (filled <= 0) return filled < 0 ? errno : 0;
        for (long at = 0; at < filled;) {
            auto const* const entry = reinterpret_cast<dirent64 const*>(entries + at);
            at += entry->d_reclen;
            if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0)
                continue;
            if (int const failed = copy_entry(from, to, entry->d_name, depth); failed != 0)
                return failed;
        }
    }
}

} // namespace

int copy_up(Step const& step, int const* slots) {
    int const place = open_inside(step.path.c_str());
    if (place < 0) return errno;
    int const source = ::openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int failed = result(source);
    ::close(place);
    if (failed != 0) return failed;
    int const target = ::openat(slots[step.in], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    failed = target < 0 ? errno : copy_directory(source, target, 0);
    if (target >= 0) ::close(target);
    ::close(source);
    return failed;
}

} // namespace iso::jail::steps
