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
    private_mounts,     ///< no mount event travels between us and the host
    take_tree,          ///< open_tree(path) -> slot `out`
    require_device,     ///< slot `in` is the character device `number`
    new_filesystem,     ///< fsopen(`path`) with options `text` -> slot `out`
    restrict_mount,     ///< mount_setattr on slot `in` with attributes `number`
    await_parent,       ///< one byte from the parent: its part is done
    become_root_inside, ///< setgroups, setresgid, setresuid
    enter_root,         ///< move_mount slot `in` over /, fchdir into it
    switch_root,        ///< pivot_root(".", ".")
    detach_host,        ///< umount2(".", MNT_DETACH)
    make_directory,     ///< `path`, mode `number`
    make_file,          ///< an empty file to mount over
    make_link,          ///< symlink `text` at `path`
    attach,             ///< move_mount slot `in` at `path`
    mask, ///< hide the file or directory at `path`, slots `in` (file) and `out` (directory)
    make_read_only,    ///< mount_setattr(`path`, RDONLY)
    set_limit,         ///< setrlimit(resource `in`, `number`)
    drop_bounding,     ///< prctl(PR_CAPBSET_DROP) for each capability
    drop_capabilities, ///< securebits, ambient set, capset(0)
    no_new_privileges, ///< prctl(PR_SET_NO_NEW_PRIVS)
    not_dumpable,      ///< prctl(PR_SET_DUMPABLE, 0)
    outlive_parent,    ///< prctl(PR_SET_PDEATHSIG, 0)
    await_start,       ///< accept on the socket of a created jail until somebody starts it
    filter_calls,      ///< seccomp(2)
    start_program,     ///< clone: from here on in the program's own process
    new_session,       ///< setsid
    default_signals,   ///< an empty signal mask
    change_directory,  ///< chdir(`path`)
    close_descriptors, ///< close_range(3, ~0, CLOEXEC)
    execute,           ///< execve
    leave,             ///< _exit(0): a rehearsal ends here
};

/// A step: what is called, on what, and why. The child executes it, --explain prints it, --trace
/// shows it as it happens: one source for all three.
struct Step {
    Op op;
    char const* why = "";
    std::string path;
    std::string text;
    std::uint64_t number = 0;
    int in = -1;
    int out = -1;
    bool may_be_missing = false; ///< ENOENT means that there is nothing to do
    bool may_exist = false;      ///< EEXIST means that there is nothing to do
    bool may_be_refused = false; ///< EPERM leaves an empty place, noted in the report
};

inline constexpr std::size_t k_max_steps = 4096;
inline constexpr std::size_t k_max_slots = 1024;

/// Who the program is on the host.
struct IdMap {
    bool by_parent =
        false; ///< the parent writes the maps (it needs CAP_SETUID); else the child does
    bool may_mount = false; ///< the parent may clone mounts (it needs CAP_SYS_ADMIN)
    uid_t host_uid = 0;     ///< what uid 0 inside is outside
    gid_t host_gid = 0;

    [[nodiscard]] char const* backend() const { return by_parent ? "root" : "userns"; }
};

/// A jail to be made: what it is, and how this run of isolate goes about it.
struct JailOptions {
    JailSpec spec;
    RunOptions run; ///< of these only what is no property of the jail: time, telling, reporting
    std::span<char>
        command_line; ///< our own argv strings, wiped in process 1: they tell of the host
    GroupBackendKind group_backend = k_usual_group_backend;
    bool rehearsal = false; ///< end where the program would start
};

/// Everything that the child needs, prepared before it exists: after clone it neither allocates
/// nor formats nor looks anything up.
struct JailPlan {
    std::vector<Step> steps;
    std::size_t parent_steps = 0; ///< so many are the parent's, before the child exists
    std::size_t program_step = 0; ///< index of Op::start_program
    IdMap ids;
    std::span<sock_filter const> filter;
    std::string program;     ///< absolute path, the same outside and inside
    std::vector<char*> argv; ///< pointers into `words`
    std::vector<char*> envp;
    std::vector<std::string> words;
    std::vector<std::string> notes; ///< what --explain says about decisions taken
    bool await_cgroup = false; ///< a second byte comes from the parent before the program starts
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

/// Who the program shall be on the host: see docs in id_map.cpp.
IdMap choose_ids();

/// The kernel call of a step as text, for --explain, --trace and errors: "pivot_root(., .)".
std::string describe(Step const& step);

} // namespace iso::jail
