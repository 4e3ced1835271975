#include "isolate/audit/battery/attempt.hpp"

#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

namespace iso::battery {

Facts g_facts;
int g_inherited = 0;
char g_inherited_text[160] = {};
int g_at_start_directory_errno = 0;
char g_at_start_directory[512] = {};

namespace {

Finding finding(State state, By by, char const* format, va_list words) {
    Finding result;
    result.state = state;
    result.by = by;
    std::vsnprintf(result.detail, sizeof result.detail, format, words);
    for (char& c : result.detail) // names of files can be anything
        if (c != '\0' && (c < ' ' || c > '~')) c = '?';
    return result;
}

} // namespace

Finding held(By by, char const* format, ...) {
    va_list words;
    va_start(words, format);
    Finding const result = finding(State::held, by, format, words);
    va_end(words);
    return result;
}

Finding open_hole(char const* format, ...) {
    va_list words;
    va_start(words, format);
    Finding const result = finding(State::open, By::nothing, format, words);
    va_end(words);
    return result;
}

Finding not_here(char const* format, ...) {
    va_list words;
    va_start(words, format);
    Finding const result = finding(State::not_applicable, By::nothing, format, words);
    va_end(words);
    return result;
}

long make(Call const& call) {
    long const* const a = call.arguments;
    long const result = ::syscall(call.number, a[0], a[1], a[2], a[3], a[4], a[5]);
    return result < 0 ? -errno : result;
}

namespace {

constexpr int k_passed = EDOTDOT; ///< no system call fails with it (errno(3), "Not used")

/// In a process of its own: asks for a supervisor of one call, then makes it.
[[noreturn]] void ask(Call const& call, int answer) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) ::_exit(3);
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call.number), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    sock_fprog const filter{4, program};
    auto const listener = static_cast<int>(
        ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter));
    if (listener < 0 || ::write(answer, &listener, sizeof listener) != sizeof listener) ::_exit(3);
    ::_exit(make(call) == -k_passed ? 1 : 2);
}

} // namespace

// Of several filters the strictest answer counts, and to refuse is stricter than to ask a
// supervisor, which is stricter than to allow (seccomp(2)). So with a filter of our own on top that
// asks, the call either reaches us, who do not let it happen, or was refused before.
Filter ask_filter(Call const& call) {
    if (::prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0) return Filter::passes;
    if (call.number == SYS_write || call.number == SYS_exit_group) return Filter::unknown;
    int answer[2];
    if (::pipe2(answer, O_CLOEXEC) != 0) return Filter::unknown;
    // It has our descriptors, so that its listener is ours.
    auto const pid = static_cast<pid_t>(
        ::syscall(SYS_clone, CLONE_FILES | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
    if (pid == 0) ask(call, answer[1]);
    int listener = -1;
    int status = 0;
    if (pid > 0) {
        pollfd told{answer[0], POLLIN, 0};
        // It holds the pipe's other end as well, so its end is not seen there: but it has one
        // thing to do before it writes or ends.
        while (::poll(&told, 1, 100) == 0 && ::waitpid(pid, &status, WNOHANG) == 0) {
        }
        if ((told.revents & POLLIN) != 0) (void)!::read(answer[0], &listener, sizeof listener);
    }
    ::close(answer[0]);
    ::close(answer[1]);
    if (pid < 0) return Filter::unknown;
    if (listener < 0) {
        ::waitpid(pid, &status, 0);
        return Filter::unknown;
    }
    pollfd asked{listener, POLLIN, 0};
    if (::poll(&asked, 1, 5'000) == 1 && (asked.revents & POLLIN) != 0) {
        seccomp_notif notice{};
        if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notice) == 0) {
            seccomp_notif_resp reply{};
            reply.id = notice.id;
            reply.error = -k_passed;
            ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
        }
    }
    ::close(listener);
    ::waitpid(pid, &status, 0);
    if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGSYS ? Filter::answers : Filter::unknown;
    return WEXITSTATUS(status) == 1   ? Filter::passes
           : WEXITSTATUS(status) == 2 ? Filter::answers
                                      : Filter::unknown;
}

Finding refused(Call const& call, int error, int capability) {
    Filter const filter = ask_filter(call);
    if (filter == Filter::answers) return held(By::seccomp, "%s", std::strerror(error));
    switch (error) {
    case ENOSYS:
        if (filter == Filter::unknown) return held(By::seccomp, "or this kernel has no such call");
        return not_here("this kernel has no such call");
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
        return not_here("this kernel has none");
    case EROFS:
        return held(By::read_only, "%s", std::strerror(error));
    case ENOENT:
    case ENOTDIR:
    case ENXIO:
    case ENODEV:
        return held(By::root, "%s", std::strerror(error));
    case EAGAIN:
    case EMFILE:
    case ENOMEM:
    case ENOSPC:
        return held(By::limit, "%s", std::strerror(error));
    default:
        break;
    }
    if (capability >= 0)
        return has_capability(capability)
                   ? held(By::user_namespace, "%s: what it has counts in its own only",
                          std::strerror(error))
                   : held(By::capabilities, "%s", std::strerror(error));
    return held(By::kernel, "%s", std::strerror(error));
}

Finding file_refused(char const* path, int error) {
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return held(By::root, "there is no %s", path);
    case EROFS:
        return held(By::read_only, "%s: %s", path, std::strerror(error));
    case ENXIO:
    case ENODEV:
        return held(By::root, "%s: %s", path, std::strerror(error));
    default:
        return held(By::permissions, "%s: %s", path, std::strerror(error));
    }
}

Finding must_fail(Call const& call, int capability, std::initializer_list<int> reached) {
    long const result = make(call);
    if (result >= 0) return open_hole("it worked");
    for (int const error : reached)
        if (result == -error) return open_hole("reached: %s", std::strerror(error));
    return refused(call, static_cast<int>(-result), capability);
}

namespace {

/// isolate masks files with /dev/null, others with a file of their own that is empty.
bool is_null_device(int fd) {
    struct stat info {};
    return ::fstat(fd, &info) == 0 && S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3);
}

/// Of several attempts that were held the most telling one is shown: not that a file is missing.
void prefer(Finding& told, Finding const& next) {
    if (told.state == State::unknown || (told.by == By::root && next.by != By::root)) told = next;
}

} // namespace

Finding must_not_open(std::initializer_list<char const*> paths, int flags) {
    Finding told;
    for (char const* const path : paths) {
        int const fd = ::open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0) {
            prefer(told, file_refused(path, errno));
            continue;
        }
        bool const masked = is_null_device(fd);
        ::close(fd);
        if (!masked) return open_hole("%s can be opened", path);
        prefer(told, held(By::mask, "%s", path));
    }
    return told;
}

Finding must_not_read(std::initializer_list<char const*> paths, Content content) {
    Finding told;
    for (char const* const path : paths) {
        int const fd = ::open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0) {
            prefer(told, file_refused(path, errno));
            continue;
        }
        if (is_null_device(fd)) {
            ::close(fd);
            prefer(told, held(By::mask, "%s", path));
            continue;
        }
        char text[512];
        ssize_t const n = ::read(fd, text, sizeof text);
        int const error = errno;
        ::close(fd);
        bool told_something = n > 0;
        if (n > 0 && content == Content::not_only_zeros) {
            // The address is the first word of the first line.
            told_something = false;
            for (ssize_t i = 0; i < n && text[i] != ' '; ++i)
                told_something |= text[i] != '0';
        }
        if (told_something) return open_hole("%s can be read", path);
        prefer(told, n < 0 ? held(By::permissions, "%s: %s", path, std::strerror(error))
                           : held(n == 0 ? By::mask : By::kernel, "%s tells nothing", path));
    }
    return told;
}

bool read_text(char const* path, char* text, std::size_t size) {
    text[0] = '\0';
    int const fd = ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    std::size_t used = 0;
    while (used + 1 < size) {
        ssize_t const n = ::read(fd, text + used, size - 1 - used);
        if (n <= 0) break;
        used += static_cast<std::size_t>(n);
    }
    text[used] = '\0';
    ::close(fd);
    return true;
}

std::uint64_t capability_set(char const* name) {
    char status[4096];
    if (!read_text("/proc/self/status", status, sizeof status)) return 0;
    char const* const at = std::strstr(status, name);
    return at == nullptr ? 0 : std::strtoull(at + std::strlen(name) + 1, nullptr, 16);
}

bool has_capability(int capability) {
    // capget(2) and not /proc, which need not be there.
    std::uint32_t header[2] = {0x20080522, 0};
    std::uint32_t data[6] = {};
    if (::syscall(SYS_capget, header, data) != 0) return false;
    return (data[capability / 32 * 3] >> (capability % 32) & 1U) != 0;
}

std::uint64_t own_space(Kind kind) {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/self/ns/%s", k_kind_files[kind]);
    struct stat info {};
    return ::stat(path, &info) == 0 ? info.st_ino : 0;
}

bool shares(Kind kind) {
    std::uint64_t const own = own_space(kind);
    return own != 0 && own == g_facts.spaces[kind];
}

bool sees_host_process() {
    if (!g_facts.known || ::kill(g_facts.pid, 0) < 0) {
        if (!g_facts.known || errno != EPERM) return false;
    }
    // Some process has this number here. Ours leads its session and has a nice of its own.
    errno = 0;
    int const nice = ::getpriority(PRIO_PROCESS, static_cast<id_t>(g_facts.pid));
    return errno == 0 && nice == g_facts.nice && ::getsid(g_facts.pid) == g_facts.pid;
}

char const* writable_directory() {
    for (char const* const path : {"/tmp", "/dev/shm", "/var/tmp", "/run", "/dev", "/", "."}) {
        char name[64];
        std::snprintf(name, sizeof name, "%s/.isolab-audit-%d", path, static_cast<int>(::getpid()));
        int const fd = ::open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0) continue;
        ::close(fd);
        ::unlink(name);
        return path;
    }
    return nullptr;
}

void for_other_processes(bool (*each)(pid_t pid, void* data), void* data) {
    DIR* const proc = ::opendir("/proc");
    if (proc == nullptr) return;
    pid_t const own = ::getpid();
    pid_t const parent = ::getppid(); // the battery itself
    int looked_at = 0;
    while (dirent const* const entry = ::readdir(proc)) {
        pid_t const pid = std::atoi(entry->d_name);
        if (pid <= 0 || pid == own || pid == parent) continue;
        if (!each(pid, data) || ++looked_at == 256) break; // enough of a busy host
    }
    ::closedir(proc);
}

} // namespace iso::battery
