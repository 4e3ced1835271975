#include "isolate/life/store.hpp"

#include "common/clock.hpp"
#include "common/scope_exit.hpp"
#include "isolate/life/name.hpp"

#include <climits>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <memory>
#include <unistd.h>

#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

namespace iso::jail {

namespace {

constexpr char const* k_state_file = "state.json";
constexpr char const* k_end_file = "end.json";
constexpr char const* k_lock_file = "lock";
/// What another command may take with a jail before the next one gives up on it.
constexpr std::uint64_t k_patience_ns = 30'000'000'000;
constexpr std::size_t k_longest_state = std::size_t{4} << 20U;

std::string scratch_name(char const* prefix) {
    std::uint64_t number = 0;
    (void)!::getrandom(&number, sizeof number, 0);
    return fmt::format("{}{:016x}", prefix, number);
}

Result<Fd> open_at(int directory, std::string const& name, int flags, std::string const& shown) {
    Fd fd(::openat(directory, name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) return sys_error("open(" + shown + ")");
    return fd;
}

std::vector<std::string> entries_of(int directory) {
    std::vector<std::string> found;
    int const copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0) return found;
    std::unique_ptr<DIR, int (*)(DIR*)> const stream(::fdopendir(copy), ::closedir);
    if (!stream) {
        ::close(copy);
        return found;
    }
    while (dirent const* entry = ::readdir(stream.get())) {
        std::string const name = entry->d_name;
        if (name != "." && name != "..") found.push_back(name);
    }
    return found;
}

/// A directory of ours, which holds no directories. What is gone already is fine.
Result<void> remove_flat(int parent, std::string const& name, std::string const& shown) {
    Fd const directory(
        ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (directory)
        for (std::string const& entry : entries_of(directory.get()))
            (void)::unlinkat(directory.get(), entry.c_str(), 0);
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
        return sys_error("rmdir(" + shown + ")");
    return {};
}

Result<std::string> usual_directory() {
    if (::geteuid() == 0) return std::string("/run/isolate");
    char const* const given = std::getenv("XDG_RUNTIME_DIR");
    if (given != nullptr && *given == '/') return std::string(given) + "/isolate";
    return error("state directory", "XDG_RUNTIME_DIR is not set", "--state=DIR, one of your own");
}

Result<void> make_directories(std::string const& path) {
    for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
        std::string const part = path.substr(0, slash);
        mode_t const mode = slash == std::string::npos ? 0700 : 0755;
        if (::mkdir(part.c_str(), mode) != 0 && errno != EEXIST)
            return sys_error("mkdir(" + part + ")", "--state=DIR, one of your own");
        if (slash == std::string::npos) return {};
    }
}

tl::unexpected<Error> no_such_jail(std::string const& name, std::string const& path) {
    return tl::unexpected<Error>(Error{"jail '" + name + "'",
                                       "there is none of this name in " + path, "isolate list",
                                       ENOENT, exit_code::no});
}

} // namespace

JailDirectory::JailDirectory(std::string parent, std::string name, Fd directory, Fd lock)
    : parent_(std::move(parent))
    , name_(std::move(name))
    , path_(parent_ + "/" + name_)
    , directory_(std::move(directory))
    , lock_(std::move(lock)) {}

Result<std::string> JailDirectory::read(std::string const& file) const {
    Fd const fd = TRY(open_at(directory_.get(), file, O_RDONLY, path_ + "/" + file));
    auto text = read_all(fd.get(), k_longest_state);
    if (!text) text.error().op = "read(" + path_ + "/" + file + ")";
    return text;
}

Result<void> JailDirectory::write(std::string const& file, std::string_view data) const {
    // Under another name first: whoever reads, or dies, sees the old text or the new one. Nothing
    // is synced: no jail outlives the machine, and a sync is a dozen milliseconds of its start.
    std::string const scratch = scratch_name(".write-");
    std::string const shown = path_ + "/" + file;
    Fd const fd = TRY(open_at(directory_.get(), scratch, O_WRONLY | O_CREAT | O_EXCL, shown));
    ScopeExit remove_scratch([&] { (void)::unlinkat(directory_.get(), scratch.c_str(), 0); });
    auto written = write_all(fd.get(), data);
    if (!written) {
        written.error().op = "write(" + shown + ")";
        return written;
    }
    if (::renameat(directory_.get(), scratch.c_str(), directory_.get(), file.c_str()) != 0)
        return sys_error("rename(" + shown + ")");
    remove_scratch.disarm();
    return {};
}

void JailDirectory::remove_file(std::string const& file) const {
    (void)::unlinkat(directory_.get(), file.c_str(), 0);
}

Result<Record> JailDirectory::read_record() const {
    auto record = parse_record(TRY(read(k_state_file)));
    if (!record) {
        record.error().op += " (" + path_ + "/" + k_state_file + ")";
        if (record.error().hint.empty()) record.error().hint = "isolate delete --force " + name_;
    }
    return record;
}

Result<void> JailDirectory::write_record(Record const& record) const {
    return write(k_state_file, to_json(record));
}

std::optional<Ending> JailDirectory::ending() const {
    auto const text = read(k_end_file);
    if (!text) return std::nullopt;
    auto ending = parse_ending(*text);
    return ending ? std::optional(std::move(*ending)) : std::nullopt;
}

Result<void> JailDirectory::remove() {
    Fd const parent = TRY(Fd::open(parent_, O_RDONLY | O_DIRECTORY));
    std::string const scratch = scratch_name(".gone-");
    if (::renameat(parent.get(), name_.c_str(), parent.get(), scratch.c_str()) != 0)
        return sys_error("rename(" + path_ + ")");
    return remove_flat(parent.get(), scratch, path_);
}

Result<Store> Store::open(std::string directory) {
    if (directory.empty()) directory = TRY(usual_directory());
    if (directory.front() != '/') {
        std::unique_ptr<char, void (*)(void*)> const here(::getcwd(nullptr, 0), std::free);
        if (!here) return sys_error("getcwd");
        directory = std::string(here.get()) + "/" + directory;
    }
    while (directory.size() > 1 && directory.back() == '/')
        directory.pop_back();
    Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd && errno == ENOENT) {
        TRY(make_directories(directory));
        fd = Fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    if (!fd) return sys_error("open(" + directory + ")", "--state=DIR, one of your own");
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return sys_error("fstat(" + directory + ")");
    if (info.st_uid != ::geteuid() || (info.st_mode & 022) != 0)
        return error("state directory " + directory,
                     fmt::format("is uid {}'s, mode {:04o}: others could change what isolate does",
                                 info.st_uid, info.st_mode & 07777),
                     "--state=DIR, one of your own with mode 0700");
    return Store(std::move(directory), std::move(fd));
}

void Store::sweep() const {
    // Under the lock of the store nobody else makes one; and a second removal does no harm.
    for (std::string const& name : entries_of(directory_.get()))
        if (name.starts_with(".new-") || name.starts_with(".gone-"))
            (void)remove_flat(directory_.get(), name, path_ + "/" + name);
}

Result<JailDirectory> Store::create(Record const& record) const {
    TRY(check_name(record.name));
    Fd const store_lock = TRY(Fd::open(path_, O_RDONLY | O_DIRECTORY));
    while (::flock(store_lock.get(), LOCK_EX) != 0)
        if (errno != EINTR) return sys_error("flock(" + path_ + ")");
    sweep();

    std::string const scratch = scratch_name(".new-");
    std::string const shown = path_ + "/" + record.name;
    if (::mkdirat(directory_.get(), scratch.c_str(), 0700) != 0)
        return sys_error("mkdir(" + shown + ")");
    ScopeExit remove_scratch([&] { (void)remove_flat(directory_.get(), scratch, shown); });
    Fd directory = TRY(open_at(directory_.get(), scratch, O_RDONLY | O_DIRECTORY, shown));
    Fd lock =
        TRY(open_at(directory.get(), k_lock_file, O_RDWR | O_CREAT | O_EXCL, shown + "/lock"));
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return sys_error("flock(" + shown + ")");
    JailDirectory jail(path_, record.name, std::move(directory), std::move(lock));
    TRY(jail.write_record(record));
    if (::renameat2(directory_.get(), scratch.c_str(), directory_.get(), record.name.c_str(),
                    RENAME_NOREPLACE) != 0) {
        if (errno == EEXIST)
            return tl::unexpected<Error>(
                Error{"jail '" + record.name + "'", "the name is in use",
                      "isolate delete " + record.name + ", or another name", EEXIST});
        return sys_error("rename(" + shown + ")");
    }
    remove_scratch.disarm();
    return jail;
}

Result<JailDirectory> Store::enter(std::string const& name) const {
    TRY(check_name(name));
    Fd directory(
        ::openat(directory_.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!directory) {
        if (errno == ENOENT || errno == ENOTDIR) return no_such_jail(name, path_);
        return sys_error("open(" + path_ + "/" + name + ")");
    }
    return JailDirectory(path_, name, std::move(directory), Fd());
}

Result<JailDirectory> Store::lock(std::string const& name) const {
    std::uint64_t const deadline = monotonic_ns() + k_patience_ns;
    for (;;) {
        JailDirectory jail = TRY(enter(name));
        auto lock = open_at(jail.fd(), k_lock_file, O_RDWR, jail.path() + "/lock");
        if (!lock && lock.error().code == ENOENT) continue; // being removed at this moment
        if (!lock) return tl::unexpected<Error>(std::move(lock.error()));
        while (::flock(lock->get(), LOCK_EX | LOCK_NB) != 0) {
            if (errno != EWOULDBLOCK && errno != EINTR)
                return sys_error("flock(" + jail.path() + ")");
            if (monotonic_ns() > deadline)
                return error("jail '" + name + "'", "another isolate command is at work on it",
                             "again when that has ended");
            ::usleep(2000); // flock(2) waits for ever, or not at all
        }
        // It may have been deleted, and even made anew, while we waited.
        struct stat ours {};
        struct stat now {};
        if (::fstat(jail.fd(), &ours) != 0) return sys_error("fstat(" + jail.path() + ")");
        if (::fstatat(directory_.get(), name.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0)
            return no_such_jail(name, path_);
        if (ours.st_ino != now.st_ino) continue;
        jail.lock_ = std::move(*lock);
        return jail;
    }
}

Result<Seen> Store::look(std::string const& name) const {
    return look(TRY(enter(name)));
}

Result<Seen> Store::look(JailDirectory const& jail) {
    Seen seen;
    seen.record = TRY(jail.read_record());
    seen.ending = jail.ending();
    Record& record = seen.record;
    bool const same_boot = record.boot == boot_id();
    bool const keeper_lives = same_boot && is_alive(record.keeper);
    if (record.status == Status::creating) {
        seen.abandoned = !keeper_lives;
        if (seen.abandoned) record.status = Status::stopped;
        return seen;
    }
    if (!same_boot || !is_alive(record.init)) {
        record.status = Status::stopped;
        seen.abandoned = record.keeper.known() && !keeper_lives && !seen.ending;
    } else if (record.status == Status::created && !waits_for_start(jail.fd())) {
        record.status = Status::running; // whoever started it had no time to say so
    }
    return seen;
}

Result<std::vector<std::string>> Store::names() const {
    std::vector<std::string> names;
    for (std::string const& name : entries_of(directory_.get()))
        if (check_name(name)) names.push_back(name);
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace iso::jail
