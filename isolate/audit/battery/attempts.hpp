#pragma once

#include "isolate/audit/battery/attempt.hpp"

namespace iso::battery {

using Attempt = Finding (*)();

/// The function of a check, or nullptr.
Attempt attempt_of(char const* id);

// files.cpp
Finding host_files();
Finding above_root();
Finding proc_root();
Finding chroot_escape();
Finding working_directory();
Finding inherited_descriptors();
Finding standard_descriptors();
Finding program_file();
Finding runtime_file();
Finding file_handles();
Finding control_sockets();

// mounts.cpp
Finding mount_call();
Finding new_filesystem();
Finding clone_mounts();
Finding writable_again();
Finding umount_call();
Finding pivot_root_call();
Finding propagation();
Finding own_cgroup();
Finding memory_files();

// devices.cpp
Finding make_disk();
Finding make_memory();
Finding disks();
Finding memory_device();
Finding kvm_device();
Finding kernel_devices();
Finding console();
Finding false_null();

// kernel_files.cpp
Finding genuine_proc();
Finding sysrq();
Finding core_pattern();
Finding modprobe_path();
Finding sysctl();
Finding binfmt();
Finding uevent_helper();
Finding release_agent();
Finding group_limits();
Finding power();
Finding hardware_switches();
Finding kernel_memory();
Finding kernel_addresses();
Finding kernel_log_files();
Finding key_list();
Finding timers();
Finding statistics();
Finding firmware();
Finding debug_files();

// calls.cpp
Finding new_users();
Finding new_users_clone3();
Finding new_namespaces();
Finding enter_namespaces();
Finding load_modules();
Finding kexec();
Finding bpf();
Finding perf_events();
Finding userfaultfd();
Finding io_uring();
Finding keyctl();
Finding add_key();
Finding set_clock();
Finding restart();
Finding swap();
Finding accounting();
Finding ports();
Finding kernel_log();
Finding watch_files();
Finding realtime();
Finding personality_call();
Finding i386_calls();
Finding x32_calls();
Finding rare_sockets();
Finding vsock();

// processes.cpp
Finding host_processes();
Finding signal_host();
Finding trace_host();
Finding trace_init();
Finding read_init();
Finding fork_bomb();
Finding memory_bomb();

// shared.cpp
Finding shared_memory();
Finding host_name();
Finding set_host_name();
Finding group_paths();
Finding host_mounts();
Finding host_root();
Finding host_loopback();
Finding abstract_sockets();
Finding interfaces();
Finding way_out();
Finding raw_sockets();
Finding packet_sockets();

// rights.cpp
Finding capabilities();
Finding bounding_set();
Finding inheritable();
Finding new_privileges();
Finding filter();
Finding groups();
Finding terminal_input();
Finding controlling_terminal();

} // namespace iso::battery
