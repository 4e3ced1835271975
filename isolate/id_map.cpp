#include "common/fd.hpp"
#include "isolate/plan.hpp"

#include <array>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/syscall.h>

// Who the program is on the host.
//
// Inside, the program is always uid 0 of its own user namespace, without any capability. Outside:
//  * an ordinary user's program is that user (the only id that such a user may map,
//    user_namespaces(7), "Defining user and group ID mappings");
//  * root's program is an id that nobody else has. It is never the host's root: files of root would
//    be its own, and the kernel does not apply RLIMIT_NPROC to the host's root, so a fork bomb
//    would not be bounded.

namespace iso::jail {

namespace {

/// Above every range that distributions hand out (systemd's containers end at 0x6fffffff).
constexpr uid_t k_first_private_id = 0x70000000;
constexpr uid_t k_private_ids = 0x400000; // one for each process id there can be

/// The first 32 capabilities that isolate has.
std::uint32_t capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> data{};
    return ::syscall(SYS_capget, &header, data.data()) == 0 ? data[0].effective : 0;
}

bool may_map_any_id(std::uint32_t capable) {
    std::uint32_t const wanted = (1U << CAP_SETUID) | (1U << CAP_SETGID);
    if ((capable & wanted) != wanted) return false;
    // In a container the ids beyond its own map do not exist.
    auto const map = read_file("/proc/self/uid_map", 4096);
    return map && map->find("4294967295") != std::string::npos;
}

} // namespace

IdMap choose_ids() {
    IdMap ids;
    ids.host_uid = ::geteuid();
    ids.host_gid = ::getegid();
    if (ids.host_uid != 0) return ids;
    std::uint32_t const capable = capabilities();
    if (may_map_any_id(capable)) {
        ids.by_parent = true;
        ids.may_mount = (capable & (1U << CAP_SYS_ADMIN)) != 0;
        ids.host_uid = k_first_private_id + static_cast<uid_t>(::getpid()) % k_private_ids;
        ids.host_gid = ids.host_uid;
    }
    return ids;
}

} // namespace iso::jail
