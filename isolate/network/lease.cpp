#include "isolate/network/lease.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <charconv>
#include <filesystem>
#include <unistd.h>

#include <sys/file.h>
#include <sys/stat.h>

namespace iso::jail {

namespace {

std::string dotted(std::uint32_t address) {
    return fmt::format("{}.{}.{}.{}", address >> 24U, address >> 16U & 255U, address >> 8U & 255U,
                       address & 255U);
}

} // namespace

Result<Subnet> Subnet::parse(std::string const& text) {
    std::size_t const slash = text.find('/');
    in_addr address{};
    Subnet subnet;
    bool sound = ::inet_pton(AF_INET, text.substr(0, slash).c_str(), &address) == 1;
    if (sound && slash != std::string::npos) {
        char const* const end = text.data() + text.size();
        auto const [rest, problem] = std::from_chars(text.data() + slash + 1, end, subnet.prefix);
        sound = problem == std::errc{} && rest == end && subnet.prefix >= 8 && subnet.prefix <= 30;
    }
    subnet.gateway = ntohl(address.s_addr);
    if (!sound || subnet.gateway < subnet.first() || subnet.gateway > subnet.last())
        return refused("gateway", "'" + text + "' is no IPv4 address of a host with its subnet",
                       "10.88.0.1/16, with 8 to 30 bits");
    return subnet;
}

std::uint32_t Subnet::first() const {
    return (gateway & ~(~0U >> prefix)) + 1;
}

std::uint32_t Subnet::last() const {
    return (gateway | ~0U >> prefix) - 1;
}

std::string Subnet::text(std::uint32_t address) const {
    return fmt::format("{}/{}", dotted(address), prefix);
}

std::string Subnet::gateway_text() const {
    return dotted(gateway);
}

Result<FileLock> FileLock::lock(std::string const& path, bool wait) {
    for (;;) {
        FileLock made;
        made.fd_ = TRY(Fd::open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
        made.path_ = path;
        while (::flock(made.fd_.get(), LOCK_EX | (wait ? 0 : LOCK_NB)) != 0) {
            if (errno == EWOULDBLOCK) return FileLock();
            if (errno != EINTR) return sys_error("flock(" + path + ")");
        }
        // Its last holder may have removed it: then the lock is on a file that nobody else finds.
        struct stat held {};
        struct stat named {};
        if (::fstat(made.fd_.get(), &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
            held.st_ino == named.st_ino && held.st_dev == named.st_dev)
            return made;
    }
}

Result<FileLock> FileLock::take(std::string const& path) {
    return lock(path, true);
}

Result<FileLock> FileLock::try_take(std::string const& path) {
    return lock(path, false);
}

void FileLock::remove() {
    if (fd_) ::unlink(path_.c_str());
    fd_.reset();
}

void sweep_leases(std::string const& directory) {
    std::error_code ignored;
    for (auto const& entry : std::filesystem::directory_iterator(directory, ignored)) {
        std::string const path = entry.path().string();
        in_addr address{};
        if (::inet_pton(AF_INET, entry.path().filename().c_str(), &address) != 1) continue;
        if (auto lock = FileLock::try_take(path); lock && lock->valid()) lock->remove();
    }
}

Result<Lease> lease_address(std::string const& directory, Subnet const& subnet) {
    for (std::uint32_t address = subnet.first(); address <= subnet.last(); ++address) {
        if (address == subnet.gateway) continue;
        FileLock lock = TRY(FileLock::try_take(directory + "/" + dotted(address)));
        if (lock.valid()) return Lease{address, std::move(lock)};
    }
    return error("address", "every address of " + subnet.text(subnet.gateway) + " is in use",
                 "a larger subnet, or --address");
}

} // namespace iso::jail
