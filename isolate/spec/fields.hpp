#pragma once

#include "isolate/spec/spec.hpp"

#include <tuple>

namespace iso::jail {

/// One member of a struct and its name in JSON. The list of a struct is the one place that says
/// what it consists of: reading, writing and naming an error all walk it.
template <typename Struct, typename Member>
struct Field {
    char const* name;
    Member Struct::*member;
};
template <typename Struct, typename Member>
constexpr Field<Struct, Member> field(char const* name, Member Struct::*member) {
    return {name, member};
}

constexpr auto fields_of(NamespaceChoice const*) {
    using S = NamespaceChoice;
    return std::tuple{field("from", &S::from), field("path", &S::path)};
}
constexpr auto fields_of(IdRange const*) {
    using S = IdRange;
    return std::tuple{field("inside", &S::inside), field("outside", &S::outside),
                      field("count", &S::count)};
}
constexpr auto fields_of(RootSpec const*) {
    using S = RootSpec;
    return std::tuple{field("source", &S::source),
                      field("mode", &S::mode),
                      field("path", &S::path),
                      field("reference", &S::reference),
                      field("upper", &S::upper),
                      field("quota", &S::quota),
                      field("unpack_limit", &S::unpack_limit),
                      field("image_defaults", &S::image_defaults),
                      field("propagation", &S::propagation)};
}
constexpr auto fields_of(MountSpec const*) {
    using S = MountSpec;
    return std::tuple{field("type", &S::type),           field("source", &S::source),
                      field("target", &S::target),       field("recursive", &S::recursive),
                      field("read_only", &S::read_only), field("no_suid", &S::no_suid),
                      field("no_dev", &S::no_dev),       field("no_exec", &S::no_exec),
                      field("options", &S::options)};
}
constexpr auto fields_of(DeviceSpec const*) {
    using S = DeviceSpec;
    return std::tuple{field("type", &S::type),   field("path", &S::path), field("major", &S::major),
                      field("minor", &S::minor), field("mode", &S::mode), field("uid", &S::uid),
                      field("gid", &S::gid)};
}
constexpr auto fields_of(DeviceRule const*) {
    using S = DeviceRule;
    return std::tuple{field("allow", &S::allow), field("type", &S::type), field("major", &S::major),
                      field("minor", &S::minor), field("access", &S::access)};
}
constexpr auto fields_of(CapabilitySpec const*) {
    using S = CapabilitySpec;
    return std::tuple{field("bounding", &S::bounding), field("effective", &S::effective),
                      field("permitted", &S::permitted), field("inheritable", &S::inheritable),
                      field("ambient", &S::ambient)};
}
constexpr auto fields_of(SeccompSpec const*) {
    using S = SeccompSpec;
    return std::tuple{field("profile", &S::profile), field("path", &S::path),
                      field("text", &S::text), field("ignore_unknown", &S::ignore_unknown)};
}
constexpr auto fields_of(LandlockSpec const*) {
    using S = LandlockSpec;
    return std::tuple{field("readable", &S::readable), field("writable", &S::writable)};
}
constexpr auto fields_of(IoLimit const*) {
    using S = IoLimit;
    return std::tuple{field("major", &S::major),
                      field("minor", &S::minor),
                      field("read_bytes", &S::read_bytes),
                      field("write_bytes", &S::write_bytes),
                      field("read_operations", &S::read_operations),
                      field("write_operations", &S::write_operations)};
}
constexpr auto fields_of(LimitSpec const*) {
    using S = LimitSpec;
    return std::tuple{field("memory", &S::memory),
                      field("memory_low", &S::memory_low),
                      field("swap", &S::swap),
                      field("tasks", &S::tasks),
                      field("cpu_shares", &S::cpu_shares),
                      field("cpu_quota_us", &S::cpu_quota_us),
                      field("cpu_period_us", &S::cpu_period_us),
                      field("cpus", &S::cpus),
                      field("memory_nodes", &S::memory_nodes),
                      field("io_weight", &S::io_weight),
                      field("io", &S::io),
                      field("devices", &S::devices),
                      field("unified", &S::unified),
                      field("required", &S::required)};
}
constexpr auto fields_of(ResourceLimit const*) {
    using S = ResourceLimit;
    return std::tuple{field("resource", &S::resource), field("soft", &S::soft),
                      field("hard", &S::hard)};
}
constexpr auto fields_of(NetworkSpec const*) {
    using S = NetworkSpec;
    return std::tuple{field("mode", &S::mode),           field("bridge", &S::bridge),
                      field("addresses", &S::addresses), field("gateway", &S::gateway),
                      field("interface", &S::interface), field("mtu", &S::mtu)};
}
constexpr auto fields_of(TimeOffset const*) {
    using S = TimeOffset;
    return std::tuple{field("seconds", &S::seconds), field("nanoseconds", &S::nanoseconds)};
}
constexpr auto fields_of(ProcessSpec const*) {
    using S = ProcessSpec;
    return std::tuple{field("arguments", &S::arguments),
                      field("from_host", &S::from_host),
                      field("environment", &S::environment),
                      field("directory", &S::directory),
                      field("uid", &S::uid),
                      field("gid", &S::gid),
                      field("groups", &S::groups),
                      field("umask", &S::umask),
                      field("terminal", &S::terminal),
                      field("rows", &S::rows),
                      field("columns", &S::columns),
                      field("no_new_privileges", &S::no_new_privileges),
                      field("capabilities", &S::capabilities),
                      field("rlimits", &S::rlimits),
                      field("oom_score_adjust", &S::oom_score_adjust)};
}
constexpr auto fields_of(Hook const*) {
    using S = Hook;
    return std::tuple{field("path", &S::path), field("arguments", &S::arguments),
                      field("environment", &S::environment),
                      field("timeout_seconds", &S::timeout_seconds)};
}
constexpr auto fields_of(JailSpec const*) {
    using S = JailSpec;
    return std::tuple{field("name", &S::name),
                      field("hostname", &S::hostname),
                      field("domainname", &S::domainname),
                      field("namespaces", &S::namespaces),
                      field("uids", &S::uids),
                      field("gids", &S::gids),
                      field("monotonic", &S::monotonic),
                      field("boottime", &S::boottime),
                      field("root", &S::root),
                      field("standard_mounts", &S::standard_mounts),
                      field("mounts", &S::mounts),
                      field("devices", &S::devices),
                      field("masked", &S::masked),
                      field("read_only_paths", &S::read_only_paths),
                      field("sysctl", &S::sysctl),
                      field("seccomp", &S::seccomp),
                      field("landlock", &S::landlock),
                      field("limits", &S::limits),
                      field("cgroup_path", &S::cgroup_path),
                      field("network", &S::network),
                      field("process", &S::process),
                      field("hooks", &S::hooks),
                      field("annotations", &S::annotations)};
}

/// A struct with a list above.
template <typename Struct>
concept Described = requires(Struct const* s) {
    fields_of(s);
};

} // namespace iso::jail
