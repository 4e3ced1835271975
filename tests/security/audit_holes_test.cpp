// Each attempt of the audit's battery finds the hole that it looks for: in surroundings that have
// it. What this machine's kernel lacks, or gives to nobody, is skipped by name.
#include "tests/security/battery_run.hpp"
#include "tests/security/shape.hpp"

#include <filesystem>
#include <fstream>
#include <sched.h>
#include <set>

#include <linux/capability.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

using namespace iso;
using namespace iso::test;

namespace {

/// In the child: anything that goes wrong would be a test of something else.
void must(bool worked) {
    if (!worked) ::_exit(97);
}

/// A root in which everything that the battery looks for is a plain file that can be written to.
class WeakRoot {
public:
    WeakRoot() {
        auto dir = TempDir::create("isolate-weak");
        REQUIRE(dir);
        dir_ = std::move(*dir);
        for (char const* name : {"dev/mem",
                                 "dev/kvm",
                                 "dev/fuse",
                                 "dev/null",
                                 "dev/kmsg",
                                 "proc/sysrq-trigger",
                                 "proc/mtrr",
                                 "proc/kcore",
                                 "proc/keys",
                                 "proc/timer_list",
                                 "proc/interrupts",
                                 "proc/sys/kernel/core_pattern",
                                 "proc/sys/kernel/modprobe",
                                 "proc/sys/kernel/panic",
                                 "proc/sys/fs/binfmt_misc/register",
                                 "sys/kernel/uevent_helper",
                                 "sys/power/state",
                                 "sys/fs/cgroup/memory/release_agent",
                                 "sys/fs/cgroup/memory/cgroup.procs",
                                 "sys/firmware/dmi",
                                 "sys/kernel/debug/tracing"})
            put(name, "something\n");
        put("proc/kallsyms", "ffffffff81000000 T _text\n");
        put("proc/self/cgroup", "0::/the/host/names/this\n");
        put("proc/self/uid_map", "0 0 4294967295\n");
        put("proc/self/mountinfo", "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n");
        std::filesystem::create_directories(path() + "/run");
        std::filesystem::create_directories(path() + "/tmp");
        listener_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::string const name = path() + "/run/docker.sock";
        REQUIRE(name.size() < sizeof address.sun_path);
        name.copy(address.sun_path, name.size());
        REQUIRE(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) ==
                0);
        REQUIRE(::listen(listener_.get(), 8) == 0);
    }
    [[nodiscard]] std::string const& path() const { return dir_.path(); }

private:
    void put(std::string const& name, char const* text) const {
        std::filesystem::path const file = path() + "/" + name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file) << text;
        REQUIRE(std::filesystem::exists(file));
    }

    TempDir dir_;
    Fd listener_;
};

/// Which attempts a scenario has shown to find their hole.
class Shown {
public:
    void expect(Answers const& answers, Words const& ids) {
        for (std::string const& id : ids) {
            covered_.insert(id);
            auto const at = answers.find(id);
            REQUIRE(at != answers.end());
            Answer const& answer = at->second;
            INFO(id << ": " << answer.state << " " << answer.by << " " << answer.detail);
            // This kernel has no such thing, or lets not even root: there is no hole to be found.
            bool const lacks = answer.state == "not applicable" ||
                               (answer.state == "held" && (answer.by == "kernel" || !all_rights_));
            if (lacks) {
                iso::test::record_skip("kernel", id + ": " + answer.detail);
                continue;
            }
            CHECK(answer.state == "open");
            ++open_;
        }
    }
    [[nodiscard]] std::set<std::string> const& covered() const { return covered_; }
    [[nodiscard]] int open() const { return open_; }
    /// Whether the test itself is root of a machine, behind no filter.
    [[nodiscard]] bool all_rights() const { return all_rights_; }

private:
    static bool find_rights() {
        auto const status = read_file("/proc/self/status");
        REQUIRE(status);
        auto const at = status->find("CapEff:");
        REQUIRE(at != status->npos);
        std::uint64_t const effective = std::stoull(status->substr(at + 7), nullptr, 16);
        std::uint64_t const wanted =
            std::uint64_t{1} << CAP_SYS_ADMIN | std::uint64_t{1} << CAP_SYS_TIME |
            std::uint64_t{1} << CAP_SYS_BOOT | std::uint64_t{1} << CAP_SYS_PTRACE |
            std::uint64_t{1} << CAP_MKNOD;
        return (effective & wanted) == wanted && ::prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0;
    }

    std::set<std::string> covered_;
    int open_ = 0;
    bool all_rights_ = find_rights();
};

/// From here on this process is in new namespaces, and process 1 there is another program's.
void enter_with_an_init(std::string const& other_root) {
    must(::unshare(CLONE_NEWPID | CLONE_NEWNS) == 0);
    pid_t const init = ::fork();
    must(init >= 0);
    if (init > 0) {
        ::waitpid(init, nullptr, 0);
        ::_exit(0);
    }
    must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
    must(::mount("proc", "/proc", "proc", 0, nullptr) == 0);
    struct sysinfo machine {};
    must(::sysinfo(&machine) == 0);
    std::string const size = "size=" + std::to_string(machine.totalram * machine.mem_unit);
    std::string const large = other_root + "/large";
    std::string const fixed = other_root + "/fixed";
    must(::mkdir(large.c_str(), 0755) == 0 && ::mkdir(fixed.c_str(), 0755) == 0);
    must(::mount("large", large.c_str(), "tmpfs", 0, size.c_str()) == 0);
    must(::mount(nullptr, large.c_str(), nullptr, MS_SHARED, nullptr) == 0);
    must(::mount("fixed", fixed.c_str(), "tmpfs", MS_RDONLY, nullptr) == 0);
    pid_t const battery = ::fork();
    must(battery >= 0);
    if (battery == 0) return;
    ::close(1); // whose end is the end of the answers
    must(::chroot(other_root.c_str()) == 0);
    ::waitpid(battery, nullptr, 0);
    ::_exit(0);
}

void get_a_terminal() {
    ::setsid();
    int const master = ::posix_openpt(O_RDWR | O_NOCTTY); // stays: its end hangs up
    must(master >= 0 && ::grantpt(master) == 0 && ::unlockpt(master) == 0);
    int const terminal = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
    must(terminal >= 0 && ::ioctl(terminal, TIOCSCTTY, 0) == 0);
    must(::dup2(terminal, 0) == 0);
    ::close(terminal);
}

/// Groups and sets that a careless runtime leaves.
void keep_groups_and_sets() {
    gid_t const groups[] = {1, 2};
    must(::syscall(SYS_setgroups, 2, groups) == 0);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    must(::syscall(SYS_capget, &header, data) == 0);
    data[0].inheritable = data[0].permitted;
    must(::syscall(SYS_capset, &header, data) == 0);
}

Words ids_of_all_checks() {
    auto const list = run_and_capture({k_isolate, "audit", "--list"}, 20'000'000'000);
    REQUIRE(list);
    Words ids;
    std::istringstream lines(list->out);
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("| `")) ids.push_back(line.substr(3, line.find('`', 3) - 3));
    return ids;
}

} // namespace

TEST_CASE("every attempt finds the hole that it looks for") {
    if (::geteuid() != 0) ISO_SKIP("root", "the holes are made by root");
    Battery battery;
    battery.find_host();
    WeakRoot const weak;
    Shown shown;

    Answers const bare = battery.run([] {});
    shown.expect(bare, {"host-files",
                        "above-root",
                        "chroot-escape",
                        "file-handles",
                        "mount-call",
                        "new-filesystem",
                        "clone-mounts",
                        "umount",
                        "pivot-root",
                        "own-cgroup",
                        "new-users",
                        "new-users-clone3",
                        "new-namespaces",
                        "enter-namespaces",
                        "load-modules",
                        "kexec",
                        "bpf",
                        "perf-events",
                        "userfaultfd",
                        "io-uring",
                        "keyctl",
                        "add-key",
                        "set-clock",
                        "restart",
                        "swap",
                        "accounting",
                        "ports",
                        "kernel-log",
                        "watch-files",
                        "realtime",
                        "personality",
                        "i386-calls",
                        "x32-calls",
                        "rare-sockets",
                        "vsock",
                        "host-processes",
                        "signal-host",
                        "trace-host",
                        "shared-memory",
                        "host-name",
                        "set-host-name",
                        "host-mounts",
                        "host-root",
                        "host-loopback",
                        "abstract-sockets",
                        "interfaces",
                        "way-out",
                        "raw-sockets",
                        "packet-sockets",
                        "capabilities",
                        "bounding-set",
                        "new-privileges",
                        "filter",
                        "fork-bomb",
                        "program-file"});
    if (shown.all_rights()) CHECK(shown.open() >= 35);

    Answers const in_weak_root = battery.run([&] {
        // The working directory stays outside, as in CVE-2024-21626.
        must(::chdir("/") == 0 && ::chroot(weak.path().c_str()) == 0);
    });
    shown.expect(in_weak_root,
                 {"working-directory", "control-sockets", "memory-device",    "kvm-device",
                  "kernel-devices",    "false-null",      "genuine-proc",     "sysrq",
                  "core-pattern",      "modprobe-path",   "sysctl",           "binfmt",
                  "uevent-helper",     "release-agent",   "group-limits",     "power",
                  "hardware-switches", "kernel-memory",   "kernel-addresses", "kernel-log-files",
                  "key-list",          "timers",          "statistics",       "firmware",
                  "debug-files",       "group-paths",     "propagation"});
    // Nothing of the machine decides about these: they are plain files.
    CHECK(in_weak_root.at("sysrq").state == "open");
    CHECK(in_weak_root.at("working-directory").state == "open");

    Answers const leaky = battery.run(
        [] {
            int const directory = ::open("/", O_RDONLY | O_DIRECTORY);
            must(directory >= 0 && ::dup2(directory, 0) == 0 && ::dup2(directory, 9) == 9);
            if (directory != 9) ::close(directory);
        },
        {"memory=16777216"});
    shown.expect(leaky, {"inherited-descriptors", "standard-descriptors", "memory-bomb"});
    CHECK(leaky.at("inherited-descriptors").detail == "1: 9 is /");

    shown.expect(battery.run(get_a_terminal), {"terminal-input", "controlling-terminal"});
    shown.expect(battery.run(keep_groups_and_sets), {"groups", "inheritable"});

    TempDir const other = *TempDir::create("isolate-other");
    Answers const beside_init = battery.run([&] { enter_with_an_init(other.path()); });
    shown.expect(beside_init, {"trace-init", "read-init", "proc-root", "runtime-file",
                               "memory-files", "writable-again", "propagation"});

    // Nodes, where the machine lets root make them. They are in the weak root's /dev.
    auto const node = [&](char const* name, mode_t type, dev_t device) {
        return ::mknod((weak.path() + "/dev/" + name).c_str(), type | 0600U, device) == 0;
    };
    bool const console = node("console", S_IFCHR, makedev(5, 1));
    bool const disk = node("disk", S_IFBLK, makedev(7, 0));
    Fd const opened(disk ? ::open((weak.path() + "/dev/disk").c_str(), O_RDONLY | O_NONBLOCK) : -1);
    Answers const with_nodes =
        battery.run([&] { must(::chroot(weak.path().c_str()) == 0 && ::chdir("/") == 0); },
                    {"disk=" + std::to_string(makedev(7, 0))});
    auto const expect_if = [&](bool possible, char const* id) {
        if (possible) return shown.expect(with_nodes, {id});
        shown.expect({{id, {"not applicable", "", "no such node may be made or opened here"}}},
                     {id});
    };
    expect_if(console, "console");
    expect_if(opened.valid(), "disks");
    expect_if(opened.valid(), "make-disk");
    // mem(4) is in few kernels: what is made is the same as a disk's, but for its number.
    expect_if(::access("/dev/mem", R_OK) == 0, "make-memory");

    for (std::string const& id : ids_of_all_checks()) {
        INFO(id);
        CHECK(shown.covered().count(id) == 1);
    }
}
