#include "common/json.hpp"
#include "isolate/spec/oci_config.hpp"
#include "isolate/spec/spec_json.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/mutation.hpp"

#include <sys/resource.h>

namespace {

using namespace iso;
using namespace iso::jail;
using nlohmann::json;
using namespace std::string_literals;

/// In the shape of what Podman 4.3 writes for a container with a limit and a volume.
json podman() {
    return json::parse(R"JSON({
"ociVersion": "1.0.2-dev",
"process": {
  "terminal": true, "consoleSize": {"height": 24, "width": 80},
  "user": {"uid": 1000, "gid": 1000, "umask": 18, "additionalGids": [33]},
  "args": ["/bin/sh", "-c", "id -u"],
  "env": ["PATH=/bin", "container=podman", "EMPTY="],
  "cwd": "/srv",
  "capabilities": {"bounding": ["CAP_CHOWN", "CAP_KILL"], "effective": ["CAP_CHOWN"],
                   "permitted": ["CAP_CHOWN", "CAP_KILL"]},
  "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 4096, "soft": 1024},
              {"type": "RLIMIT_NPROC", "hard": 18446744073709551615, "soft": 4096}],
  "noNewPrivileges": true, "oomScoreAdj": 100, "apparmorProfile": "", "selinuxLabel": ""},
"root": {"path": "rootfs", "readonly": true},
"hostname": "b7c1", "domainname": "example",
"mounts": [
  {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
  {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
   "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
  {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
   "options": ["rprivate", "nosuid", "noexec", "nodev", "relatime", "ro"]},
  {"destination": "/etc/hosts", "type": "bind", "source": "/run/hosts", "options": ["bind", "rprivate"]},
  {"destination": "/data", "type": "bind", "source": "volume", "options": ["rbind", "ro", "rw"]}],
"hooks": {"createRuntime": [{"path": "/usr/bin/hook", "args": ["hook", "a"], "env": ["A=1"], "timeout": 3}]},
"annotations": {"io.container.manager": "libpod"},
"linux": {
  "sysctl": {"net.ipv4.ping_group_range": "0 0"},
  "uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
  "gidMappings": [{"containerID": 0, "hostID": 200000, "size": 65536}],
  "timeOffsets": {"monotonic": {"secs": -3, "nanosecs": 500}, "boottime": {"secs": 86400}},
  "devices": [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 8630,
               "uid": 0, "gid": 5}],
  "resources": {
    "devices": [{"allow": false, "access": "rwm"},
                {"allow": true, "type": "c", "major": 1, "minor": -1, "access": "m"}],
    "memory": {"limit": 67108864, "reservation": 1048576, "swap": 134217728},
    "cpu": {"shares": 512, "quota": 50000, "period": 100000, "cpus": "0-1", "mems": "0"},
    "pids": {"limit": 2048},
    "blockIO": {"weight": 100,
                "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1048576}],
                "throttleWriteIOPSDevice": [{"major": 8, "minor": 0, "rate": 100}]},
    "unified": {"memory.high": "1000000"}},
  "cgroupsPath": "/libpod_parent/libpod-b7c1",
  "namespaces": [{"type": "pid"}, {"type": "network", "path": "/run/netns/x"}, {"type": "ipc"},
                 {"type": "uts"}, {"type": "mount"}, {"type": "cgroup"}, {"type": "user"},
                 {"type": "time"}],
  "seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": []},
  "rootfsPropagation": "rslave",
  "maskedPaths": ["/proc/acpi", "/proc/kcore"], "readonlyPaths": ["/proc/sys"]}})JSON");
}

json least() {
    return json::parse(R"({"ociVersion": "1.0.0", "root": {"path": "/r"},
                           "linux": {"namespaces": [{"type": "mount"}]}})");
}

OciConfig good_config(json const& in) {
    auto config = read_oci_config(in.dump(), "/bundle", "config.json");
    if (!config) FAIL(config.error().message());
    return *config;
}

std::string config_refusal(json const& in) {
    auto const config = read_oci_config(in.dump(), "/bundle", "config.json");
    INFO(in.dump(1));
    REQUIRE_FALSE(config);
    CHECK_FALSE(config.error().hint.empty());
    return config.error().op + ": " + config.error().cause;
}

} // namespace

TEST_CASE("a config.json as Podman writes it is read to the last field") {
    OciConfig const config = good_config(podman());
    JailSpec const& spec = config.spec;
    CHECK(config.notes.empty());
    CHECK(spec.root.path == "/bundle/rootfs");
    CHECK(spec.root.mode == RootSpec::Mode::read_only);
    CHECK(spec.root.propagation == "rslave");
    CHECK_FALSE(spec.standard_mounts);
    CHECK(spec.hostname == "b7c1");
    CHECK(spec.domainname == "example");

    ProcessSpec const& process = spec.process;
    CHECK(process.arguments == std::vector<std::string>{"/bin/sh", "-c", "id -u"});
    CHECK(process.environment.size() == 3);
    CHECK(process.directory == "/srv");
    CHECK((process.uid == 1000 && process.gid == 1000 && process.umask == 022U));
    CHECK(process.groups == std::vector<std::uint32_t>{33});
    CHECK((process.terminal && process.rows == 24 && process.columns == 80));
    CHECK(process.capabilities == CapabilitySpec{0x21, 0x1, 0x21, 0, 0});
    REQUIRE(process.rlimits.size() == 2);
    CHECK(process.rlimits[1] == ResourceLimit{RLIMIT_NPROC, 4096, ~std::uint64_t{0}});
    CHECK(process.no_new_privileges);
    CHECK(process.oom_score_adjust == 100);

    REQUIRE(spec.mounts.size() == 5);
    CHECK((spec.mounts[0].no_suid && spec.mounts[0].no_exec && spec.mounts[0].no_dev));
    CHECK(spec.mounts[1].options ==
          std::vector<std::string>{"strictatime", "mode=755", "size=65536k"});
    CHECK((spec.mounts[3].type == "bind" && !spec.mounts[3].recursive));
    CHECK(spec.mounts[4].source == "/bundle/volume");
    CHECK((spec.mounts[4].recursive && !spec.mounts[4].read_only)); // the last option counts

    CHECK(spec.at(Namespace::pid) == NamespaceChoice{});
    CHECK(spec.at(Namespace::network) ==
          NamespaceChoice{NamespaceChoice::From::path, "/run/netns/x"});
    CHECK(spec.uids == std::vector<IdRange>{{0, 100000, 65536}});
    CHECK(spec.gids == std::vector<IdRange>{{0, 200000, 65536}});
    CHECK(spec.monotonic == TimeOffset{-3, 500});
    CHECK(spec.boottime == TimeOffset{86400, 0});
    REQUIRE(spec.devices.size() == 1);
    CHECK(spec.devices[0] == DeviceSpec{'c', "/dev/fuse", 10, 229, 0666, 0, 5});

    LimitSpec const& limits = spec.limits;
    CHECK(limits.memory == 67108864U);
    CHECK(limits.memory_low == 1048576U);
    CHECK(limits.swap == 67108864U); // OCI counts both together
    CHECK(limits.tasks == 2048U);
    CHECK((limits.cpu_shares == 512U && limits.cpu_quota_us == 50000U &&
           limits.cpu_period_us == 100000U));
    CHECK((limits.cpus == "0-1" && limits.memory_nodes == "0" && limits.io_weight == 100U));
    REQUIRE(limits.io.size() == 1);
    CHECK(limits.io[0] == IoLimit{8, 0, 1048576, {}, {}, 100});
    REQUIRE(limits.devices.size() == 2);
    CHECK(limits.devices[0] == DeviceRule{false, 'a', {}, {}, "rwm"});
    CHECK(limits.devices[1] == DeviceRule{true, 'c', 1, {}, "m"});
    CHECK(limits.unified.at("memory.high") == "1000000");
    CHECK(spec.cgroup_path == "/libpod_parent/libpod-b7c1");
    CHECK(spec.sysctl.at("net.ipv4.ping_group_range") == "0 0");
    CHECK(spec.seccomp.profile == SeccompSpec::Profile::text);
    CHECK(json::parse(spec.seccomp.text) == podman()["linux"]["seccomp"]);
    CHECK(spec.masked == std::vector<std::string>{"/proc/acpi", "/proc/kcore"});
    CHECK(spec.read_only_paths == std::vector<std::string>{"/proc/sys"});
    REQUIRE(spec.hooks.at("createRuntime").size() == 1);
    CHECK(spec.hooks.at("createRuntime")[0] == Hook{"/usr/bin/hook", {"hook", "a"}, {"A=1"}, 3});
    CHECK(spec.annotations.at("io.container.manager") == "libpod");
}

TEST_CASE(
    "what a config.json leaves out is as the specification says, not as isolate usually has it") {
    JailSpec const spec = good_config(least()).spec;
    CHECK(spec.root.mode == RootSpec::Mode::writable);
    CHECK(spec.at(Namespace::pid).from == NamespaceChoice::From::host);
    CHECK(spec.network.mode == NetworkSpec::Mode::host);
    CHECK(spec.masked == std::vector<std::string>{});
    CHECK(spec.seccomp.profile == SeccompSpec::Profile::none);
    CHECK(spec.hostname.empty());
    json in = least();
    in["process"] = {{"args", {"x"}}, {"cwd", "/"}};
    CHECK_FALSE(good_config(in).spec.process.no_new_privileges);
    in["linux"]["resources"] = {
        {"memory", {{"limit", -1}}}, {"pids", {{"limit", -1}}}, {"cpu", {{"quota", -1}}}};
    CHECK_FALSE(good_config(in).spec.limits.any());
    in["hooks"] = nullptr; // as Go writes a nil pointer
    CHECK(good_config(in).spec.hooks.empty());
}

TEST_CASE("a field that is wrong or cannot be honoured is named in full") {
    struct Case {
        char const* pointer;
        json value;
        char const* named;
    };
    std::vector<Case> const cases{
        {"/ociVersion", "2.0.0", "config.json: ociVersion: \"2.0.0\" is not"},
        {"/ociVersion", nullptr, "config.json: ociVersion: missing"},
        {"/root", nullptr, "config.json: root"},
        {"/root"
         "/path",
         "", "config.json: root.path: "},
        {"/windows", {{"x", 1}}, "config.json: windows: isolate does not do this"},
        {"/mounts/0/destination", "proc",
         "config.json: mounts[0].destination: \"proc\" is not an absolute"},
        {"/mounts/0/destination", "/a/../../b", "config.json: mounts[0].destination: "},
        {"/mounts/3/options/0", "idmap", "config.json: mounts[3].options[0]: isolate does not"},
        {"/mounts/2/uidMappings", json::array({1}), "config.json: mounts[2].uidMappings: isolate"},
        {"/process/args", json::array(), "config.json: process.args: [] is not"},
        {"/process/args/1", "a\0b"s, "config.json: process.args[1]: "},
        {"/process/cwd", "srv", "config.json: process.cwd: "},
        {"/process/env/1", "container", "config.json: process.env[1]: "},
        {"/process/user/uid", -1, "config.json: process.user.uid: -1 is not a whole"},
        {"/process/user/uid", 4294967295, "config.json: process.user.uid: 4294967295"},
        {"/process/user/uid", 1.5, "config.json: process.user.uid: 1.5"},
        {"/process/rlimits/0/type", "RLIMIT_FILES", "config.json: process.rlimits[0].type: "},
        {"/process/rlimits/1/type", "RLIMIT_NOFILE",
         "config.json: process.rlimits[1].type: RLIMIT_NOFILE stands twice"},
        {"/process/rlimits/0/soft", 5000, "config.json: process.rlimits[0].soft: above"},
        {"/process/apparmorProfile", "x", "config.json: process.apparmorProfile: isolate"},
        {"/process/selinuxLabel", "x", "config.json: process.selinuxLabel: isolate"},
        {"/process/scheduler", {{"policy", "SCHED_RR"}}, "config.json: process.scheduler: isolate"},
        {"/process/ioPriority", {{"class", "x"}}, "config.json: process.ioPriority: isolate"},
        {"/hooks/createRuntime/0/path", "hook", "config.json: hooks.createRuntime[0].path: "},
        {"/hooks/createRuntime/0/timeout", 0, "config.json: hooks.createRuntime[0].timeout: "},
        {"/linux", nullptr, "config.json: root: would change the host"},
        {"/linux/namespaces/0/type", "pod", "config.json: linux.namespaces[0].type: \"pod\""},
        {"/linux/namespaces/0/type", "uts",
         "config.json: linux.namespaces[3].type: 'uts' stands twice"},
        {"/linux/namespaces/1/path", "netns", "config.json: linux.namespaces[1].path: "},
        {"/linux/uidMappings/0/size", 4294967295,
         "config.json: linux.uidMappings[0].size: goes beyond"},
        {"/linux/devices/0/type", "x", "config.json: linux.devices[0].type: "},
        {"/linux/devices/0/major", nullptr, "config.json: linux.devices[0].major: missing"},
        {"/linux/cgroupsPath", "/a/../..", "config.json: linux.cgroupsPath: "},
        {"/linux/maskedPaths/0", "proc", "config.json: linux.maskedPaths[0]: "},
        {"/linux/rootfsPropagation", "x", "config.json: linux.rootfsPropagation: "},
        {"/linux/mountLabel", "x", "config.json: linux.mountLabel: isolate"},
        {"/linux/intelRdt", {{"closID", "x"}}, "config.json: linux.intelRdt: isolate"},
        {"/linux/memoryPolicy", {{"mode", "x"}}, "config.json: linux.memoryPolicy: isolate"},
        {"/linux/netDevices", {{"eth0", json::object()}}, "config.json: linux.netDevices"},
        {"/linux/personality", {{"domain", "LINUX32"}}, "config.json: linux.personality.domain"},
        {"/linux/seccomp", 5, "config.json: linux.seccomp: 5 is not"},
        {"/linux/sysctl", json::array(), "config.json: linux.sysctl: [] is not"},
        {"/linux/resources/memory/swap", 1000, "config.json: linux.resources.memory.swap: "},
        {"/linux/resources/memory/kernel", 1000,
         "config.json: linux.resources.memory.kernel: isolate"},
        {"/linux/resources/memory/swappiness", 0,
         "config.json: linux.resources.memory.swappiness: isolate"},
        {"/linux/resources/memory/disableOOMKiller", true,
         "config.json: linux.resources.memory.disableOOMKiller"},
        {"/linux/resources/cpu/burst", 5, "config.json: linux.resources.cpu.burst: isolate"},
        {"/linux/resources/cpu/realtimeRuntime", 5,
         "config.json: linux.resources.cpu.realtimeRuntime"},
        {"/linux/resources/cpu/cpus", "0;rm", "config.json: linux.resources.cpu.cpus: "},
        {"/linux/resources/blockIO/leafWeight", 5,
         "config.json: linux.resources.blockIO.leafWeight"},
        {"/linux/resources/blockIO/weightDevice",
         {{{"major", 8}}},
         "config.json: linux.resources.blockIO.weightDevice"},
        {"/linux/resources/hugepageLimits",
         {{{"limit", 5}}},
         "config.json: linux.resources.hugepageLimits"},
        {"/linux/resources/rdma", {{"x", 1}}, "config.json: linux.resources.rdma: isolate"},
        {"/linux/resources/network",
         {{"classID", 1}},
         "config.json: linux.resources.network: isolate"},
        {"/linux/resources/devices/0/access", "x",
         "config.json: linux.resources.devices[0].access: "},
        {"/linux/resources/devices/0/allow", nullptr,
         "config.json: linux.resources.devices[0].allow: missing"},
    };
    for (Case const& c : cases) {
        json in = podman();
        in[json::json_pointer(c.pointer)] = c.value;
        INFO(c.pointer);
        CHECK_THAT(config_refusal(in), Catch::StartsWith(c.named));
    }
}

TEST_CASE("what would change the host instead of a namespace is refused") {
    json in = least();
    in["hostname"] = "x";
    CHECK_THAT(config_refusal(in),
               Catch::StartsWith("config.json: hostname: would change the host"));
    in = least();
    in["linux"]["uidMappings"] = {{{"containerID", 0}, {"hostID", 0}, {"size", 1}}};
    CHECK_THAT(config_refusal(in), Catch::StartsWith("config.json: linux.uidMappings"));
}

TEST_CASE("unknown fields are warnings with their full name, as the specification demands") {
    json in = podman();
    in["x"] = 1;
    in["linux"]["resources"]["memory"]["limti"] = 1;
    in["mounts"][1]["y"] = 1;
    in["process"]["capabilities"]["bounding"].push_back("CAP_FLY");
    OciConfig const config = good_config(in);
    std::string notes;
    for (std::string const& note : config.notes)
        notes += note + "\n";
    CHECK(config.notes.size() == 4);
    CHECK_THAT(notes, Catch::Contains("config.json: x: unknown"));
    CHECK_THAT(notes, Catch::Contains("config.json: linux.resources.memory.limti: unknown"));
    CHECK_THAT(notes, Catch::Contains("config.json: mounts[1].y: unknown"));
    CHECK_THAT(notes,
               Catch::Contains("process.capabilities.bounding[2]: \"CAP_FLY\" is no capability"));
    CHECK(config.spec == good_config(podman()).spec);
}

TEST_CASE("a jail written as config.json is the same when it is read") {
    for (bool const rootless : {false, true}) {
        JailSpec usual = usual_oci_jail(rootless, 1000, 1000);
        auto const text = write_oci_config(usual);
        REQUIRE(text);
        auto const again = read_oci_config(*text, "/bundle", "config.json");
        if (!again) FAIL(again.error().message());
        CHECK(again->notes.empty());
        usual.root.path = "/bundle/rootfs";
        CHECK(spec_to_json(again->spec) == spec_to_json(usual));
    }
    JailSpec const spec = good_config(podman()).spec;
    auto const text = write_oci_config(spec);
    REQUIRE(text);
    CHECK(spec_to_json(good_config(json::parse(*text)).spec) == spec_to_json(spec));
    CHECK_FALSE(write_oci_config(JailSpec{}));
}

TEST_CASE("a process alone and resources alone are read by the same rules") {
    std::vector<std::string> notes;
    auto const process = read_oci_process(podman()["process"].dump(), "p.json", notes);
    REQUIRE(process);
    CHECK(*process == good_config(podman()).spec.process);
    CHECK_THAT(read_oci_process("{}", "p.json", notes).error().op, Catch::Equals("p.json: args"));
    LimitSpec limits;
    limits.tasks = 5;
    REQUIRE(read_oci_resources(R"({"memory": {"limit": 4096}})", "r.json", limits, notes));
    CHECK((limits.memory == 4096U && limits.tasks == 5U));
}

TEST_CASE("a mutated config.json is refused in words or read, never worse", "[random]") {
    iso::test::Mutations mutations("{}[]\",:0-9.e\\u/");
    std::string const whole = podman().dump();
    int accepted = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string const text = mutations.of(whole);
        auto const config = read_oci_config(text, "/bundle", "config.json");
        if (config) {
            ++accepted;
            for (MountSpec const& mount : config->spec.mounts) // what the planner relies on
                REQUIRE((mount.target.starts_with("/") &&
                         mount.target.find("/../") == std::string::npos));
            continue;
        }
        REQUIRE_THAT(config.error().op, Catch::StartsWith("config.json"));
        REQUIRE_FALSE(config.error().cause.empty());
    }
    CHECK(accepted > 100);
}
