#pragma once

#include "common/fd.hpp"
#include "isolate/spec/spec.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace iso::jail {

/// An IPv4 subnet with the address that the host has in it.
struct Subnet {
    std::uint32_t gateway = 0;
    unsigned prefix = 24;

    /// "10.0.0.1/24". Errors: anything else, and prefixes with no room for a jail (0-7, 31, 32).
    static Result<Subnet> parse(std::string const& text);
    [[nodiscard]] std::uint32_t first() const; ///< that a host can have
    [[nodiscard]] std::uint32_t last() const;
    [[nodiscard]] std::string text(std::uint32_t address) const; ///< with the prefix
    [[nodiscard]] std::string gateway_text() const;              ///< without
};

/// The lock on a file, which the kernel takes back however its holder ends (flock(2)).
class [[nodiscard]] FileLock {
public:
    /// Waits for it.
    static Result<FileLock> take(std::string const& path);
    /// The same without waiting: invalid when somebody has it.
    static Result<FileLock> try_take(std::string const& path);
    [[nodiscard]] bool valid() const { return fd_.valid(); }
    /// Removes the file; the lock goes with this object.
    void remove();

private:
    static Result<FileLock> lock(std::string const& path, bool wait);
    Fd fd_;
    std::string path_;
};

/// An address that no other jail has as long as this object lives: it holds the lock on a file of
/// that name, so that no death leaves an address taken.
struct Lease {
    std::uint32_t address = 0;
    FileLock lock;
};

/// Removes the files of addresses whose holders were killed.
void sweep_leases(std::string const& directory);

/// The first free address of the subnet. Errors: none is free.
Result<Lease> lease_address(std::string const& directory, Subnet const& subnet);

} // namespace iso::jail
