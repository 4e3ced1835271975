#include "isolate/root_layout.hpp"

#include "common/fd.hpp"
#include "common/scope_exit.hpp"

#include <climits>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <unistd.h>

#include <sys/stat.h>

namespace iso::jail {

namespace {

struct Listed {
    std::string name;
    mode_t type;
};

Result<std::vector<Listed>> list(int directory, std::string const& shown) {
    int const copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0)
        return sys_error("open(" + shown + ")", "--root with a directory that you may read");
    DIR* const stream = ::fdopendir(copy);
    if (stream == nullptr) {
        ::close(copy);
        return sys_error("fdopendir(" + shown + ")");
    }
    ScopeExit const close([&] { ::closedir(stream); });
    std::vector<Listed> result;
    while (dirent const* entry = ::readdir(stream)) {
        std::string const name = entry->d_name;
        struct stat info {};
        if (name == "." || name == "..") continue;
        if (::fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0)
            result.push_back({name, info.st_mode & S_IFMT});
    }
    std::sort(result.begin(), result.end(),
              [](Listed const& a, Listed const& b) { return a.name < b.name; });
    return result;
}

Result<std::string> read_link(int directory, std::string const& name) {
    std::array<char, PATH_MAX> target{};
    ssize_t const n = ::readlinkat(directory, name.c_str(), target.data(), target.size() - 1);
    if (n < 0) return sys_error("readlink(" + name + ")");
    return std::string(target.data(), static_cast<std::size_t>(n));
}

class Layout {
public:
    Layout(RootLayout& out, std::vector<std::string> const& own)
        : out_(out)
        , own_(own) {}

    Result<void> open_up(int directory, std::string const& inside) {
        for (Listed const& entry : TRY(list(directory, out_.directory + inside))) {
            std::string const path = inside + "/" + entry.name;
            if (is_own(path)) continue;
            switch (entry.type) {
            case S_IFDIR:
                TRY(place_directory(directory, entry.name, path));
                break;
            case S_IFREG:
                out_.entries.push_back({RootEntry::Kind::file, path, {}});
                break;
            case S_IFLNK:
                if (is_above_own(path))
                    return error(
                        "--root(" + out_.directory + ")",
                        path + " is a symbolic link, and the jail would have to mount behind it",
                        "a directory in its place");
                out_.entries.push_back(
                    {RootEntry::Kind::link, path, TRY(read_link(directory, entry.name))});
                break;
            default:
                break; // sockets, pipes and device nodes are not for a jail
            }
        }
        return {};
    }

private:
    bool is_own(std::string const& path) const {
        return std::find(own_.begin(), own_.end(), path) != own_.end();
    }
    bool is_above_own(std::string const& path) const {
        return std::any_of(own_.begin(), own_.end(),
                           [&](std::string const& own) { return own.starts_with(path + "/"); });
    }

    Result<void> place_directory(int parent, std::string const& name, std::string const& path) {
        if (!is_above_own(path)) {
            out_.entries.push_back({RootEntry::Kind::tree, path, {}});
            return {};
        }
        Fd const directory(
            ::openat(parent, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!directory) return sys_error("open(" + path + ")");
        out_.entries.push_back({RootEntry::Kind::directory, path, {}});
        return open_up(directory.get(), path);
    }

    RootLayout& out_;
    std::vector<std::string> const& own_;
};

} // namespace

Result<RootLayout> lay_out_root(std::string const& directory, std::vector<std::string> const& own) {
    RootLayout layout;
    std::array<char, PATH_MAX> resolved{};
    if (::realpath(directory.c_str(), resolved.data()) == nullptr)
        return sys_error("realpath(" + directory + ")", "--root with a directory that exists");
    layout.directory = resolved.data();
    Fd const root = TRY(Fd::open(layout.directory, O_PATH | O_DIRECTORY));
    TRY(Layout(layout, own).open_up(root.get(), ""));
    if (layout.directory == "/") layout.directory.clear(); // "/" + "/usr" would be "//usr"
    return layout;
}

} // namespace iso::jail
