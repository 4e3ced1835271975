#include "isolate/life/pid_file.hpp"

#include "common/fd.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <unistd.h>

namespace iso::jail {

Result<void> write_pid_file_at(std::string const& path, pid_t pid) {
    std::string const scratch = fmt::format("{}.{}", path, ::getpid());
    Fd file = TRY(Fd::open(scratch, O_WRONLY | O_CREAT | O_EXCL, 0644));
    auto written = write_all(file.get(), std::to_string(pid));
    if (written && ::rename(scratch.c_str(), path.c_str()) != 0)
        written = sys_error("rename(" + path + ")");
    if (!written) ::unlink(scratch.c_str());
    return written;
}

} // namespace iso::jail
