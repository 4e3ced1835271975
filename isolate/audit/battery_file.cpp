#include "isolate/audit/battery_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/stat.h>

extern "C" char const iso_audit_battery_start[];
extern "C" char const iso_audit_battery_end[];

namespace iso::jail {

std::span<char const> battery_bytes() {
    return {iso_audit_battery_start,
            static_cast<std::size_t>(iso_audit_battery_end - iso_audit_battery_start)};
}

Result<Fd> sealed_battery() {
    constexpr unsigned k_executable = 0x10; // MFD_EXEC, since Linux 6.3
    unsigned const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    Fd file(::memfd_create("isolate-battery", flags | k_executable));
    if (!file && errno == EINVAL) file = Fd(::memfd_create("isolate-battery", flags));
    if (!file)
        return sys_error("memfd_create(battery)",
                         "vm.memfd_noexec below 2: the battery is executed from memory");
    auto const bytes = battery_bytes();
    TRY(write_all(file.get(), {bytes.data(), bytes.size()}));
    // Not even its owner may write to it, whom a jail may have as its own.
    if (::fchmod(file.get(), 0555) != 0) return sys_error("fchmod(battery)");
    if (::fcntl(file.get(), F_ADD_SEALS,
                F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
        return sys_error("fcntl(battery, F_ADD_SEALS)");
    return file;
}

Result<void> write_battery(std::string const& path) {
    auto file = Fd::open(path, O_WRONLY | O_CREAT | O_EXCL, 0755);
    if (!file)
        return tl::unexpected<Error>(std::move(file.error()).with_hint("a name that is free"));
    auto const bytes = battery_bytes();
    return write_all(file->get(), {bytes.data(), bytes.size()});
}

} // namespace iso::jail
