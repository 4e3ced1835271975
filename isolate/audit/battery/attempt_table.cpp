// Which function makes which attempt.
#include "isolate/audit/battery/attempts.hpp"

#include <cstring>

namespace iso::battery {

namespace {

struct Named {
    char const* id;
    Attempt attempt;
};

constexpr Named k_attempts[] = {
    {"host-files", host_files},
    {"above-root", above_root},
    {"proc-root", proc_root},
    {"chroot-escape", chroot_escape},
    {"working-directory", working_directory},
    {"inherited-descriptors", inherited_descriptors},
    {"standard-descriptors", standard_descriptors},
    {"program-file", program_file},
    {"runtime-file", runtime_file},
    {"file-handles", file_handles},
    {"control-sockets", control_sockets},
    {"mount-call", mount_call},
    {"new-filesystem", new_filesystem},
    {"clone-mounts", clone_mounts},
    {"writable-again", writable_again},
    {"umount", umount_call},
    {"pivot-root", pivot_root_call},
    {"propagation", propagation},
    {"make-disk", make_disk},
    {"make-memory", make_memory},
    {"disks", disks},
    {"memory-device", memory_device},
    {"kvm-device", kvm_device},
    {"kernel-devices", kernel_devices},
    {"console", console},
    {"false-null", false_null},
    {"genuine-proc", genuine_proc},
    {"sysrq", sysrq},
    {"core-pattern", core_pattern},
    {"modprobe-path", modprobe_path},
    {"sysctl", sysctl},
    {"binfmt", binfmt},
    {"uevent-helper", uevent_helper},
    {"release-agent", release_agent},
    {"own-cgroup", own_cgroup},
    {"group-limits", group_limits},
    {"power", power},
    {"hardware-switches", hardware_switches},
    {"kernel-memory", kernel_memory},
    {"kernel-addresses", kernel_addresses},
    {"kernel-log-files", kernel_log_files},
    {"key-list", key_list},
    {"timers", timers},
    {"statistics", statistics},
    {"firmware", firmware},
    {"debug-files", debug_files},
    {"new-users", new_users},
    {"new-users-clone3", new_users_clone3},
    {"new-namespaces", new_namespaces},
    {"enter-namespaces", enter_namespaces},
    {"load-modules", load_modules},
    {"kexec", kexec},
    {"bpf", bpf},
    {"perf-events", perf_events},
    {"userfaultfd", userfaultfd},
    {"io-uring", io_uring},
    {"keyctl", keyctl},
    {"add-key", add_key},
    {"set-clock", set_clock},
    {"restart", restart},
    {"swap", swap},
    {"accounting", accounting},
    {"ports", ports},
    {"kernel-log", kernel_log},
    {"watch-files", watch_files},
    {"realtime", realtime},
    {"personality", personality_call},
    {"i386-calls", i386_calls},
    {"x32-calls", x32_calls},
    {"rare-sockets", rare_sockets},
    {"vsock", vsock},
    {"host-processes", host_processes},
    {"signal-host", signal_host},
    {"trace-host", trace_host},
    {"trace-init", trace_init},
    {"read-init", read_init},
    {"shared-memory", shared_memory},
    {"host-name", host_name},
    {"set-host-name", set_host_name},
    {"group-paths", group_paths},
    {"host-mounts", host_mounts},
    {"host-root", host_root},
    {"host-loopback", host_loopback},
    {"abstract-sockets", abstract_sockets},
    {"interfaces", interfaces},
    {"way-out", way_out},
    {"raw-sockets", raw_sockets},
    {"packet-sockets", packet_sockets},
    {"capabilities", capabilities},
    {"bounding-set", bounding_set},
    {"inheritable", inheritable},
    {"new-privileges", new_privileges},
    {"filter", filter},
    {"groups", groups},
    {"terminal-input", terminal_input},
    {"controlling-terminal", controlling_terminal},
    {"fork-bomb", fork_bomb},
    {"memory-files", memory_files},
    {"memory-bomb", memory_bomb},
};

} // namespace

Attempt attempt_of(char const* id) {
    for (Named const& each : k_attempts)
        if (std::strcmp(each.id, id) == 0) return each.attempt;
    return nullptr;
}

} // namespace iso::battery
