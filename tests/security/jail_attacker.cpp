// Runs inside the jail and tries what a hostile program would. Prints one line for each attempt:
// "closed NAME", or "OPEN NAME: what worked"; and "works NAME" or "BROKEN NAME" for what an
// ordinary program needs. Static, so that it needs nothing but itself.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <string>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>

namespace {

void closed(char const* name) {
    std::printf("closed %s\n", name);
}
void open_hole(char const* name, std::string const& what) {
    std::printf("OPEN %s: %s\n", name, what.c_str());
}

/// The attempt must fail, with this errno when one is given.
void must_fail(char const* name, long result, int wanted = 0) {
    int const code = errno;
    if (result >= 0) return open_hole(name, "it worked");
    if (wanted != 0 && code != wanted)
        return open_hole(name, std::string("another error: ") + std::strerror(code));
    closed(name);
}

void must_hold(char const* name, bool holds, std::string const& what) {
    holds ? closed(name) : open_hole(name, what);
}

void must_work(char const* name, bool works) {
    std::printf("%s %s\n", works ? "works" : "BROKEN", name);
}

void must_not_open(char const* path, int flags) {
    int const fd = ::open(path, flags | O_CLOEXEC);
    if (fd >= 0) {
        char byte = 0; // a masked file may be opened: it is /dev/null and holds nothing
        struct stat info {};
        bool const is_null =
            ::fstat(fd, &info) == 0 && S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3);
        bool const empty = (flags & O_ACCMODE) == O_RDONLY && ::read(fd, &byte, 1) <= 0;
        ::close(fd);
        if (!is_null && !empty) return open_hole(path, "opened");
    }
    closed(path);
}

std::string status_line(char const* key) {
    FILE* const file = std::fopen("/proc/self/status", "re");
    char line[256];
    std::string value;
    while (file != nullptr && std::fgets(line, sizeof line, file) != nullptr)
        if (std::strncmp(line, key, std::strlen(key)) == 0) value = line + std::strlen(key) + 1;
    if (file != nullptr) std::fclose(file);
    while (!value.empty() && (value.back() == '\n'))
        value.pop_back();
    while (!value.empty() && (value.front() == '\t' || value.front() == ' '))
        value.erase(0, 1);
    return value;
}

int count_entries(char const* path, bool (*wanted)(char const*)) {
    DIR* const dir = ::opendir(path);
    int count = 0;
    while (dirent const* entry = dir != nullptr ? ::readdir(dir) : nullptr)
        if (wanted(entry->d_name)) ++count;
    if (dir != nullptr) ::closedir(dir);
    return count;
}

void try_descriptors() {
    int inherited = 0;
    for (int fd = 3; fd < 4096; ++fd)
        if (::fcntl(fd, F_GETFD) >= 0) ++inherited;
    must_hold("inherited descriptors", inherited == 0, std::to_string(inherited));
}

void try_processes(pid_t host_pid) {
    must_hold("host processes in /proc",
              count_entries("/proc", [](char const* n) { return *n >= '1' && *n <= '9'; }) == 2,
              "more than two");
    must_fail("signal to a host process", ::kill(host_pid, 0), ESRCH);
    must_fail("signal to all ends init", ::kill(1, SIGKILL) == 0 && ::kill(1, 0) != 0 ? 0 : -1);
    must_fail("ptrace of process 1", ::ptrace(PTRACE_SEIZE, 1, nullptr, nullptr), EPERM);
    must_not_open("/proc/1/mem", O_RDONLY);
    must_not_open("/proc/1/environ", O_RDONLY);
    must_fail("/proc/1/root", ::open("/proc/1/root/etc", O_RDONLY));
    must_fail("/proc/1/cwd", ::open("/proc/1/cwd/etc", O_RDONLY));
    must_fail("/proc/1/exe", ::open("/proc/1/exe", O_RDONLY));
    must_fail("/proc/1/ns/mnt", ::open("/proc/1/ns/mnt", O_RDONLY));
    must_hold(
        "the command line of isolate",
        [] {
            int const fd = ::open("/proc/1/cmdline", O_RDONLY);
            char text[4096] = {};
            ssize_t const n = ::read(fd, text, sizeof text);
            ::close(fd);
            for (ssize_t i = 0; i < n; ++i)
                if (text[i] != '\0') return false;
            return true;
        }(),
        "it can be read");
}

void try_namespaces() {
    must_fail("unshare(user)", ::unshare(CLONE_NEWUSER), EPERM);
    must_fail("unshare(mount)", ::unshare(CLONE_NEWNS), EPERM);
    int const own = ::open("/proc/self/ns/mnt", O_RDONLY);
    must_fail("setns", ::setns(own, 0), EPERM);
    long const child = ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) ::_exit(0);
    must_fail("clone(CLONE_NEWUSER)", child, EPERM);
    clone_args arguments{};
    arguments.flags = CLONE_NEWUSER;
    long const other = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    if (other == 0) ::_exit(0);
    must_fail("clone3", other, ENOSYS);
}

void try_files(char const* program) {
    must_fail("mount", ::mount("none", "/tmp", "tmpfs", 0, nullptr), EPERM);
    must_fail("umount", ::umount2("/proc", MNT_DETACH), EPERM);
    must_fail("chroot", ::chroot("/tmp"), EPERM);
    must_fail("pivot_root", ::syscall(SYS_pivot_root, ".", "."), EPERM);
    must_fail("fsopen", ::fsopen("tmpfs", 0), EPERM);
    must_fail("open_tree", ::open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE), EPERM);
    must_fail("write to the program", ::open(program, O_WRONLY));
    must_fail("write to /proc/self/exe", ::open("/proc/self/exe", O_WRONLY));
    must_fail("chmod of the program", ::chmod(program, 0777));
    must_fail("remove the program", ::unlink(program));
    must_fail("mkdir in the root", ::mkdir("/made", 0755));
    must_fail("file in the root", ::open("/made", O_CREAT | O_WRONLY, 0644));
    must_fail("file in /dev", ::open("/dev/made", O_CREAT | O_WRONLY, 0644));
    must_fail("block device", ::mknod("/tmp/disk", S_IFBLK | 0600, makedev(254, 0)), EPERM);
    must_fail("memory device", ::mknod("/tmp/mem", S_IFCHR | 0600, makedev(1, 1)), EPERM);
    for (char const* host : {"/etc/passwd", "/root", "/home", "/var", "/bin/sh", "/dev/kvm",
                             "/dev/mem", "/dev/kmsg", "/dev/vda", "/dev/fuse"})
        must_fail(host, ::open(host, O_RDONLY), ENOENT);
    // Up from everywhere is still inside.
    must_fail("..", ::open("/../../../../../../etc/passwd", O_RDONLY), ENOENT);
    must_hold("the host's mounts", ::umount2("/", MNT_DETACH) != 0, "unmounted");
    char handle_space[128] = {};
    must_fail("open_by_handle_at",
              ::syscall(SYS_open_by_handle_at, AT_FDCWD, handle_space, O_RDONLY), EPERM);
}

void try_kernel_files() {
    for (char const* path :
         {"/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe",
          "/proc/sys/kernel/hostname", "/proc/sys/vm/drop_caches", "/proc/self/uid_map",
          "/proc/self/oom_score_adj", "/sys/kernel/uevent_helper", "/sys/power/state",
          "/sys/fs/cgroup/release_agent", "/sys/fs/cgroup/memory/release_agent", "/proc/mtrr",
          "/proc/irq/0/smp_affinity"})
        must_not_open(path, O_WRONLY);
    for (char const* path : {"/proc/kcore", "/proc/keys", "/proc/kallsyms", "/proc/timer_list",
                             "/proc/kmsg", "/proc/interrupts"})
        must_not_open(path, O_RDONLY);
}

void try_calls() {
    char nothing[256] = {};
    must_fail("bpf", ::syscall(SYS_bpf, 0, nothing, sizeof nothing), EPERM);
    must_fail("perf_event_open", ::syscall(SYS_perf_event_open, nothing, 0, -1, -1, 0), EPERM);
    must_fail("userfaultfd", ::syscall(SYS_userfaultfd, 0), EPERM);
    must_fail("io_uring", ::syscall(SYS_io_uring_setup, 1, nothing), EPERM);
    must_fail("keyctl", ::syscall(SYS_keyctl, 0, 0, 0), EPERM);
    must_fail("add_key", ::syscall(SYS_add_key, "user", "x", "y", 1, -2), EPERM);
    must_fail("init_module", ::syscall(SYS_init_module, nothing, 0, ""), EPERM);
    must_fail("kexec_load", ::syscall(SYS_kexec_load, 0, 0, nothing, 0), EPERM);
    must_fail("reboot", ::syscall(SYS_reboot, 0, 0, 0, nothing),
              EPERM); // its magic numbers are wrong on purpose
    must_fail("sethostname", ::sethostname("x", 1), EPERM);
    timeval now{};
    must_fail("settimeofday", ::settimeofday(&now, nullptr), EPERM);
    must_fail("personality", ::syscall(SYS_personality, 0x0040000), EPERM);
    must_fail("TIOCSTI", ::ioctl(0, TIOCSTI, "x"), EPERM);
    must_fail("TIOCSTI with high bits", ::syscall(SYS_ioctl, 0, 0x100000000UL | TIOCSTI, "x"),
              EPERM);
    must_fail("vsock", ::socket(AF_VSOCK, SOCK_STREAM, 0), EPERM);
    must_fail("packet socket", ::socket(AF_PACKET, SOCK_RAW, 0), EPERM);
    must_fail("raw socket", ::socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
    must_fail("x32 getpid", ::syscall(0x40000000 | SYS_getpid), ENOSYS);
    long result = 20; // getpid in the i386 table
    __asm__ volatile("int $0x80" : "+a"(result) : : "r8", "r9", "r10", "r11", "memory");
    must_hold("i386 getpid", result == -ENOSYS, std::to_string(result));
    must_fail("free number", ::syscall(400), ENOSYS);
}

void try_identity(char const* hostname) {
    for (char const* set : {"CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"})
        must_hold(set, status_line(set) == "0000000000000000", status_line(set));
    must_hold("no_new_privs", ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "not set");
    must_hold("seccomp", status_line("Seccomp:") == "2", status_line("Seccomp:"));
    must_hold("blocked signals", status_line("SigBlk:") == "0000000000000000",
              status_line("SigBlk:"));
    must_hold("ignored signals", status_line("SigIgn:") == "0000000000000000",
              status_line("SigIgn:"));
    must_hold("session", ::getsid(0) == ::getpid(), "not its own");
    must_hold("supplementary groups", ::getgroups(0, nullptr) == 0,
              std::to_string(::getgroups(0, nullptr)));
    utsname names{};
    ::uname(&names);
    must_hold("host name", std::strcmp(names.nodename, hostname) == 0, names.nodename);
    must_fail("setuid to another", ::setuid(1000), EINVAL); // no such id here
}

void try_network(char const* abstract_name) {
    must_hold("interfaces",
              count_entries("/sys/class/net", [](char const* n) { return *n != '.'; }) <= 1,
              "more than lo");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path + 1, abstract_name, sizeof address.sun_path - 2);
    int const unix_socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    auto const length =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + std::strlen(abstract_name));
    must_fail("abstract socket of the host",
              ::connect(unix_socket, reinterpret_cast<sockaddr*>(&address), length), ECONNREFUSED);
    sockaddr_in far{};
    far.sin_family = AF_INET;
    far.sin_port = htons(53);
    far.sin_addr.s_addr = htonl(0x08080808);
    int const out = ::socket(AF_INET, SOCK_DGRAM, 0);
    must_fail("a way out", ::connect(out, reinterpret_cast<sockaddr*>(&far), sizeof far),
              ENETUNREACH);
    far.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must_work("loopback", ::connect(out, reinterpret_cast<sockaddr*>(&far), sizeof far) == 0);
}

void use_what_is_there() {
    must_work("/dev/null", ::open("/dev/null", O_RDWR) >= 0);
    must_work("/dev/urandom", ::open("/dev/urandom", O_RDONLY) >= 0);
    must_work("/dev/ptmx", ::open("/dev/ptmx", O_RDWR | O_NOCTTY) >= 0);
    must_work("/tmp", ::open("/tmp/made", O_CREAT | O_RDWR, 0600) >= 0);
    must_work("/dev/shm", ::open("/dev/shm/made", O_CREAT | O_RDWR, 0600) >= 0);
    must_work("/proc/self", ::open("/proc/self/maps", O_RDONLY) >= 0);
    must_work("pid", ::getpid() == 2 && ::getppid() == 1);
    pid_t const child = ::fork();
    if (child == 0) ::_exit(7);
    int status = 0;
    must_work("fork and wait", ::waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7);
}

int bomb() {
    int children = 0;
    while (children < 3000) {
        pid_t const pid = ::fork();
        if (pid < 0) break;
        if (pid == 0)
            for (;;)
                ::pause();
        ++children;
    }
    std::printf("%d %s\n", children, std::strerror(errno));
    return 0;
}

/// Leaves a child, an orphan and itself running.
int stay() {
    for (int i = 0; i < 2; ++i)
        if (::fork() == 0) {
            if (i == 1 && ::fork() != 0) ::_exit(0);
            ::setsid();
            for (;;)
                ::pause();
        }
    std::puts("ready");
    std::fflush(stdout);
    for (;;)
        ::pause();
}

int can_read(char const* path) {
    int const fd = ::open(path, O_RDONLY);
    std::puts(fd >= 0 ? "yes" : std::strerror(errno));
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    std::string const mode = argc > 1 ? argv[1] : "";
    if (mode == "bomb") return bomb();
    if (mode == "linger") return stay();
    if (mode == "read" && argc == 3) return can_read(argv[2]);
    if (mode != "attack" || argc != 5) return 2;
    try_descriptors();
    try_processes(std::atoi(argv[2]));
    try_namespaces();
    try_kernel_files();
    try_calls();
    try_identity(argv[3]);
    try_network(argv[4]);
    try_files(argv[0]);
    use_what_is_there();
    std::puts("done");
    return 0;
}
