#include "benchmarks/harness/output_file.hpp"

#include "common/fd.hpp"
#include "common/scope_exit.hpp"

#include <climits>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

#include <sys/stat.h>

namespace iso::bench {

namespace {

constexpr char const* k_hint = "another place, with room: --json=FILE";

/// Writes everything and leaves the cause in errno.
bool put(int fd, std::string const& contents) {
    auto const written = write_all(fd, contents);
    if (!written) errno = written.error().code;
    return written.has_value();
}

tl::unexpected<Error> failed(std::string op,
                             std::source_location at = std::source_location::current()) {
    return tl::unexpected<Error>(
        std::move(sys_error(std::move(op), k_hint, at).value()).with_exit(exit_code::no));
}

} // namespace

std::string OutputFile::temporary() const {
    return path_ + ".part" + std::to_string(::getpid());
}

Result<OutputFile> OutputFile::prepare(std::string const& path) {
    OutputFile file;
    file.path_ = path;
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0) {
        if (S_ISDIR(info.st_mode)) {
            errno = EISDIR;
            return failed("open(" + path + ")");
        }
        char resolved[PATH_MAX]; // what a symbolic link names is replaced, not the link
        if (::realpath(path.c_str(), resolved) != nullptr) file.path_ = resolved;
        file.direct_ = !S_ISREG(info.st_mode);
        if (::access(path.c_str(), W_OK) != 0) return failed("open(" + path + ")");
    }
    if (file.direct_) return file;
    Fd const probe(::open(file.temporary().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!probe) return failed("open(" + path + ")");
    ::unlink(file.temporary().c_str());
    return file;
}

Result<void> OutputFile::commit(std::string const& contents) const {
    if (direct_) {
        Fd const fd(::open(path_.c_str(), O_WRONLY | O_CLOEXEC));
        if (!fd) return failed("open(" + path_ + ")");
        if (!put(fd.get(), contents)) return failed("write(" + path_ + ")");
        return {};
    }
    std::string const part = temporary();
    Fd fd(::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!fd) return failed("open(" + part + ")");
    ScopeExit remove([&] { ::unlink(part.c_str()); });
    if (!put(fd.get(), contents)) return failed("write(" + path_ + ")");
    // A full disk may be told only here (fsync(2), close(2)).
    if (::fsync(fd.get()) != 0) return failed("fsync(" + path_ + ")");
    if (::close(fd.release()) != 0) return failed("close(" + path_ + ")");
    if (::rename(part.c_str(), path_.c_str()) != 0) return failed("rename(" + path_ + ")");
    remove.disarm();
    return {};
}

} // namespace iso::bench
