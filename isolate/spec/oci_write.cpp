#include "isolate/spec/names.hpp"
#include "isolate/spec/oci_config.hpp"
#include "isolate/spec/oci_parts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <sys/resource.h>

namespace iso::jail {

namespace {

using nlohmann::ordered_json;
using From = NamespaceChoice::From;

constexpr char const* k_oci_version = "1.2.0";

ordered_json write_process(ProcessSpec const& process) {
    ordered_json user = {{"uid", process.uid}, {"gid", process.gid}};
    if (process.umask) user["umask"] = *process.umask;
    if (!process.groups.empty()) user["additionalGids"] = process.groups;
    ordered_json out = {{"terminal", process.terminal},
                        {"user", user},
                        {"args", process.arguments},
                        {"env", process.environment},
                        {"cwd", process.directory}};
    if (process.rows != 0 || process.columns != 0)
        out["consoleSize"] = {{"height", process.rows}, {"width", process.columns}};
    for (auto const& [name, member] : oci::k_oci_capabilities) {
        ordered_json names = ordered_json::array();
        for (unsigned bit = 0; bit < 64; ++bit)
            if ((process.capabilities.*member >> bit & 1U) != 0)
                names.push_back(capability_name(bit));
        out["capabilities"][name] = names;
    }
    for (ResourceLimit const& limit : process.rlimits) {
        std::string type = "RLIMIT_";
        for (char const c : rlimit_name(limit.resource))
            type += static_cast<char>(c - 'a' + 'A');
        out["rlimits"].push_back({{"type", type}, {"hard", limit.hard}, {"soft", limit.soft}});
    }
    out["noNewPrivileges"] = process.no_new_privileges;
    if (process.oom_score_adjust) out["oomScoreAdj"] = *process.oom_score_adjust;
    return out;
}

ordered_json write_mount(MountSpec const& mount) {
    ordered_json options = ordered_json::array();
    if (mount.type == "bind") options.push_back(mount.recursive ? "rbind" : "bind");
    if (mount.read_only) options.push_back("ro");
    if (mount.no_suid) options.push_back("nosuid");
    if (mount.no_dev) options.push_back("nodev");
    if (mount.no_exec) options.push_back("noexec");
    for (std::string const& option : mount.options)
        options.push_back(option);
    ordered_json out = {{"destination", mount.target}, {"type", mount.type}};
    out["source"] = mount.source.empty() ? mount.type : mount.source;
    out["options"] = options;
    return out;
}

ordered_json write_ranges(std::vector<IdRange> const& ranges) {
    ordered_json out = ordered_json::array();
    for (IdRange const& range : ranges)
        out.push_back(
            {{"containerID", range.inside}, {"hostID", range.outside}, {"size", range.count}});
    return out;
}

ordered_json write_resources(LimitSpec const& limits) {
    ordered_json out = ordered_json::object();
    for (DeviceRule const& rule : limits.devices) {
        ordered_json each = {{"allow", rule.allow}, {"type", std::string(1, rule.type)}};
        if (rule.major) each["major"] = *rule.major;
        if (rule.minor) each["minor"] = *rule.minor;
        each["access"] = rule.access;
        out["devices"].push_back(each);
    }
    auto put = [&out](char const* group, char const* name, auto const& value) {
        if (value) out[group][name] = *value;
    };
    put("memory", "limit", limits.memory);
    put("memory", "reservation", limits.memory_low);
    if (limits.swap && limits.memory) out["memory"]["swap"] = *limits.memory + *limits.swap;
    put("cpu", "shares", limits.cpu_shares);
    put("cpu", "quota", limits.cpu_quota_us);
    put("cpu", "period", limits.cpu_period_us);
    if (!limits.cpus.empty()) out["cpu"]["cpus"] = limits.cpus;
    if (!limits.memory_nodes.empty()) out["cpu"]["mems"] = limits.memory_nodes;
    put("pids", "limit", limits.tasks);
    put("blockIO", "weight", limits.io_weight);
    for (IoLimit const& limit : limits.io)
        for (auto const& [name, member] : oci::k_oci_throttles)
            if (auto const& rate = limit.*member)
                out["blockIO"][name].push_back(
                    {{"major", limit.major}, {"minor", limit.minor}, {"rate", *rate}});
    if (!limits.unified.empty()) out["unified"] = limits.unified;
    return out;
}

Result<ordered_json> write_linux(JailSpec const& spec) {
    ordered_json out = ordered_json::object();
    out["namespaces"] = ordered_json::array();
    for (auto const& [name, kind] : oci::k_oci_namespaces) {
        NamespaceChoice const& choice = spec.at(kind);
        if (choice.from == From::host) continue;
        ordered_json each = {{"type", name}};
        if (choice.from == From::path) each["path"] = choice.path;
        out["namespaces"].push_back(each);
    }
    if (!spec.uids.empty()) out["uidMappings"] = write_ranges(spec.uids);
    if (!spec.gids.empty()) out["gidMappings"] = write_ranges(spec.gids);
    for (auto const& [clock, offset] :
         {std::pair{"monotonic", &spec.monotonic}, std::pair{"boottime", &spec.boottime}})
        if (*offset)
            out["timeOffsets"][clock] = {{"secs", (*offset)->seconds},
                                         {"nanosecs", (*offset)->nanoseconds}};
    for (DeviceSpec const& device : spec.devices)
        out["devices"].push_back({{"path", device.path},
                                  {"type", std::string(1, device.type)},
                                  {"major", device.major},
                                  {"minor", device.minor},
                                  {"fileMode", device.mode},
                                  {"uid", device.uid},
                                  {"gid", device.gid}});
    if (!spec.cgroup_path.empty()) out["cgroupsPath"] = spec.cgroup_path;
    if (ordered_json resources = write_resources(spec.limits); !resources.empty())
        out["resources"] = std::move(resources);
    if (!spec.sysctl.empty()) out["sysctl"] = spec.sysctl;
    if (spec.seccomp.profile == SeccompSpec::Profile::text) {
        ordered_json filter = ordered_json::parse(spec.seccomp.text, nullptr, false);
        if (filter.is_discarded())
            return error("linux.seccomp", "the filter's text is not JSON", "seccomp none, or JSON");
        out["seccomp"] = std::move(filter);
    }
    if (spec.root.propagation != RootSpec{}.propagation)
        out["rootfsPropagation"] = spec.root.propagation;
    out["maskedPaths"] = spec.masked.value_or(std::vector<std::string>{});
    out["readonlyPaths"] = spec.read_only_paths.value_or(std::vector<std::string>{});
    return out;
}

/// What the specification has no words for, by its key.
Result<void> check_expressible(JailSpec const& spec) {
    auto cannot = [](char const* key, char const* next) {
        return error(key, "a config.json has no words for this", next);
    };
    if (spec.root.source != RootSpec::Source::directory)
        return cannot("root", "a directory as the root");
    if (spec.root.mode == RootSpec::Mode::overlay)
        return cannot("root-mode", "read-only or writable");
    if (spec.standard_mounts)
        return cannot("standard-mounts", "standard-mounts no, and each mount by its name");
    if (!spec.masked || !spec.read_only_paths)
        return cannot("mask", "each masked and read-only path by its name, or none");
    if (spec.landlock.wanted()) return cannot("landlock-read", "no Landlock");
    if (spec.seccomp.profile == SeccompSpec::Profile::standard ||
        spec.seccomp.profile == SeccompSpec::Profile::file)
        return cannot("seccomp", "seccomp none, or seccomp-text");
    if (spec.network.mode == NetworkSpec::Mode::bridge ||
        spec.network.mode == NetworkSpec::Mode::user)
        return cannot("network", "a hook that makes the interfaces");
    if (spec.process.from_host) return cannot("host-program", "a program in the root");
    return {};
}

MountSpec usual_mount(char const* type, char const* target, std::vector<std::string> options) {
    MountSpec mount;
    mount.type = mount.source = type;
    mount.target = target;
    mount.no_suid = true;
    mount.options = std::move(options);
    return mount;
}

} // namespace

Result<std::string> write_oci_config(JailSpec const& spec) {
    TRY(check_expressible(spec));
    ordered_json out = {{"ociVersion", k_oci_version}};
    if (!spec.process.arguments.empty()) out["process"] = write_process(spec.process);
    out["root"] = {{"path", spec.root.path},
                   {"readonly", spec.root.mode == RootSpec::Mode::read_only}};
    if (!spec.hostname.empty()) out["hostname"] = spec.hostname;
    if (!spec.domainname.empty()) out["domainname"] = spec.domainname;
    for (MountSpec const& mount : spec.mounts)
        out["mounts"].push_back(write_mount(mount));
    for (auto const& [moment, hooks] : spec.hooks)
        for (Hook const& hook : hooks) {
            ordered_json each = {{"path", hook.path}};
            if (!hook.arguments.empty()) each["args"] = hook.arguments;
            if (!hook.environment.empty()) each["env"] = hook.environment;
            if (hook.timeout_seconds) each["timeout"] = *hook.timeout_seconds;
            out["hooks"][moment].push_back(each);
        }
    if (!spec.annotations.empty()) out["annotations"] = spec.annotations;
    out["linux"] = TRY(write_linux(spec));
    return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

JailSpec usual_oci_jail(bool rootless, std::uint32_t uid, std::uint32_t gid) {
    JailSpec spec;
    spec.hostname = "isolate";
    spec.standard_mounts = false;
    spec.root = {RootSpec::Source::directory,
                 RootSpec::Mode::read_only,
                 "rootfs",
                 {},
                 {},
                 {},
                 "private",
                 {},
                 true};
    spec.seccomp.profile = SeccompSpec::Profile::none;
    spec.at(Namespace::time).from = From::host;
    if (rootless) {
        spec.uids = {{0, uid, 1}};
        spec.gids = {{0, gid, 1}};
    } else {
        spec.at(Namespace::user).from = From::host;
    }
    ProcessSpec& process = spec.process;
    process.terminal = true;
    process.arguments = {"sh"};
    process.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                           "TERM=xterm"};
    std::uint64_t kept = 0;
    for (char const* name : {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"})
        kept |= std::uint64_t{1} << capability_number(name).value_or(0);
    process.capabilities = {kept, kept, kept, 0, 0};
    process.rlimits = {{RLIMIT_NOFILE, 1024, 1024}};

    // "Default Filesystems" of config-linux.md, and what programs expect below /dev.
    MountSpec proc = usual_mount("proc", "/proc", {});
    proc.no_exec = proc.no_dev = true;
    MountSpec dev = usual_mount("tmpfs", "/dev", {"strictatime", "mode=755", "size=65536k"});
    MountSpec pts =
        usual_mount("devpts", "/dev/pts", {"newinstance", "ptmxmode=0666", "mode=0620"});
    if (!rootless) pts.options.emplace_back("gid=5"); // a group that one mapped id has not
    pts.no_exec = true;
    MountSpec shm = usual_mount("tmpfs", "/dev/shm", {"mode=1777", "size=65536k"});
    shm.no_exec = shm.no_dev = true;
    MountSpec queue = usual_mount("mqueue", "/dev/mqueue", {});
    queue.no_exec = queue.no_dev = true;
    MountSpec sys = usual_mount("sysfs", "/sys", {});
    sys.no_exec = sys.no_dev = sys.read_only = true;
    spec.mounts = {proc, dev, pts, shm, queue, sys};
    spec.masked = {"/proc/acpi",        "/proc/asound",        "/proc/kcore",
                   "/proc/keys",        "/proc/latency_stats", "/proc/timer_list",
                   "/proc/timer_stats", "/proc/sched_debug",   "/proc/scsi",
                   "/sys/firmware"};
    spec.read_only_paths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                            "/proc/sysrq-trigger"};
    if (!rootless) spec.limits.devices = {DeviceRule{}};
    return spec;
}

} // namespace iso::jail
