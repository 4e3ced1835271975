#include "isolate/image/extract.hpp"

#include <climits>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <unistd.h>

#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace iso::jail {

namespace {

using Kind = ArchiveEntry::Kind;

constexpr std::string_view k_whiteout = ".wh.";
constexpr std::string_view k_opaque = ".wh..wh..opq";
constexpr unsigned k_set_ids = S_ISUID | S_ISGID;

std::string file_name(std::string const& path) {
    return path.substr(path.rfind('/') + 1); // npos + 1 is 0
}
std::string directory_name(std::string const& path) {
    std::size_t const slash = path.rfind('/');
    return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

/// -1 with errno. Never leaves `root`.
int open_in(int root, std::string const& path, std::uint64_t flags) {
    open_how how{};
    how.flags = flags | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
    return static_cast<int>(
        ::syscall(SYS_openat2, root, path.empty() ? "." : path.c_str(), &how, sizeof how));
}

bool maps(std::vector<IdRange> const& ranges, std::uint32_t id) {
    return std::any_of(ranges.begin(), ranges.end(), [&](IdRange const& range) {
        return id >= range.inside && id - range.inside < range.count;
    });
}

std::uint32_t mapped(std::vector<IdRange> const& ranges, std::uint32_t id, std::uint32_t other) {
    for (IdRange const& range : ranges)
        if (id >= range.inside && id - range.inside < range.count)
            return range.outside + (id - range.inside);
    return other;
}

} // namespace

Result<std::string> path_below(std::string_view name, std::size_t depth) {
    std::string path;
    std::size_t parts = 0;
    for (std::size_t at = 0; at <= name.size();) {
        std::size_t const end = std::min(name.find('/', at), name.size());
        std::string_view const part = name.substr(at, end - at);
        at = end + 1;
        if (part.empty() || part == ".") continue;
        if (part == "..") return error({}, "its name leads upwards (..)", "an archive without");
        if (part.size() > NAME_MAX || ++parts > depth)
            return error({}, fmt::format("its name has a part of more than {} bytes, or more than "
                                         "{} directories",
                                         NAME_MAX, depth));
        if (!path.empty()) path += '/';
        path += part;
    }
    if (path.size() >= PATH_MAX)
        return error({}, fmt::format("its name has more than {} bytes", PATH_MAX - 1));
    return path;
}

Result<void> Extractor::count(ArchiveReader const& archive) {
    if (++unpacked_.entries <= limits_.entries) return {};
    return error("unpack(" + archive.shown() + ")",
                 fmt::format("it has more than {} entries", limits_.entries),
                 "unpack it, and --root with the directory that it gives");
}

Result<void> Extractor::add(ArchiveReader& archive, bool whiteouts) {
    for (;;) {
        std::optional<ArchiveEntry> const entry = TRY(archive.next());
        if (!entry) return {};
        TRY(count(archive));
        auto path = path_below(entry->name, limits_.depth);
        if (!path) {
            path.error().op = "unpack(" + archive.shown() + ": " + printable(entry->name) + ")";
            return tl::unexpected<Error>(std::move(path.error()));
        }
        if (whiteouts && file_name(*path).starts_with(k_whiteout)) continue;
        TRY(add_entry(archive, *entry, *path));
    }
}

Result<void> Extractor::add_entry(ArchiveReader& archive, ArchiveEntry const& entry,
                                  std::string const& path) {
    std::string const op = "unpack(" + archive.shown() + ": " + printable(entry.name) + ")";
    bool const is_directory = entry.kind == Kind::directory;
    if (path.empty()) {
        if (!is_directory) return error(op, "the root can only be a directory");
        directories_[path] = {entry.mode, entry.uid, entry.gid, entry.modified};
        return {};
    }
    if (entry.kind == Kind::device) {
        ++unpacked_.devices;
        return {};
    }
    int const parent = TRY(parent_of(path, op));
    if (entry.kind == Kind::hard_link) return add_hard_link(entry, parent, path, op);
    bool const is_there = TRY(make_way(parent, path, is_directory, op));
    std::string const name = file_name(path);
    auto const [uid, gid] = owner(entry.uid, entry.gid);
    switch (entry.kind) {
    case Kind::directory:
        if (!is_there && ::mkdirat(parent, name.c_str(), 0700) != 0) return sys_error(op);
        directories_[path] = {entry.mode, entry.uid, entry.gid, entry.modified};
        return {};
    case Kind::symbolic_link:
        if (::symlinkat(entry.target.c_str(), parent, name.c_str()) != 0) return sys_error(op);
        if (owners_.change && ::fchownat(parent, name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW) != 0)
            return sys_error(op);
        return {};
    case Kind::fifo:
        if (::mkfifoat(parent, name.c_str(), entry.mode & 0777U) != 0) return sys_error(op);
        if (owners_.change && ::fchownat(parent, name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW) != 0)
            return sys_error(op);
        return {};
    default:
        return add_file(archive, entry, parent, name, op);
    }
}

Result<void> Extractor::add_file(ArchiveReader& archive, ArchiveEntry const& entry, int parent,
                                 std::string const& name, std::string const& op) {
    if (entry.size > limits_.bytes - unpacked_.bytes)
        return error(
            op,
            fmt::format("with its {} bytes the root has more than {}", entry.size, limits_.bytes),
            "--unpack-limit, if it is to be trusted");
    unpacked_.bytes += entry.size;
    Fd const file(
        ::openat(parent, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return sys_error(op);
    std::uint64_t end = 0;
    TRY(archive.contents([&](std::string_view data, std::uint64_t offset) -> Result<void> {
        if (offset > entry.size || data.size() > entry.size - offset)
            return error(op, "it is longer than it says");
        end = std::max(end, offset + data.size());
        while (!data.empty()) {
            ssize_t const n =
                ::pwrite(file.get(), data.data(), data.size(), static_cast<off_t>(offset));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0)
                return sys_error(op, errno == ENOSPC ? "TMPDIR, a directory with more room" : "");
            data.remove_prefix(static_cast<std::size_t>(n));
            offset += static_cast<std::uint64_t>(n);
        }
        return {};
    }));
    if (end < entry.size && ::ftruncate(file.get(), static_cast<off_t>(entry.size)) != 0)
        return sys_error(op);
    Meta meta{entry.mode, entry.uid, entry.gid, entry.modified};
    if ((meta.mode & k_set_ids) != 0 && !keeps_ids(entry.uid, entry.gid)) {
        meta.mode &= ~k_set_ids;
        ++unpacked_.set_ids;
    }
    return own(file.get(), meta, op);
}

Result<void> Extractor::add_hard_link(ArchiveEntry const& entry, int parent,
                                      std::string const& path, std::string const& op) {
    auto target = path_below(entry.target, limits_.depth);
    if (!target) {
        target.error().op = op;
        return tl::unexpected<Error>(std::move(target.error()));
    }
    std::string const name = file_name(path);
    std::string const target_name = file_name(*target);
    Fd const from(open_in(root_.get(), directory_name(*target), O_PATH | O_DIRECTORY));
    struct stat info {};
    if (!from || target_name.empty() ||
        ::fstatat(from.get(), target_name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
        return error(op,
                     "it is a hard link to " + printable(entry.target) + ", which is not there");
    if (S_ISDIR(info.st_mode)) return error(op, "it is a hard link to a directory");
    struct stat there {};
    struct stat here {};
    if (::fstat(from.get(), &there) != 0 || ::fstat(parent, &here) != 0) return sys_error(op);
    if (name == target_name && there.st_ino == here.st_ino && there.st_dev == here.st_dev)
        return {}; // to itself
    (void)TRY(make_way(parent, path, false, op));
    if (::linkat(from.get(), target_name.c_str(), parent, name.c_str(), 0) != 0)
        return sys_error(op);
    return {};
}

Result<void> Extractor::take_away(ArchiveReader& archive) {
    for (;;) {
        std::optional<ArchiveEntry> const entry = TRY(archive.next());
        if (!entry) return {};
        TRY(count(archive));
        std::string const op = "unpack(" + archive.shown() + ": " + printable(entry->name) + ")";
        auto path = path_below(entry->name, limits_.depth);
        if (!path) continue; // add() says so
        if (file_name(*path).starts_with(k_whiteout)) TRY(hide(*path, op));
    }
}

Result<void> Extractor::hide(std::string const& path, std::string const& op) {
    std::string const directory = directory_name(path);
    std::string const name = file_name(path);
    Fd const parent(open_in(root_.get(), directory, O_RDONLY | O_DIRECTORY));
    if (!parent) return {}; // nothing there to hide
    parent_path_.clear();
    parent_.reset();
    if (name == k_opaque) {
        forget(directory, false);
        return remove_tree(parent.get(), ".");
    }
    std::string const hidden = name.substr(k_whiteout.size());
    if (hidden.starts_with(k_whiteout)) return {}; // other marks of aufs's
    if (hidden.empty() || hidden == "." || hidden == "..")
        return error(op, "a whiteout of no file", "an image that was made otherwise");
    forget(directory.empty() ? hidden : directory + "/" + hidden, true);
    return remove_tree(parent.get(), hidden);
}

Result<int> Extractor::parent_of(std::string const& path, std::string const& op) {
    std::string directory = directory_name(path);
    if (parent_ && directory == parent_path_) return parent_.get();
    parent_ = TRY(open_directory(directory, op));
    parent_path_ = std::move(directory);
    return parent_.get();
}

Result<Fd> Extractor::open_directory(std::string const& path, std::string const& op) {
    Fd found(open_in(root_.get(), path, O_PATH | O_DIRECTORY));
    if (found) return found;
    if (errno != ENOENT) return sys_error(op, "an archive in which it has a directory to be in");
    Fd const above = TRY(open_directory(directory_name(path), op));
    // There and not to be found: a link to nowhere.
    if (::mkdirat(above.get(), file_name(path).c_str(), 0700) != 0)
        return sys_error(op, "an archive in which it has a directory to be in");
    directories_.emplace(path, Meta{});
    found = Fd(open_in(root_.get(), path, O_PATH | O_DIRECTORY));
    if (!found) return sys_error(op);
    return found;
}

Result<bool> Extractor::make_way(int parent, std::string const& path, bool keep_directory,
                                 std::string const& op) {
    std::string const name = file_name(path);
    struct stat info {};
    if (::fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) return false;
        return sys_error(op);
    }
    if (S_ISDIR(info.st_mode)) {
        if (keep_directory) return true;
        forget(path, true);
        TRY(remove_tree(parent, name));
        return false;
    }
    if (::unlinkat(parent, name.c_str(), 0) != 0) return sys_error(op);
    return false;
}

void Extractor::forget(std::string const& path, bool itself) {
    if (itself) directories_.erase(path);
    std::string const below = path.empty() ? std::string() : path + "/";
    for (auto at = directories_.lower_bound(below);
         at != directories_.end() && at->first.starts_with(below);)
        at = at->first.empty() ? std::next(at) : directories_.erase(at);
}

std::pair<uid_t, gid_t> Extractor::owner(std::uint32_t uid, std::uint32_t gid) const {
    if (owners_.exact) return {uid, gid};
    return {mapped(owners_.uids, uid, owners_.other_uid),
            mapped(owners_.gids, gid, owners_.other_gid)};
}

bool Extractor::keeps_ids(std::uint32_t uid, std::uint32_t gid) const {
    return owners_.change &&
           (owners_.exact || (maps(owners_.uids, uid) && maps(owners_.gids, gid)));
}

Result<void> Extractor::own(int fd, Meta const& meta, std::string const& op) {
    auto const [uid, gid] = owner(meta.uid, meta.gid);
    if (owners_.change && ::fchown(fd, uid, gid) != 0) return sys_error(op);
    if (::fchmod(fd, meta.mode & 07777U) != 0) return sys_error(op); // fchown(2) clears such bits
    if (!meta.modified) return {};
    timespec const times[2] = {{*meta.modified, 0}, {*meta.modified, 0}};
    // A time that the file system does not have is no reason to do without the file.
    if (::futimens(fd, times) != 0 && errno != EINVAL) return sys_error(op);
    return {};
}

Result<void> Extractor::finish(std::vector<std::string> const& wanted) {
    parent_path_.clear();
    parent_.reset();
    directories_.emplace("", Meta{});
    // A file or a link to nowhere is left as it is.
    for (std::string const& name : wanted)
        if (auto const path = path_below(name, limits_.depth)) (void)open_directory(*path, name);
    // Deepest first: one that is closed to its owner closes what is below.
    for (auto at = directories_.rbegin(); at != directories_.rend(); ++at) {
        Fd const directory(open_in(root_.get(), at->first, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
        if (!directory) continue; // something else has taken its place
        TRY(own(directory.get(), at->second, "unpack(" + printable(at->first) + ")"));
    }
    return {};
}

} // namespace iso::jail
