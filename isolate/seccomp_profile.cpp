#include "isolate/seccomp_profile.hpp"

#include <cerrno>
#include <iterator>

#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>

namespace iso::jail {

namespace {

constexpr std::uint32_t k_first_free = 335; // the x86-64 table skips 335..423
constexpr std::uint32_t k_last_free = 423;
constexpr std::uint32_t k_last_known = 462; // mseal, Linux 6.10

// Numbers that the kernel headers of Debian 12 do not name yet.
constexpr std::uint32_t k_statmount = 457;
constexpr std::uint32_t k_listmount = 458;
constexpr std::uint32_t k_lsm_get_self_attr = 459;
constexpr std::uint32_t k_lsm_set_self_attr = 460;
constexpr std::uint32_t k_lsm_list_modules = 461;

constexpr char const* k_mounts = "the mount tree is the jail's wall";
constexpr char const* k_why_no_namespaces =
    "a new user namespace would give its maker capabilities in it";
constexpr char const* k_modules = "loads code into the kernel";
constexpr char const* k_machine = "changes the whole machine";
constexpr char const* k_clock = "there is one clock for everybody";
constexpr char const* k_keys = "keyrings are not divided by namespaces";
constexpr char const* k_surface = "much kernel code that few programs use";
constexpr char const* k_handles = "opens files by number, past the root directory";
constexpr char const* k_accounting = "belongs to the machine's administrator";
constexpr char const* k_ports = "direct access to input and output ports";
constexpr char const* k_memory_policy = "places memory on the machine's nodes";
constexpr char const* k_obsolete = "obsolete";
constexpr char const* k_lsm = "the security modules are the host's";

constexpr DeniedCall k_denied[] = {
    {SYS_mount, k_mounts},
    {SYS_umount2, k_mounts},
    {SYS_pivot_root, k_mounts},
    {SYS_chroot, k_mounts},
    {SYS_open_tree, k_mounts},
    {SYS_move_mount, k_mounts},
    {SYS_fsopen, k_mounts},
    {SYS_fsconfig, k_mounts},
    {SYS_fsmount, k_mounts},
    {SYS_fspick, k_mounts},
    {SYS_mount_setattr, k_mounts},
    {k_statmount, k_mounts},
    {k_listmount, k_mounts},
    {SYS_unshare, k_why_no_namespaces},
    {SYS_setns, k_why_no_namespaces},
    {SYS_init_module, k_modules},
    {SYS_finit_module, k_modules},
    {SYS_delete_module, k_modules},
    {SYS_kexec_load, k_modules},
    {SYS_kexec_file_load, k_modules},
    {SYS_bpf, k_modules},
    {SYS_reboot, k_machine},
    {SYS_swapon, k_machine},
    {SYS_swapoff, k_machine},
    {SYS_sethostname, k_machine},
    {SYS_setdomainname, k_machine},
    {SYS_syslog, k_machine},
    {SYS_vhangup, k_machine},
    {SYS_settimeofday, k_clock},
    {SYS_clock_settime, k_clock},
    {SYS_clock_adjtime, k_clock},
    {SYS_adjtimex, k_clock},
    {SYS_add_key, k_keys},
    {SYS_request_key, k_keys},
    {SYS_keyctl, k_keys},
    {SYS_perf_event_open, k_surface},
    {SYS_userfaultfd, k_surface},
    {SYS_io_uring_setup, k_surface},
    {SYS_io_uring_enter, k_surface},
    {SYS_io_uring_register, k_surface},
    {SYS_fanotify_init, k_surface},
    {SYS_fanotify_mark, k_surface},
    {SYS_process_madvise, k_surface},
    {SYS_memfd_secret, k_surface},
    {SYS_open_by_handle_at, k_handles},
    {SYS_name_to_handle_at, k_handles},
    {SYS_acct, k_accounting},
    {SYS_quotactl, k_accounting},
    {SYS_quotactl_fd, k_accounting},
    {SYS_lookup_dcookie, k_accounting},
    {SYS_ioperm, k_ports},
    {SYS_iopl, k_ports},
    {SYS_mbind, k_memory_policy},
    {SYS_set_mempolicy, k_memory_policy},
    {SYS_get_mempolicy, k_memory_policy},
    {SYS_migrate_pages, k_memory_policy},
    {SYS_move_pages, k_memory_policy},
    {SYS_set_mempolicy_home_node, k_memory_policy},
    {SYS_uselib, k_obsolete},
    {SYS_ustat, k_obsolete},
    {SYS_sysfs, k_obsolete},
    {SYS_modify_ldt, k_obsolete},
    {k_lsm_get_self_attr, k_lsm},
    {k_lsm_set_self_attr, k_lsm},
    {k_lsm_list_modules, k_lsm},
};

constexpr std::uint32_t k_linux32_uname26 = std::uint32_t{PER_LINUX32} | std::uint32_t{UNAME26};

/// CLONE_NEWTIME is missing on purpose: in clone(2) its bit belongs to the exit signal.
constexpr std::uint32_t k_new_namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                           CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                           CLONE_NEWNET;

} // namespace

std::span<DeniedCall const> denied_calls() {
    return k_denied;
}

SeccompPolicy default_profile() {
    SeccompAction const allow = SeccompAction::allow();
    SeccompAction const refuse = SeccompAction::fail(EPERM);
    SeccompAction const unknown = SeccompAction::fail(ENOSYS);
    SeccompPolicy policy;
    policy.unlisted = unknown;
    policy.wrong_architecture = unknown;
    policy.ranges = {{0, k_last_known, allow}, {k_first_free, k_last_free, unknown}};
    for (DeniedCall const& call : k_denied)
        policy.calls[call.number] = refuse;
    // clone3 passes its flags in memory, which a filter cannot read; C libraries fall back to
    // clone.
    policy.calls[SYS_clone3] = unknown;

    policy.tests[SYS_clone] = {
        0, ArgumentTest::Kind::any_bit_of, {k_new_namespaces}, refuse, allow};
    // TIOCSTI types into a terminal as if its user had; TIOCLINUX pastes there; TIOCSETD loads line
    // disciplines (ioctl_tty(2)).
    policy.tests[SYS_ioctl] = {
        1, ArgumentTest::Kind::one_of, {TIOCSTI, TIOCLINUX, TIOCSETD}, refuse, allow};
    // The address families that ordinary programs use. AF_VSOCK reaches the hypervisor, and
    // namespaces do not divide it; the others are rarely used kernel code.
    policy.tests[SYS_socket] = {
        0, ArgumentTest::Kind::one_of, {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK}, allow, refuse};
    policy.tests[SYS_socketpair] = {0, ArgumentTest::Kind::one_of, {AF_UNIX}, allow, refuse};
    // 0xffffffff only asks; the others choose no weaker address-space layout (personality(2)).
    policy.tests[SYS_personality] = {
        0,
        ArgumentTest::Kind::one_of,
        {PER_LINUX, PER_LINUX32, UNAME26, k_linux32_uname26, 0xffffffff},
        allow,
        refuse};
    return policy;
}

} // namespace iso::jail
