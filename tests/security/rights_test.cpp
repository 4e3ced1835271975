// What the options of a jail promise about namespaces, ids and rights, asked of real jails.
#include "tests/security/shape.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fcntl.h>
#include <sched.h>

#include <sys/syscall.h>
#include <sys/wait.h>

using namespace iso;
using namespace iso::test;
namespace fs = std::filesystem;

TEST_CASE("each namespace can be the host's") {
    NEEDS_ROOTFS(root);
    Words const kinds{"pid", "net", "ipc", "uts", "cgroup", "time", "user"};
    for_each_caller([&](Caller const& caller) {
        for (std::string const& kind : kinds) {
            if (kind == "user" && !caller.prefix.empty()) continue; // asks for root
            INFO(kind);
            std::string const option = kind == "net" ? "network" : kind;
            std::error_code problem;
            std::string const ours = fs::read_symlink("/proc/self/ns/" + kind, problem);
            Words const program{root.path() + "/bin/busybox", "readlink", "/proc/self/ns/" + kind};
            Ran const own = jailed(caller, {}, program);
            CHECK(own.out != ours + "\n");
            Ran const shared = jailed(caller, {"--namespace=" + option + "=host"}, program);
            INFO(shared.err);
            CHECK(shared.out == ours + "\n");
        }
    });
}

TEST_CASE("a namespace can be joined by its path") {
    if (::geteuid() != 0) ISO_SKIP("root", "only root may join another's UTS namespace");
    NEEDS_ROOTFS(root);
    auto ready = Pipe::create();
    auto done = Pipe::create();
    REQUIRE((ready && done));
    pid_t const maker = ::fork();
    if (maker == 0) {
        done->write.reset();
        bool const made = ::unshare(CLONE_NEWUTS) == 0 && ::sethostname("joined", 6) == 0;
        (void)!::write(ready->write.get(), made ? "y" : "n", 1);
        char byte = 0;
        (void)!::read(done->read.get(), &byte, 1);
        ::_exit(0);
    }
    REQUIRE(maker > 0);
    char answer = 0;
    REQUIRE(::read(ready->read.get(), &answer, 1) == 1);
    // The descriptor keeps the namespace when its maker has ended.
    auto const held = Fd::open(fmt::format("/proc/{}/ns/uts", maker), O_RDONLY);
    done->write.reset();
    ::waitpid(maker, nullptr, 0);
    REQUIRE(held);
    if (answer == 'y' && jails_work({"root", {}})) {
        Words const program{root.path() + "/bin/busybox", "hostname"};
        std::string const path = fmt::format("/proc/{}/fd/{}", ::getpid(), held->get());
        Ran const ran = jailed({"root", {}}, {"--namespace=uts=" + path}, program);
        CHECK(ran.err.empty());
        CHECK(ran.out == "joined\n");
        CHECK(ran.strays.empty());
        Ran const wrong = jailed({"root", {}}, {"--namespace=ipc=" + path}, program);
        CHECK(wrong.status == 125);
        CHECK(wrong.err.find("setns") != std::string::npos);
        Ran const none = jailed({"root", {}}, {"--namespace=ipc=/no/such/file"}, program);
        CHECK(none.status == 125);
    }
}

TEST_CASE("the clocks of a jail can be its own") {
    NEEDS_ROOTFS(root);
    for_each_caller([&](Caller const& caller) {
        Ran const ran = jailed(caller, {"--boottime-offset=1000000000"},
                               {root.path() + "/bin/busybox", "cat", "/proc/uptime"});
        INFO(ran.err);
        CHECK(ran.status == 0);
        CHECK(std::strtod(ran.out.c_str(), nullptr) > 1e9);
        Ran const below = jailed(caller, {"--boottime-offset=-1000000000"},
                                 {root.path() + "/bin/busybox", "true"});
        CHECK(below.status == 125);
        CHECK(below.err.find("below 0") != std::string::npos);
    });
}

TEST_CASE("the program is who it is to be") {
    NEEDS_ROOTFS(root);
    std::string const busybox = root.path() + "/bin/busybox";
    for_each_caller([&](Caller const& caller) {
        Ran const ran =
            jailed(caller, {"--user=7:8", "--umask=0027"},
                   {busybox, "sh", "-c", "$0 id -u; $0 id -g; $0 id -G; umask", busybox});
        INFO(ran.err);
        CHECK(ran.out == "7\n8\n8\n0027\n");
        Ran const unmapped =
            jailed(caller, {"--uid-map=0:100000:10", "--user=10"}, {busybox, "true"});
        CHECK(unmapped.status == 125);
        CHECK(unmapped.err.find("uid 10") != std::string::npos);
    });
    if (::geteuid() != 0 || !jails_work({"root", {}})) return;
    Ran const ranges =
        jailed({"root", {}},
               {"--uid-map=0:100000:65536", "--gid-map=0:200000:65536", "--user=5:6", "--group=7",
                "--group=8"},
               {busybox, "sh", "-c", "$0 id -u; $0 id -G; $0 cat /proc/self/gid_map", busybox});
    INFO(ranges.err);
    CHECK(ranges.out == "5\n6 7 8\n         0     200000      65536\n");
}

TEST_CASE("capabilities are those that were asked for") {
    NEEDS_ROOTFS(root);
    std::string const busybox = root.path() + "/bin/busybox";
    Words const program{busybox, "grep", "-E", "Cap|NoNewPrivs", "/proc/self/status"};
    for_each_caller([&](Caller const& caller) {
        Ran const none = jailed(caller, {}, program);
        CHECK(none.out == "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
                          "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"
                          "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\n");
        Ran const some =
            jailed(caller, {"--capabilities=chown,net_raw", "--no-new-privileges=no"}, program);
        INFO(some.err);
        CHECK(some.out == "CapInh:\t0000000000000000\nCapPrm:\t0000000000002001\n"
                          "CapEff:\t0000000000002001\nCapBnd:\t0000000000002001\n"
                          "CapAmb:\t0000000000000000\nNoNewPrivs:\t0\n");
        Ran const ambient =
            jailed(caller,
                   {"--user=9", "--capabilities=net_raw", "--inheritable-capabilities=net_raw",
                    "--ambient-capabilities=net_raw"},
                   program);
        INFO(ambient.err);
        CHECK(ambient.out == "CapInh:\t0000000000002000\nCapPrm:\t0000000000002000\n"
                             "CapEff:\t0000000000002000\nCapBnd:\t0000000000002000\n"
                             "CapAmb:\t0000000000002000\nNoNewPrivs:\t1\n");
        Ran const wrong = jailed(caller, {"--ambient-capabilities=net_raw"}, program);
        CHECK(wrong.status == 125);
    });
}

TEST_CASE("limits and kernel settings are those that were asked for") {
    NEEDS_ROOTFS(root);
    std::string const busybox = root.path() + "/bin/busybox";
    for_each_caller([&](Caller const& caller) {
        Ran const ran = jailed(
            caller,
            {"--rlimit=nofile=64:128", "--sysctl=net.ipv4.ip_forward=1", "--oom-score-adjust=900"},
            {busybox, "sh", "-c",
             "ulimit -n; ulimit -H -n; $0 cat /proc/sys/net/ipv4/ip_forward "
             "/proc/self/oom_score_adj",
             busybox});
        INFO(ran.err);
        CHECK(ran.out == "64\n128\n1\n900\n");
        for (char const* setting : {"kernel.panic=1", "vm.swappiness=1", "net..x=1",
                                    "net/../kernel.panic=1", "kernel.hostname=x"}) {
            INFO(setting);
            Ran const refused =
                jailed(caller, {std::string("--sysctl=") + setting}, {busybox, "true"});
            CHECK(refused.status == 125);
        }
    });
    if (::geteuid() != 0 || !jails_work({"root", {}})) return;
    // Before Linux 6.11 only the host's root may change this one, even in a namespace of its own.
    Ran const shm = jailed({"root", {}}, {"--namespace=user=host", "--sysctl=kernel.shmmni=77"},
                           {busybox, "cat", "/proc/sys/kernel/shmmni"});
    INFO(shm.err);
    CHECK(shm.out == "77\n");
}

TEST_CASE("a seccomp profile of one's own decides") {
    NEEDS_ROOTFS(root);
    std::string const busybox = root.path() + "/bin/busybox";
    std::string const profile =
        R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],)"
        R"("action":"SCMP_ACT_ERRNO","errnoRet":28}]})";
    for_each_caller([&](Caller const& caller) {
        Ran const ran = jailed(caller, {"--seccomp-text=" + profile}, {busybox, "mkdir", "/tmp/x"});
        CHECK(ran.status == 1);
        CHECK(ran.err.find("No space left") != std::string::npos);
        Ran const unfiltered =
            jailed(caller, {"--seccomp=none"}, {busybox, "grep", "Seccomp:", "/proc/self/status"});
        CHECK(unfiltered.out == "Seccomp:\t0\n");
        std::string const odd =
            R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["no_such_call"],)"
            R"("action":"SCMP_ACT_KILL"}]})";
        Ran const unknown = jailed(caller, {"--seccomp-text=" + odd}, {busybox, "true"});
        CHECK(unknown.status == 125);
        CHECK(unknown.err.find("no_such_call") != std::string::npos);
        Ran const passed = jailed(caller, {"--seccomp-text=" + odd, "--seccomp-ignore-unknown"},
                                  {busybox, "true"});
        CHECK(passed.status == 0);
    });
}

TEST_CASE("Landlock leaves what its rules name") {
    NEEDS_ROOTFS(root);
    if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) < 1)
        ISO_SKIP("landlock", "this kernel has none");
    fs::create_directory(root.path() + "/data");
    REQUIRE(Fd::open(root.path() + "/data/file", O_CREAT | O_WRONLY, 0644));
    for_each_caller([&](Caller const& caller) {
        if (!overlay_works(caller, root)) return;
        Ran const ran =
            shell(caller, root,
                  {"--landlock-read=/bin", "--landlock-write=/tmp", "--landlock-write=/dev/null"},
                  "ls /data; echo $?; echo x > /tmp/x && cat /tmp/x; echo x > /bin/x; echo $?");
        INFO(ran.err);
        CHECK(ran.out == "1\nx\n1\n");
        Ran const missing = shell(caller, root, {"--landlock-read=/not/there"}, "true");
        CHECK(missing.status == 125);
    });
}

TEST_CASE("a dry run tells the plan and makes nothing") {
    NEEDS_ROOTFS(root);
    for_each_caller([&](Caller const& caller) {
        Ran const ran = jailed(caller,
                               {"--root=" + root.path(), "--root-mode=writable", "--dry-run",
                                "--memory=64M", "--namespace=ipc=host"},
                               {"/bin/sh", "-c", "echo ran"});
        CHECK(ran.status == 0);
        CHECK(ran.out.empty());
        for (char const* part : {"nothing was done", "pivot_root", "execve(/bin/sh)",
                                 "isolated:", "shared:", "shared memory   the host's", "limited:"})
            CHECK(ran.err.find(part) != std::string::npos);
        CHECK(names_in(root.path()) == Words{"bin"});
    });
}

TEST_CASE("what does not go together is refused before anything is made") {
    NEEDS_ROOTFS(root);
    std::string const busybox = root.path() + "/bin/busybox";
    for_each_caller([&](Caller const& caller) {
        for (Words const& options :
             {Words{"--namespace=mount=host", "--mount=type=tmpfs,target=/x"},
              Words{"--namespace=mount=host", "--root=" + root.path()},
              Words{"--namespace=time=host", "--boottime-offset=5"},
              Words{"--namespace=user=host", "--uid-map=0:0:1"},
              Words{"--namespace=ipc=host", "--sysctl=kernel.shmmni=77"},
              Words{"--mount=type=tmpfs,target=/proc/sys"}}) {
            INFO(options.back());
            Ran const ran = jailed(caller, options, {busybox, "true"});
            CHECK(ran.status == 125);
            CHECK(ran.err.find("; try: ") != std::string::npos);
        }
    });
}
