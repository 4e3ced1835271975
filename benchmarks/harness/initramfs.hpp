#pragma once

#include "common/result.hpp"

#include <cstdint>
#include <string>

namespace iso::bench {

/// An archive that a Linux kernel unpacks into its first root: cpio, "newc"
/// (Documentation/driver-api/early-userspace/buffer-format.rst).
class Initramfs {
public:
    void add_directory(std::string const& path);
    void add_file(std::string const& path, std::string const& content, unsigned mode);
    /// A character device, as mknod(1) makes it.
    void add_device(std::string const& path, unsigned major, unsigned minor);
    /// The whole archive, its end included. Paths are those given, without a leading slash.
    [[nodiscard]] std::string finish() &&;

private:
    void add(std::string const& path, unsigned mode, std::string const& content,
             unsigned device_major, unsigned device_minor);

    std::string archive_;
    unsigned inode_ = 0;
};

} // namespace iso::bench
