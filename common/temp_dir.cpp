#include "common/temp_dir.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <unistd.h>
#include <vector>

#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

namespace iso {

namespace {

namespace fs = std::filesystem;

/// Deepest first. Octal escapes of mountinfo (proc_pid_mountinfo(5)) do not occur in our names.
std::vector<std::string> mounts_below(std::string const& directory) {
    std::vector<std::string> found;
    std::istringstream lines(read_file("/proc/self/mountinfo").value_or(""));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string word;
        for (int i = 0; i < 5; ++i)
            words >> word;
        if (word.starts_with(directory + "/")) found.push_back(word);
    }
    std::reverse(found.begin(), found.end());
    return found;
}

bool unmount_below(std::string const& directory) {
    for (std::string const& mount : mounts_below(directory))
        ::umount2(mount.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
    return mounts_below(directory).empty();
}

/// A directory of this user's whose lock is free; then held by the descriptor.
Fd take_abandoned(std::string const& path) {
    Fd held(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat info {};
    bool const ours = held && ::fstat(held.get(), &info) == 0 && info.st_uid == ::geteuid() &&
                      (info.st_mode & 0077U) == 0;
    if (!ours || ::flock(held.get(), LOCK_EX | LOCK_NB) != 0) return {};
    return held;
}

} // namespace

std::string TempDir::place() {
    char const* const base = std::getenv("TMPDIR");
    return base != nullptr && *base != '\0' ? base : "/tmp";
}

Result<TempDir> TempDir::create(std::string const& prefix) {
    std::string path = place() + "/" + prefix + ".XXXXXX";
    if (::mkdtemp(path.data()) == nullptr)
        return sys_error("mkdtemp(" + path + ")", "set TMPDIR to a directory you may write to");
    TempDir dir;
    dir.path_ = std::move(path);
    return dir;
}

Result<TempDir> TempDir::create_held(std::string const& prefix) {
    for (;;) {
        TempDir made = TRY(create(prefix));
        made.hold_ = TRY(Fd::open(made.path_, O_RDONLY | O_DIRECTORY));
        if (::flock(made.hold_.get(), LOCK_EX) != 0) return sys_error("flock(" + made.path_ + ")");
        // Between those two somebody may have taken it for an abandoned one, and removed it.
        struct stat info {};
        if (::fstat(made.hold_.get(), &info) == 0 && info.st_nlink != 0) return made;
    }
}

void TempDir::remove_abandoned(std::string const& prefix,
                               std::function<void(std::string const&)> const& before) {
    std::error_code problem;
    std::vector<std::string> candidates;
    for (fs::directory_iterator at(place(), problem), end; !problem && at != end;
         at.increment(problem))
        if (at->path().filename().string().starts_with(prefix + "."))
            candidates.push_back(at->path());
    for (std::string const& path : candidates) {
        Fd const held = take_abandoned(path);
        if (!held) continue;
        if (before) before(path);
        if (unmount_below(path)) fs::remove_all(path, problem);
    }
}

TempDir::~TempDir() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
}

} // namespace iso
