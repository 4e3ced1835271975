#include "isolate/landlock.hpp"

#include <cerrno>
#include <unistd.h>

#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace iso::jail {

namespace {

// Rights that the headers of Debian 12 do not name yet.
constexpr std::uint64_t k_truncate = 1U << 14;           // ABI 3, Linux 6.2
constexpr std::uint64_t k_device_control = 1U << 15;     // ABI 5, Linux 6.10
constexpr std::uint64_t k_first_rights = (1U << 13) - 1; // ABI 1, Linux 5.13

constexpr std::uint64_t k_reading =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t k_of_files = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
                                     LANDLOCK_ACCESS_FS_WRITE_FILE | k_truncate | k_device_control;

} // namespace

Result<LandlockRights> landlock_rights() {
    long const version =
        ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1)
        return sys_error("landlock_create_ruleset",
                         "a kernel with CONFIG_SECURITY_LANDLOCK and landlock in its lsm= list, or "
                         "no Landlock rules");
    LandlockRights rights;
    rights.all = k_first_rights;
    if (version >= 2) rights.all |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3) rights.all |= k_truncate;
    if (version >= 5) rights.all |= k_device_control;
    rights.reading = k_reading;
    rights.of_files = k_of_files & rights.all;
    return rights;
}

int landlock_begin(std::uint64_t handled, int& rules) {
    landlock_ruleset_attr attr{};
    attr.handled_access_fs = handled;
    rules = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0));
    return rules < 0 ? errno : 0;
}

int landlock_allow(int rules, int path, std::uint64_t rights) {
    struct stat info {};
    if (::fstat(path, &info) != 0) return errno;
    landlock_path_beneath_attr attr{};
    attr.allowed_access = S_ISDIR(info.st_mode) ? rights : rights & k_of_files;
    attr.parent_fd = path;
    return ::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &attr, 0) != 0
               ? errno
               : 0;
}

int landlock_enforce(int rules) {
    return ::syscall(SYS_landlock_restrict_self, rules, 0) != 0 ? errno : 0;
}

} // namespace iso::jail
