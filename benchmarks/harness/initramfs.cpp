#include "benchmarks/harness/initramfs.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

namespace iso::bench {

namespace {

void align(std::string& archive) {
    archive.resize((archive.size() + 3) / 4 * 4);
}

} // namespace

void Initramfs::add(std::string const& path, unsigned mode, std::string const& content,
                    unsigned device_major, unsigned device_minor) {
    // magic, then eight digits each: inode mode uid gid links mtime size, major and minor of where
    // it lies and of what it is, length of the name with its zero byte, checksum (none in "newc").
    archive_ += fmt::format("070701{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}"
                            "{:08X}{:08X}{:08X}",
                            ++inode_, mode, 0, 0, 1, 0, content.size(), 0, 0, device_major,
                            device_minor, path.size() + 1, 0);
    archive_ += path;
    archive_ += '\0';
    align(archive_);
    archive_ += content;
    align(archive_);
}

void Initramfs::add_directory(std::string const& path) {
    add(path, S_IFDIR | 0755U, {}, 0, 0);
}

void Initramfs::add_file(std::string const& path, std::string const& content, unsigned mode) {
    add(path, S_IFREG | mode, content, 0, 0);
}

void Initramfs::add_device(std::string const& path, unsigned major, unsigned minor) {
    add(path, S_IFCHR | 0600U, {}, major, minor);
}

std::string Initramfs::finish() && {
    add("TRAILER!!!", 0, {}, 0, 0);
    return std::move(archive_);
}

} // namespace iso::bench
