#pragma once

#include <cstdint>
#include <span>

namespace iso::jail {

/// What came of an attempt.
enum class State : std::uint8_t {
    held,           ///< it failed
    open,           ///< it succeeded
    not_applicable, ///< there is nothing here that could be attempted
    unknown,        ///< it did not come to an end: as bad as open
};
inline constexpr char const* k_state_names[] = {"held", "open", "not applicable", "unknown"};

/// What an attempt failed at, as far as it can be told from inside.
enum class By : std::uint8_t {
    nothing,
    seccomp,      ///< the system call filter
    capabilities, ///< the process has not the one that is asked for
    user_namespace,
    mount_namespace,
    pid_namespace,
    network_namespace,
    ipc_namespace,
    uts_namespace,
    cgroup_namespace,
    root,        ///< there is no such file in its root
    read_only,   ///< a mount that cannot be written to
    mask,        ///< the file is covered
    permissions, ///< the modes of a file
    descriptors, ///< it was closed before
    session,     ///< the program has one of its own, without a terminal
    new_privileges,
    seal, ///< the program's file is a sealed one in memory
    limit,
    kernel, ///< this kernel, or a setting of it, lets nobody like this process
};
inline constexpr char const* k_by_names[] = {"",
                                             "seccomp",
                                             "capabilities",
                                             "user namespace",
                                             "mount namespace",
                                             "pid namespace",
                                             "network namespace",
                                             "ipc namespace",
                                             "uts namespace",
                                             "cgroup namespace",
                                             "its root",
                                             "read-only",
                                             "mask",
                                             "permissions",
                                             "descriptors",
                                             "session",
                                             "no new privileges",
                                             "seal",
                                             "limit",
                                             "kernel"};

/// What of a jail's description can let an attempt succeed: those of its options that make it
/// weaker than the usual jail. One bit each.
enum Opening : std::uint32_t {
    k_by_user = 1U << 0U, ///< its namespaces: the host's, or joined
    k_by_mount = 1U << 1U,
    k_by_pid = 1U << 2U,
    k_by_network = 1U << 3U,
    k_by_ipc = 1U << 4U,
    k_by_uts = 1U << 5U,
    k_by_cgroup = 1U << 6U,
    k_by_time = 1U << 7U,
    k_by_capabilities = 1U << 8U,
    k_by_filter = 1U << 9U, ///< another profile than the usual one
    k_by_privileges = 1U << 10U,
    k_by_masks = 1U << 11U, ///< another list of masked paths, or a /proc that is not isolate's
    k_by_root = 1U << 12U,  ///< a directory of the host
    k_by_mounts = 1U << 13U,
    k_by_devices = 1U << 14U,
    k_by_terminal = 1U << 15U,
    k_by_tasks = 1U << 16U, ///< more than the usual
    k_by_groups = 1U << 17U,
    k_by_propagation = 1U << 18U,
    k_by_ids = 1U << 19U, ///< ids of the host that are somebody's
    k_by_bridge = 1U << 20U,
    k_by_hostname = 1U << 21U,
};
inline constexpr unsigned k_openings = 22;
inline constexpr char const* k_opening_names[k_openings] = {"namespace user",
                                                            "namespace mount",
                                                            "namespace pid",
                                                            "namespace network",
                                                            "namespace ipc",
                                                            "namespace uts",
                                                            "namespace cgroup",
                                                            "namespace time",
                                                            "capabilities",
                                                            "seccomp",
                                                            "no-new-privileges",
                                                            "mask",
                                                            "root",
                                                            "mount",
                                                            "device",
                                                            "terminal",
                                                            "pids",
                                                            "group",
                                                            "root-propagation",
                                                            "uid-map",
                                                            "network",
                                                            "hostname"};

/// One attempt of the battery.
struct Check {
    char const* id;
    char const* group;
    char const* title;
    char const* attempt;        ///< what is done
    char const* gain;           ///< what somebody would have from it
    char const* source;         ///< where this was, or could have been, a way out
    std::uint32_t openings = 0; ///< which Openings explain that it succeeds
};

/// All of them, in the order in which they are made.
std::span<Check const> checks();

} // namespace iso::jail
