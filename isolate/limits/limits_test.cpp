// What is decided about control groups before any is made.
#include "isolate/limits/device_program.hpp"
#include "isolate/limits/group_path.hpp"
#include "isolate/limits/hierarchy.hpp"
#include "isolate/limits/statistics.hpp"
#include "tests/support/catch.hpp"

#include <map>

#include <sys/resource.h>

using namespace iso;
using namespace iso::jail;

namespace {

constexpr std::uint64_t k_mebibyte = std::uint64_t{1} << 20U;

std::string written(LimitSpec const& limits, std::string const& controller, bool v2) {
    std::string text;
    for (Setting const& setting : settings_for(limits, controller, v2))
        text += setting.file + "=" + setting.value + ";";
    return text;
}

/// Runs the few instructions that device_program() makes, as the kernel does.
bool allows(std::vector<bpf_insn> const& code, char type, int major, int minor,
            std::string const& access) {
    std::uint64_t reg[11] = {};
    std::uint32_t bits = 0;
    for (char const c : access)
        bits |= c == 'r'   ? BPF_DEVCG_ACC_READ
                : c == 'w' ? BPF_DEVCG_ACC_WRITE
                           : BPF_DEVCG_ACC_MKNOD;
    std::uint32_t const context[3] = {
        (bits << 16U) | std::uint32_t(type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
        static_cast<std::uint32_t>(major), static_cast<std::uint32_t>(minor)};
    for (std::size_t at = 0;; ++at) {
        REQUIRE(at < code.size());
        bpf_insn const& i = code[at];
        std::uint64_t& to = reg[i.dst_reg];
        auto const immediate = static_cast<std::uint64_t>(std::int64_t{i.imm});
        switch (i.code) {
        case BPF_LDX | BPF_W | BPF_MEM:
            REQUIRE(i.src_reg == BPF_REG_1);
            to = context[i.off / 4];
            break;
        case BPF_ALU64 | BPF_MOV | BPF_X:
            to = reg[i.src_reg];
            break;
        case BPF_ALU64 | BPF_MOV | BPF_K:
            to = immediate;
            break;
        case BPF_ALU64 | BPF_AND | BPF_K:
            to &= immediate;
            break;
        case BPF_ALU64 | BPF_RSH | BPF_K:
            to >>= immediate;
            break;
        case BPF_JMP | BPF_JNE | BPF_K:
            if (to != immediate) at += static_cast<std::size_t>(i.off);
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            if (to == immediate) at += static_cast<std::size_t>(i.off);
            break;
        case BPF_JMP | BPF_EXIT:
            return reg[0] != 0;
        default:
            FAIL("an instruction that the test does not know");
        }
    }
}

DeviceRule rule(bool allow, char type, std::optional<std::int64_t> major,
                std::optional<std::int64_t> minor, std::string access) {
    return {allow, type, major, minor, std::move(access)};
}

std::string const k_hybrid_mounts =
    "30 24 0:26 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "32 30 0:28 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
    "33 30 0:29 /docker/7 /mnt/with\\040blank rw,relatime - cgroup cgroup rw,pids\n"
    "34 30 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
    "35 30 0:31 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
std::string const k_hybrid_groups = "5:name=systemd:/\n4:pids:/docker/7/x\n3:memory:/a/b\n"
                                    "2:cpu,cpuacct:/\n0::/../other\n";

} // namespace

TEST_CASE("limits: the usual share of one version is the usual one of the other") {
    CHECK(cpu_weight(1024) == 100);
    CHECK(cpu_weight(0) == 1);
    CHECK(cpu_weight(2) == 1);
    CHECK(cpu_weight(262144) == 10000);
    CHECK(cpu_weight(512) == 59);
    std::uint64_t last = 0;
    for (std::uint64_t shares = 2; shares <= 262144; shares += 97) {
        CHECK(cpu_weight(shares) >= last);
        last = cpu_weight(shares);
    }
    CHECK(io_weight(10) == 1);
    CHECK(io_weight(1000) == 10000);
    CHECK(io_weight(500) == 4950);
}

TEST_CASE("limits: each limit is written to the files of each version") {
    LimitSpec limits;
    limits.memory = 64 * k_mebibyte;
    limits.memory_low = 16 * k_mebibyte;
    limits.swap = 32 * k_mebibyte;
    limits.tasks = 100;
    limits.cpu_shares = 1024;
    limits.cpu_quota_us = 50000;
    limits.cpus = "0-1";
    limits.memory_nodes = "0";
    limits.io_weight = 500;
    limits.io = {{8, 16, 1000, {}, {}, 20}};
    limits.devices = {rule(false, 'a', {}, {}, "rwm"), rule(true, 'c', 1, 3, "rw")};
    limits.unified = {{"memory.high", "1000"}};

    CHECK(written(limits, "memory", false) ==
          "memory.limit_in_bytes=67108864;memory.soft_limit_in_bytes=16777216;"
          "memory.memsw.limit_in_bytes=100663296;");
    CHECK(written(limits, "memory", true) ==
          "memory.low=16777216;memory.max=67108864;memory.swap.max=33554432;memory.high=1000;");
    CHECK(written(limits, "pids", false) == "pids.max=100;");
    CHECK(written(limits, "cpu", false) ==
          "cpu.shares=1024;cpu.cfs_period_us=100000;cpu.cfs_quota_us=50000;");
    CHECK(written(limits, "cpu", true) == "cpu.weight=100;cpu.max=50000 100000;");
    CHECK(written(limits, "cpuset", true) == "cpuset.cpus=0-1;cpuset.mems=0;");
    CHECK(written(limits, "blkio", false) ==
          "blkio.bfq.weight=500;blkio.throttle.read_bps_device=8:16 1000;"
          "blkio.throttle.write_iops_device=8:16 20;");
    CHECK(written(limits, "blkio", true) ==
          "io.weight=default 4950;io.max=8:16 rbps=1000 wiops=20;");
    CHECK(written(limits, "devices", false) == "devices.deny=a *:* rwm;devices.allow=c 1:3 rw;");
    CHECK(written(limits, "devices", true).empty());

    limits.memory = k_unlimited;
    limits.cpu_quota_us = k_unlimited;
    limits.tasks = k_unlimited;
    CHECK(written(limits, "memory", false).find("memory.limit_in_bytes=-1") == 0);
    CHECK(written(limits, "memory", false).find("memsw.limit_in_bytes=-1") != std::string::npos);
    CHECK(written(limits, "cpu", true) == "cpu.weight=100;cpu.max=max 100000;");
    CHECK(written(limits, "pids", true) == "pids.max=max;");
}

TEST_CASE("limits: hierarchies are found as the machine has them") {
    Hierarchies const hybrid =
        parse_hierarchies(k_hybrid_mounts, k_hybrid_groups, [](std::string const& mount) {
            CHECK(mount == "/sys/fs/cgroup/unified");
            return std::string("hugetlb misc\n");
        });
    REQUIRE(hybrid.all.size() == 5);
    REQUIRE(hybrid.with("memory") != nullptr);
    CHECK(hybrid.with("memory")->own == "/a/b");
    CHECK(hybrid.with("cpu") == hybrid.with("cpuacct"));
    CHECK(hybrid.with("cpu")->own.empty());
    CHECK(hybrid.with("pids")->mount == "/mnt/with blank");
    CHECK(hybrid.with("pids")->own == "/x"); // the mount shows the hierarchy from /docker/7 on
    CHECK(hybrid.with("hugetlb")->v2);
    CHECK(hybrid.v2()->own.empty());
    CHECK(hybrid.with("blkio") == nullptr);
    CHECK(hybrid.text() == "hybrid (version 1, and version 2 with hugetlb misc)");

    Hierarchies const pure = parse_hierarchies(
        "25 1 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n", "0::/user.slice/me\n",
        [](std::string const&) { return std::string("cpu io memory pids\n"); });
    REQUIRE(pure.all.size() == 1);
    CHECK(pure.with("blkio") == pure.with("io"));
    CHECK(pure.with("io") != nullptr);
    CHECK(pure.v2()->own == "/user.slice/me");
    CHECK(pure.text() == "version 2");
    CHECK(parse_hierarchies("", "0::/\n", [](auto const&) { return std::string(); }).all.empty());
}

TEST_CASE("limits: a path of a control group, in both managers' forms") {
    std::map<std::string, std::pair<bool, std::string>> const sound{
        {"", {false, ""}},
        {"/a/b", {true, "/a/b"}},
        {"a//b/./c/", {false, "/a/b/c"}},
        {"system.slice:isolate:web", {true, "/system.slice/isolate-web.scope"}},
        {":isolate:web", {true, "/system.slice/isolate-web.scope"}},
        {"user-1000-x.slice:p:n",
         {true, "/user.slice/user-1000.slice/user-1000-x.slice/p-n.scope"}},
        {"-.slice::n", {true, "/n.scope"}},
        {"machine.slice:x:inner.slice", {true, "/machine.slice/inner.slice"}}};
    for (auto const& [text, expected] : sound) {
        INFO(text);
        auto const path = read_group_path(text);
        REQUIRE(path);
        CHECK(path->absolute == expected.first);
        CHECK(path->path == expected.second);
    }
    for (std::string const text :
         {"/", "..", "/a/../../b", "a/..", "user:p:n", "--.slice:p:n", "a--b.slice:p:n",
          "s.slice:p:", "s.slice:p:../n", "/a\nb", "."}) {
        INFO(text);
        CHECK_FALSE(read_group_path(text));
    }
    CHECK_FALSE(read_group_path(std::string(5000, 'a')));
}

TEST_CASE("limits: device rules mean in a program what they mean to version 1") {
    std::vector<DeviceRule> const rules{
        rule(false, 'a', {}, {}, "rwm"), rule(true, 'c', 1, 3, "rw"),  rule(true, 'c', 5, {}, "r"),
        rule(true, 'c', 5, {}, "w"),     rule(true, 'b', {}, {}, "m"), rule(true, 'c', 9, 9, "rwm"),
        rule(false, 'c', 9, 9, "w")};
    auto const code = device_program(rules);
    CHECK(allows(code, 'c', 1, 3, "r"));
    CHECK(allows(code, 'c', 1, 3, "rw"));
    CHECK_FALSE(allows(code, 'c', 1, 3, "m"));
    CHECK_FALSE(allows(code, 'c', 1, 5, "r"));
    CHECK_FALSE(allows(code, 'b', 1, 3, "r"));
    CHECK(allows(code, 'c', 5, 77, "rw")); // two rules for the same device add up
    CHECK_FALSE(allows(code, 'c', 5, 77, "rwm"));
    CHECK(allows(code, 'b', 8, 0, "m"));
    CHECK_FALSE(allows(code, 'b', 8, 0, "rm"));
    CHECK(allows(code, 'c', 9, 9, "rm"));
    CHECK_FALSE(allows(code, 'c', 9, 9, "w"));

    std::vector<DeviceRule> const open{rule(false, 'c', 1, 5, "w"),
                                       rule(false, 'b', {}, {}, "rwm")};
    auto const mostly = device_program(open);
    CHECK(allows(mostly, 'c', 1, 5, "r"));
    CHECK_FALSE(allows(mostly, 'c', 1, 5, "rw")); // a part of it is refused
    CHECK_FALSE(allows(mostly, 'b', 8, 1, "r"));
    CHECK(allows(mostly, 'c', 4, 1, "rwm"));
    CHECK(allows(device_program({}), 'b', 8, 0, "rwm"));
}

TEST_CASE("limits: what cannot be enforced is said, and is an error when it must be") {
    Hierarchies const nothing;
    LimitSpec limits;
    limits.memory = 64 * k_mebibyte;
    limits.swap = 0;
    limits.tasks = 50;
    limits.cpu_quota_us = 1000;
    auto plan = plan_group(limits, {}, nothing);
    REQUIRE(plan);
    CHECK_FALSE(plan->needs_group());
    REQUIRE(plan->unenforced.size() == 3);
    REQUIRE(plan->rlimits.size() == 2);
    CHECK(plan->rlimits[0].resource == RLIMIT_AS);
    CHECK(plan->rlimits[1].resource == RLIMIT_NPROC);
    CHECK(
        to_string(plan->unenforced[0]) ==
        "memory is not enforced by a control group: no memory controller here; instead: RLIMIT_AS, "
        "for each process by itself");
    CHECK(plan->unenforced[1].same); // tasks
    CHECK(plan->unenforced[2].instead.empty());
    limits.required = true;
    auto const refused = plan_group(limits, {}, nothing);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().cause.find("CPU quota: no cpu controller here") != std::string::npos);
    CHECK(refused.error().cause.find("tasks") == std::string::npos);
    CHECK(refused.error().exit_status == exit_code::engine_failed);
    LimitSpec only_tasks;
    only_tasks.tasks = 5;
    only_tasks.required = true;
    CHECK(plan_group(only_tasks, {}, nothing)); // RLIMIT_NPROC is as strong
}

TEST_CASE("limits: values that nobody can mean are refused") {
    auto refused = [](auto set) {
        LimitSpec limits;
        set(limits);
        auto const plan = plan_group(limits, {}, Hierarchies{});
        return !plan && plan.error().exit_status == exit_code::usage;
    };
    CHECK(refused([](LimitSpec& l) { l.cpu_shares = 1; }));
    CHECK(refused([](LimitSpec& l) { l.cpu_shares = 262145; }));
    CHECK(refused([](LimitSpec& l) { l.io_weight = 5; }));
    CHECK(refused([](LimitSpec& l) { l.cpus = "0;rm"; }));
    CHECK(refused([](LimitSpec& l) { l.memory_nodes = "zero"; }));
    CHECK(refused([](LimitSpec& l) { l.devices = {rule(true, 'c', 1, 3, "rwx")}; }));
    CHECK(refused([](LimitSpec& l) { l.devices = {rule(true, 'p', 1, 3, "rw")}; }));
    CHECK(refused([](LimitSpec& l) { l.unified = {{"../memory.max", "1"}}; }));
    CHECK(refused([](LimitSpec& l) { l.unified = {{"memory", "1"}}; }));
    CHECK(refused([](LimitSpec& l) { l.unified = {{"cgroup.procs", "1"}}; }));
    CHECK_FALSE(refused([](LimitSpec& l) { l.unified = {{"memory.high", "1"}}; }));
    LimitSpec limits;
    limits.tasks = 5;
    GroupOptions up;
    up.path = "/a/../b";
    CHECK_FALSE(plan_group(limits, up, Hierarchies{}));
}

TEST_CASE("limits: the table") {
    GroupStatistics seen;
    seen.memory = {3 * k_mebibyte, 4 * k_mebibyte + 100 * 1024, 64 * k_mebibyte, 7};
    seen.tasks = 2;
    seen.tasks_limit = k_unlimited;
    seen.tasks_refused = 0;
    seen.cpu_ns = 1'500'000'000;
    CHECK(limits_table(seen.rows()) ==
          "resource                      held  highest held       limit    failures\n"
          "memory                          3M          4.1M         64M           7\n"
          "tasks                            2             -        none           0\n"
          "CPU time                   1.500 s             -           -           -\n");
}
