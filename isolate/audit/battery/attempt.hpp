#pragma once

#include "isolate/audit/check.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <type_traits>

#include <sys/types.h>

/// The battery: a program that needs nothing of the root that it runs in. It is linked statically
/// and uses the C library only.
namespace iso::battery {

using jail::By;
using jail::State;

/// What an attempt found.
struct Finding {
    State state = State::unknown;
    By by = By::nothing;
    char detail[200] = {};
};

[[gnu::format(printf, 2, 3)]] Finding held(By by, char const* format, ...);
[[gnu::format(printf, 1, 2)]] Finding open_hole(char const* format, ...);
[[gnu::format(printf, 1, 2)]] Finding not_here(char const* format, ...);

inline constexpr std::size_t k_kinds = 8; ///< of namespaces
inline constexpr char const* k_kind_files[k_kinds] = {"user", "mnt", "pid",    "net",
                                                      "ipc",  "uts", "cgroup", "time"};
enum Kind : std::size_t { k_user, k_mnt, k_pid, k_net, k_ipc, k_uts, k_cgroup, k_time };

inline constexpr std::size_t k_directories = 7;
inline constexpr char const* k_directory_names[k_directories] = {"/",     "/etc", "/usr", "/home",
                                                                 "/root", "/var", "/boot"};

/// What the battery is told of the host, by a process of the host that waits there to be found.
struct Facts {
    bool known = false;
    pid_t pid = 0; ///< that process, which is the leader of its session
    int nice = 0;  ///< and this nice, by which it is known from others of this number
    std::uint64_t spaces[k_kinds] = {}; ///< inodes of the host's namespaces
    struct Identity {
        std::uint64_t device = 0, inode = 0;
    } directories[k_directories];
    char host_name[65] = {};
    char socket_name[100] = {}; ///< abstract
    unsigned port = 0;          ///< on 127.0.0.1: it sends `token`
    char token[33] = {};
    int segment = -1; ///< System V shared memory that holds `token`
    std::uint64_t disk = 0;
    std::uint64_t memory = 0; ///< --memory, or 0
};

/// Set before the first attempt.
extern Facts g_facts;
extern int g_inherited;            ///< descriptors above 2 that were open at the start
extern char g_inherited_text[160]; ///< and on what
extern int g_at_start_directory_errno;
extern char g_at_start_directory[512];

/// A system call, with its arguments.
struct Call {
    long number = 0;
    long arguments[6] = {};
};
template <typename T>
long word(T value) {
    if constexpr (std::is_null_pointer_v<T>) {
        return 0;
    } else if constexpr (std::is_pointer_v<T>) {
        return reinterpret_cast<long>(value);
    } else {
        return static_cast<long>(value);
    }
}
template <typename... T>
Call call_of(long number, T... arguments) {
    return Call{number, {word(arguments)...}};
}
/// Makes it. Below zero: errno.
long make(Call const& call);

enum class Filter { passes, answers, unknown };
/// Whether the system call filter lets a call with these arguments pass. The call is not made.
Filter ask_filter(Call const& call);

/// Why a call that failed with `error` failed. `capability`: the one that would have let it
/// succeed, -1: none.
Finding refused(Call const& call, int error, int capability = -1);
/// Why opening a file failed.
Finding file_refused(char const* path, int error);

/// Makes a call that must fail. Success, or one of the `reached` errors, which come after the
/// check of who may, is an open hole.
Finding must_fail(Call const& call, int capability, std::initializer_list<int> reached = {});

/// Tries to open the files for reading or writing; open if one can be.
/// `reads`: and something other than zeros is in it.
Finding must_not_open(std::initializer_list<char const*> paths, int flags);
enum class Content { something, not_only_zeros };
Finding must_not_read(std::initializer_list<char const*> paths,
                      Content content = Content::something);

bool has_capability(int capability);
std::uint64_t capability_set(char const* name); ///< "CapEff" of /proc/self/status
/// The inode of a namespace of this process; 0: it cannot be told.
std::uint64_t own_space(Kind kind);
bool shares(Kind kind); ///< with the host, as far as can be told
/// Whether the process of the host that waits to be found is process g_facts.pid here.
bool sees_host_process();

/// A directory in which a file can be made, or nullptr.
char const* writable_directory();
bool read_text(char const* path, char* text, std::size_t size);
/// Calls `each` with the number of every process in /proc but this one and what it started.
void for_other_processes(bool (*each)(pid_t pid, void* data), void* data);

} // namespace iso::battery
