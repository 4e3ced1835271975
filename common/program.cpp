#include "common/program.hpp"

#include <climits>

#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <unistd.h>

#include <sys/stat.h>

namespace iso {

namespace {

Result<std::string> check(std::string const& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) {
        int const status =
            errno == ENOENT || errno == ENOTDIR ? exit_code::not_found : exit_code::cannot_execute;
        return tl::unexpected<Error>(
            std::move(sys_error("exec(" + path + ")", "the path of an existing program").value())
                .with_exit(status));
    }
    if (!S_ISREG(info.st_mode))
        return tl::unexpected<Error>(Error{"exec(" + path + ")", "not a regular file",
                                           "the path of a program", EACCES,
                                           exit_code::cannot_execute});
    if (::access(path.c_str(), X_OK) != 0)
        return tl::unexpected<Error>(
            std::move(sys_error("exec(" + path + ")", "chmod +x " + path).value())
                .with_exit(exit_code::cannot_execute));
    char resolved[PATH_MAX];
    if (::realpath(path.c_str(), resolved) == nullptr) return sys_error("realpath(" + path + ")");
    return std::string(resolved);
}

} // namespace

Result<std::string> find_program(std::string const& name) {
    if (name.find('/') != std::string::npos) return check(name);
    char const* const path = std::getenv("PATH");
    std::istringstream directories(path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin");
    for (std::string directory; std::getline(directories, directory, ':');) {
        std::string const candidate = (directory.empty() ? "." : directory) + "/" + name;
        if (::access(candidate.c_str(), X_OK) == 0)
            if (auto found = check(candidate)) return found;
    }
    return tl::unexpected<Error>(Error{"exec(" + name + ")", "not found in PATH",
                                       "a path, for example ./" + name, ENOENT,
                                       exit_code::not_found});
}

Result<std::string> own_directory() {
    char path[PATH_MAX];
    ssize_t const n = ::readlink("/proc/self/exe", path, sizeof path);
    if (n <= 0) return sys_error("readlink(/proc/self/exe)", "mount /proc");
    std::string const text(path, static_cast<std::size_t>(n));
    return text.substr(0, text.rfind('/'));
}

} // namespace iso
