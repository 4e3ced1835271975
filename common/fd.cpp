#include "common/fd.hpp"

#include <cerrno>
#include <unistd.h>

namespace iso {

Result<Fd> Fd::open(std::string const& path, int flags, mode_t mode, std::source_location at) {
    int const fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    if (fd < 0) return sys_error("open(" + path + ")", {}, at);
    return Fd(fd);
}

void Fd::reset(int fd) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
}

Result<Pipe> Pipe::create() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return sys_error("pipe2");
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

Result<void> write_all(int fd, std::string_view data) {
    while (!data.empty()) {
        ssize_t const n = ::write(fd, data.data(), data.size());
        if (n < 0) {
            if (errno == EINTR) continue;
            return sys_error("write");
        }
        data.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

Result<std::string> read_all(int fd, std::size_t limit) {
    std::string data;
    char chunk[16384];
    for (;;) {
        ssize_t const n = ::read(fd, chunk, sizeof chunk);
        if (n < 0) {
            if (errno == EINTR) continue;
            return sys_error("read");
        }
        if (n == 0) return data;
        if (data.size() + static_cast<std::size_t>(n) > limit)
            return error("read", "more than " + std::to_string(limit) + " bytes");
        data.append(chunk, static_cast<std::size_t>(n));
    }
}

Result<std::string> read_file(std::string const& path, std::size_t limit) {
    Fd const fd = TRY(Fd::open(path, O_RDONLY));
    auto data = read_all(fd.get(), limit);
    if (!data) data.error().op = "read(" + path + ")";
    return data;
}

Result<void> write_file(std::string const& path, std::string_view data) {
    Fd const fd = TRY(Fd::open(path, O_WRONLY | O_TRUNC));
    ssize_t const n = ::write(fd.get(), data.data(), data.size());
    if (n != static_cast<ssize_t>(data.size())) return sys_error("write(" + path + ")");
    return {};
}

} // namespace iso
