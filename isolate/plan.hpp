#pragma once

#include "common/result.hpp"
#include "common/run_options.hpp"
#include "isolate/limits/backend.hpp"
#include "isolate/seccomp_compiler.hpp"
#include "isolate/spec/spec.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

namespace iso::jail {

/// One kernel call of the set-up (or a fixed small group of calls with one purpose).
enum class Op : std::uint8_t {
    die_with_parent,    ///< prctl(PR_SET_PDEATHSIG)
    write_file,         ///< `text` to `path`
    loopback_up,        ///< SIOCSIFFLAGS on lo
    set_hostname,       ///< `text`
    set_domainname,     ///< `text`
    open_namespace,     ///< open(`path`) -> slot `out`
    join_namespace,     ///< setns(slot `in`, kind `number`)
    offset_clocks,      ///< a time namespace with the offsets `text`, entered
    new_cgroup_view,    ///< unshare(CLONE_NEWCGROUP); the one before -> slot `out`, if that is set
    new_keyring,        ///< keyctl(KEYCTL_JOIN_SESSION_KEYRING)
    move_mounts_to_us,  ///< propagation `number` for all mounts: which events reach us
    take_tree,          ///< open_tree(path) -> slot `out`
    require_device,     ///< slot `in` is the device `number`; character `text` "c" or "b"
    new_filesystem,     ///< fsopen(`path`) with options `text` -> slot `out`
    open_layer,         ///< O_PATH descriptor of the directory `path` -> slot `out`
    cover_root,         ///< move_mount slot `in` over /: only what is mounted can be a layer
    uncover_root,       ///< umount2 of slot `in` again, which else would stay over the host
    make_layers,        ///< the directories "upper" and "work" in slot `in`, of id `number`
    new_overlay,        ///< overlayfs of lower `in` and upper slot `number` -> slot `out`
    restrict_mount,     ///< mount_setattr on slot `in`: attributes `number`, propagation `extra`
    outlive_parent,     ///< prctl(PR_SET_PDEATHSIG, 0)
    open_terminal,      ///< a pseudo-terminal of the jail's own; `number`: also as /dev/console
    take_terminal,      ///< TIOCSCTTY on it
    own_streams,        ///< fchown(0, 1 and 2) where they are pipes, or (`number`) the terminal
    find_program,       ///< whether any of the plan's candidates is a file; relative to `path`
    tell_parent,        ///< one byte to the parent: what comes before is done
    await_start,        ///< accept on the socket of a created jail until somebody starts it
    await_parent,       ///< one byte from the parent: its part is done
    become_root_inside, ///< setgroups, setresgid, setresuid: the id that sets up
    enter_root,         ///< move_mount slot `in` over /, fchdir into it
    switch_root,        ///< pivot_root(".", ".")
    detach_host,        ///< umount2(".", MNT_DETACH)
    change_root,        ///< chroot(`path`), where no mount may be made
    make_directory,     ///< `path`, mode `number`, in a root of our own making
    make_file,          ///< an empty file to mount over, there too
    make_link,          ///< symlink `text` at `path`, there too
    place_directory,    ///< `path` and what leads there, in a root that others filled
    place_file,         ///< an empty file, there too
    place_link,         ///< symlink `text` at `path`, there too
    place_node,         ///< mknod(`path`, mode `number`, device `extra`)
    copy_up,            ///< what is at `path` into slot `in`, which will cover it
    attach,             ///< move_mount slot `in` at `path`, no symbolic link on the way
    attach_inside,      ///< the same; links are followed as far as they stay in the root
    mask,               ///< hide what is at `path`; slots `in` (for a file), `out` (a directory)
    cover_read_only,    ///< a read-only clone of `path` over itself
    make_read_only,     ///< mount_setattr(`path`, RDONLY)
    set_propagation,    ///< mount(`path`, `number`)
    forget_host,        ///< close what the slots hold
    set_limit,          ///< setrlimit(resource `in`, `number`), as far as the caller's goes
    set_limits_exactly, ///< setrlimit(resource `in`, soft `number`, hard `extra`)
    drop_bounding,      ///< prctl(PR_CAPBSET_DROP) for each capability not in `number`
    become_user,        ///< setgroups(the plan's), setresgid, setresuid; capabilities are kept
    drop_capabilities,  ///< securebits, ambient set, capset(0)
    set_capabilities,   ///< capset and the ambient set, as the plan has them
    no_new_privileges,  ///< prctl(PR_SET_NO_NEW_PRIVS)
    not_dumpable,       ///< prctl(PR_SET_DUMPABLE, 0)
    landlock_begin,     ///< landlock_create_ruleset(rights `number`) -> slot `out`
    landlock_allow,     ///< rights `number` below `path`, in the rule set `in`
    landlock_enforce,   ///< landlock_restrict_self(slot `in`)
    filter_calls,       ///< seccomp(2)
    start_program,      ///< clone: from here on in the program's own process
    new_session,        ///< setsid
    default_signals,    ///< an empty signal mask
    set_umask,          ///< umask(`number`)
    change_directory,   ///< chdir(`path`), not through a magic link
    close_descriptors,  ///< close_range(3 + `number`, ~0, CLOEXEC)
    execute,            ///< execve
    leave,              ///< _exit(0): a rehearsal ends here
};

/// A step: what is called, on what, and why. The child executes it, --explain prints it, --trace
/// shows it as it happens: one source for all three.
struct Step {
    Op op;
    char const* why = "";
    std::string path;
    std::string text;
    std::uint64_t number = 0;
    std::uint64_t extra = 0;
    int in = -1;
    int out = -1;
    bool may_be_missing = false; ///< ENOENT means that there is nothing to do
    bool may_exist = false;      ///< EEXIST means that there is nothing to do
    bool may_be_refused = false; ///< EPERM leaves an empty place, noted in the report
};

inline constexpr std::size_t k_max_steps = 4096;
inline constexpr std::size_t k_max_slots = 1024;

/// Which ids exist inside, and who they are on the host (user_namespaces(7)).
struct IdMap {
    bool fresh = true; ///< a user namespace of its own; else no map is written
    bool by_parent =
        false; ///< the parent writes the maps (it needs CAP_SETUID); else the child does
    bool by_helper = false; ///< newuidmap(1) and newgidmap(1) write them for the parent
    bool may_mount = false; ///< the parent may clone mounts (it needs CAP_SYS_ADMIN)
    std::vector<IdRange> uids, gids;
    uid_t setup_uid = 0; ///< the id inside that builds the jail
    gid_t setup_gid = 0;
    uid_t host_uid = 0; ///< what that is outside
    gid_t host_gid = 0;

    [[nodiscard]] char const* backend() const { return by_parent || !fresh ? "root" : "userns"; }
};

/// A jail to be made: what it is, and how this run of isolate goes about it.
struct JailOptions {
    JailSpec spec;
    RunOptions run; ///< of these only what is no property of the jail: time, telling, reporting
    std::span<char>
        command_line; ///< our own argv strings, wiped in process 1: they tell of the host
    GroupBackendKind group_backend = k_usual_group_backend;
    std::string unpacked;     ///< where a root from an archive or image was unpacked
    int program = -1;         ///< a descriptor to execute in the place of the program, if not -1
    bool rehearsal = false;   ///< end where the program would start
    bool own_init = true;     ///< process 1 is isolate's; else it becomes the program (OCI)
    int kept_descriptors = 0; ///< the program gets so many from 3 on, beside 0, 1 and 2
    std::vector<GroupPlace> groups; ///< the jail's control group, for mounts that show it
    bool dry_run = false;           ///< tell the plan, make nothing
};

/// Everything that the child needs, prepared before it exists: after clone it neither allocates
/// nor formats nor looks anything up.
struct JailPlan {
    std::vector<Step> steps;
    std::size_t parent_steps = 0;  ///< so many are the parent's, before the child exists
    std::size_t door_steps = 0;    ///< up to here: in between, in a process that joins namespaces
    std::size_t program_step = 0;  ///< index of Op::start_program
    std::uint64_t clone_flags = 0; ///< which namespaces are made with the child
    IdMap ids;
    std::span<sock_filter const> filter;
    SeccompProgram own_filter; ///< what `filter` shows, unless that is the default one
    unsigned filter_flags = 0;
    CapabilitySpec capabilities;
    std::vector<gid_t> groups;
    uid_t uid = 0; ///< whom the program runs as, inside
    gid_t gid = 0;
    std::string program; ///< absolute path, the same outside and inside; or as the caller wrote it
    int program_fd = -1; ///< executed in its place: JailOptions::program
    std::vector<std::string> candidates; ///< where to look for a program of the root's own
    std::vector<char*> argv;             ///< pointers into `words`
    std::vector<char*> envp;
    std::vector<std::string> words;
    bool own_init = true;      ///< else process 1 becomes the program
    bool await_cgroup = false; ///< a byte comes from the parent when the groups are joined
    int slots = 0;

    [[nodiscard]] char const* backend() const { return ids.backend(); }
};

/// How the memory limit of a jail is enforced.
enum class MemoryLimit {
    none,
    cgroup,
    address_space,
    address_space_in_cgroup, ///< there is a control group, but not for memory
};

/// Checks the program and the options against this machine and writes the plan.
/// Errors: the program is missing (127) or cannot be executed in this jail (126); anything else
/// 125.
Result<JailPlan> make_plan(JailOptions const& options, IdMap const& ids, MemoryLimit memory);

/// The plan of one more program in a jail that stands, from the point where its process has entered
/// that: its limits, rights, filter, and the program. `ids`: those of the jail.
/// Errors: as from make_plan().
Result<JailPlan> make_exec_plan(JailOptions const& options, IdMap const& ids, MemoryLimit memory);

/// Which ids the jail shall have: see docs in id_map.cpp.
IdMap choose_ids(JailSpec const& spec = {});

/// Writes the maps of a child that waits for it. Errors: an id that the caller may not map.
Result<void> write_id_maps(IdMap const& ids, pid_t child);

/// The kernel call of a step as text, for --explain, --trace and errors: "pivot_root(., .)".
std::string describe(Step const& step);
/// "CLONE_NEWUSER|NEWNS|NEWPID": the namespaces among clone(2)'s flags.
std::string describe_namespaces(std::uint64_t clone_flags);

} // namespace iso::jail
