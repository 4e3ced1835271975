// Removing what others filled.
#include "common/scope_exit.hpp"
#include "isolate/image/extract.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <dirent.h>
#include <unistd.h>

#include <sys/stat.h>

namespace iso::jail {

namespace {

struct Found {
    std::string name;
    bool is_directory;
};

/// Opens a directory to be emptied. One that is closed to its owner is opened up first.
Result<Fd> open_to_empty(int parent, std::string const& name) {
    constexpr int k_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    struct stat info {};
    Fd const path(::openat(parent, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!path || ::fstat(path.get(), &info) != 0) return sys_error("open(" + printable(name) + ")");
    if ((info.st_mode & S_IRWXU) != S_IRWXU)
        // By its descriptor: a name could be a link by now. EPERM shows in the next line.
        (void)::chmod(fmt::format("/proc/self/fd/{}", path.get()).c_str(), 0700);
    Fd opened(::openat(path.get(), ".", k_flags));
    if (!opened) return sys_error("open(" + printable(name) + ")");
    return opened;
}

/// What is in a directory, at most so much at once.
Result<std::vector<Found>> some_of(int directory) {
    constexpr std::size_t k_at_once = 1000;
    int const copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0) return sys_error("open(.)");
    DIR* const stream = ::fdopendir(copy);
    if (stream == nullptr) {
        ::close(copy);
        return sys_error("fdopendir");
    }
    ScopeExit const close([&] { ::closedir(stream); });
    std::vector<Found> found;
    while (found.size() < k_at_once) {
        errno = 0;
        dirent const* const entry = ::readdir(stream);
        if (entry == nullptr && errno != 0) return sys_error("readdir");
        if (entry == nullptr) break;
        std::string name = entry->d_name;
        if (name == "." || name == "..") continue;
        bool is_directory = entry->d_type == DT_DIR;
        struct stat info {};
        if (entry->d_type == DT_UNKNOWN &&
            ::fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0)
            is_directory = S_ISDIR(info.st_mode);
        found.push_back({std::move(name), is_directory});
    }
    return found;
}

/// Empties a directory. Directories in its directories are moved up to it first, so that there is
/// never more than one level to walk, however deep it once was.
Result<void> empty(int top) {
    std::uint64_t moved = 0;
    auto empty_one = [&](std::string const& name) -> Result<void> {
        Fd const directory = TRY(open_to_empty(top, name));
        for (;;) {
            std::vector<Found> const below = TRY(some_of(directory.get()));
            if (below.empty()) break;
            for (Found const& each : below) {
                if (!each.is_directory) {
                    if (::unlinkat(directory.get(), each.name.c_str(), 0) != 0 && errno != ENOENT)
                        return sys_error("unlink(" + printable(each.name) + ")");
                    continue;
                }
                // Moving a directory changes its "..": it has to be open to its owner.
                (void)TRY(open_to_empty(directory.get(), each.name));
                std::string aside;
                int failed = 0;
                do {
                    aside = fmt::format(".isolate-gone-{}", moved++);
                    failed = ::renameat2(directory.get(), each.name.c_str(), top, aside.c_str(),
                                         RENAME_NOREPLACE);
                } while (failed != 0 && errno == EEXIST);
                if (failed != 0) return sys_error("rename(" + printable(each.name) + ")");
            }
        }
        if (::unlinkat(top, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
            return sys_error("rmdir(" + printable(name) + ")");
        return {};
    };
    for (;;) {
        std::vector<Found> const here = TRY(some_of(top));
        if (here.empty()) return {};
        for (Found const& each : here) {
            if (each.is_directory)
                TRY(empty_one(each.name));
            else if (::unlinkat(top, each.name.c_str(), 0) != 0 && errno != ENOENT)
                return sys_error("unlink(" + printable(each.name) + ")");
        }
    }
}

} // namespace

Result<void> remove_tree(int parent, std::string const& name) {
    struct stat info {};
    if (::fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? Result<void>() : sys_error("stat(" + printable(name) + ")");
    if (!S_ISDIR(info.st_mode)) {
        if (::unlinkat(parent, name.c_str(), 0) != 0 && errno != ENOENT)
            return sys_error("unlink(" + printable(name) + ")");
        return {};
    }
    Fd const top = TRY(open_to_empty(parent, name));
    TRY(empty(top.get()));
    if (name == ".") return {};
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
        return sys_error("rmdir(" + printable(name) + ")");
    return {};
}

} // namespace iso::jail
