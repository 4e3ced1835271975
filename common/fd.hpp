#pragma once

#include "common/result.hpp"

#include <cstddef>
#include <fcntl.h>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace iso {

/// Owns a file descriptor. Everything it opens is close-on-exec.
class [[nodiscard]] Fd {
public:
    Fd() = default;
    explicit Fd(int fd)
        : fd_(fd) {}
    Fd(Fd&& other) noexcept
        : fd_(other.release()) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) reset(other.release());
        return *this;
    }
    ~Fd() { reset(); }

    /// open(2) with O_CLOEXEC. Errors: `op` is "open(PATH)".
    static Result<Fd> open(std::string const& path, int flags, mode_t mode = 0600,
                           std::source_location at = std::source_location::current());

    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool valid() const { return fd_ >= 0; }
    explicit operator bool() const { return valid(); }
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }
    void reset(int fd = -1);

private:
    int fd_ = -1;
};

/// Both ends of a close-on-exec pipe.
struct Pipe {
    Fd read;
    Fd write;
    static Result<Pipe> create();
};

/// Writes everything, over short writes and EINTR.
Result<void> write_all(int fd, std::string_view data);

/// Reads to the end of the file, at most `limit` bytes (more is an error).
Result<std::string> read_all(int fd, std::size_t limit = std::size_t{64} << 20U);

/// Reads a whole (small) file, as in /proc and /sys.
Result<std::string> read_file(std::string const& path, std::size_t limit = std::size_t{64} << 20U);

/// Replaces the contents of a file in one write(2), as files in /proc and cgroupfs ask for.
Result<void> write_file(std::string const& path, std::string_view data);

} // namespace iso
