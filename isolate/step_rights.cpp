// Steps that change who the process is and what it may.
#include "isolate/step_parts.hpp"

#include <cerrno>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

namespace iso::jail::steps {

namespace {

// Raw calls: the C library's wrappers signal all threads, of which there is one.
int set_ids(gid_t const* groups, std::size_t count, uid_t uid, gid_t gid) {
    if (::syscall(SYS_setgroups, count, groups) != 0) return errno;
    if (::syscall(SYS_setresgid, gid, gid, gid) != 0) return errno;
    return result(::syscall(SYS_setresuid, uid, uid, uid));
}

constexpr unsigned long k_last_capability = 63;

} // namespace

int become_root_inside(JailPlan const& plan) {
    return set_ids(nullptr, 0, plan.ids.setup_uid, plan.ids.setup_gid);
}

int become_user(JailPlan const& plan) {
    // Else the change from uid 0 would take the capabilities that are still to be set
    // (capabilities(7), "Effect of user ID changes on capabilities").
    if (::prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) != 0) return errno;
    // One id means one group: setgroups(2) is denied there, and there is nothing to set.
    if (plan.ids.fresh && !plan.ids.by_parent) {
        if (::syscall(SYS_setresgid, plan.gid, plan.gid, plan.gid) != 0) return errno;
        return result(::syscall(SYS_setresuid, plan.uid, plan.uid, plan.uid));
    }
    return set_ids(plan.groups.data(), plan.groups.size(), plan.uid, plan.gid);
}

int drop_bounding(std::uint64_t kept) {
    for (unsigned long capability = 0; capability <= k_last_capability; ++capability) {
        if ((kept >> capability & 1U) != 0) continue;
        if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
            return errno == EINVAL && capability > CAP_AUDIT_READ ? 0 : errno;
    }
    return 0;
}

int drop_capabilities() {
    // uid 0 is no reason to have capabilities, now or after an execve (capabilities(7),
    // "securebits").
    unsigned long const bits = SECURE_ALL_BITS | SECURE_ALL_LOCKS;
    if (::prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) != 0) return errno;
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return errno;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[2] = {};
    return result(::syscall(SYS_capset, &header, none));
}

int set_capabilities(CapabilitySpec const& sets) {
    if (::prctl(PR_SET_SECUREBITS, 0, 0, 0, 0) != 0) return errno;
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return errno;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    for (unsigned half = 0; half < 2; ++half) {
        data[half].effective = static_cast<std::uint32_t>(sets.effective >> 32U * half);
        data[half].permitted = static_cast<std::uint32_t>(sets.permitted >> 32U * half);
        data[half].inheritable = static_cast<std::uint32_t>(sets.inheritable >> 32U * half);
    }
    if (::syscall(SYS_capset, &header, data) != 0) return errno;
    for (unsigned long capability = 0; capability <= k_last_capability; ++capability) {
        if ((sets.ambient >> capability & 1U) == 0) continue;
        if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0) return errno;
    }
    return 0;
}

int set_limit(Step const& step) {
    rlimit limit{};
    auto const resource = static_cast<__rlimit_resource>(step.in);
    if (::getrlimit(resource, &limit) != 0) return errno;
    // A lower limit of the caller's stays: raising one is root's privilege.
    rlim_t const value = limit.rlim_max < step.number ? limit.rlim_max : step.number;
    limit.rlim_cur = value;
    limit.rlim_max = value;
    return result(::setrlimit(resource, &limit));
}

int set_limits_exactly(Step const& step) {
    rlimit const limit{step.number, step.extra};
    return result(::setrlimit(static_cast<__rlimit_resource>(step.in), &limit));
}

} // namespace iso::jail::steps
