#pragma once

#include "isolate/spec/oci_object.hpp"
#include "isolate/spec/spec.hpp"

/// The parts of reading a config.json, in files of their own.
namespace iso::jail::oci {

Result<ProcessSpec> read_process(Value const& value, std::vector<std::string>& notes);
Result<void> read_linux(JailSpec& spec, Value const& value, std::vector<std::string>& notes);
Result<void> read_resources(LimitSpec& limits, Value const& value, std::vector<std::string>& notes);

/// OCI's names of namespaces, which are not all ours.
struct NamespaceName {
    char const* name;
    Namespace kind;
};
inline constexpr NamespaceName k_oci_namespaces[] = {
    {"pid", Namespace::pid},       {"network", Namespace::network}, {"mount", Namespace::mount},
    {"ipc", Namespace::ipc},       {"uts", Namespace::uts},         {"user", Namespace::user},
    {"cgroup", Namespace::cgroup}, {"time", Namespace::time}};

/// config.md, "POSIX-platform Hooks".
inline constexpr char const* k_oci_moments[] = {
    "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"};

struct CapabilityList {
    char const* name;
    std::uint64_t CapabilitySpec::*member;
};
inline constexpr CapabilityList k_oci_capabilities[] = {
    {"bounding", &CapabilitySpec::bounding},
    {"effective", &CapabilitySpec::effective},
    {"permitted", &CapabilitySpec::permitted},
    {"inheritable", &CapabilitySpec::inheritable},
    {"ambient", &CapabilitySpec::ambient}};

struct Throttle {
    char const* name;
    std::optional<std::uint64_t> IoLimit::*member;
};
inline constexpr Throttle k_oci_throttles[] = {
    {"throttleReadBpsDevice", &IoLimit::read_bytes},
    {"throttleWriteBpsDevice", &IoLimit::write_bytes},
    {"throttleReadIOPSDevice", &IoLimit::read_operations},
    {"throttleWriteIOPSDevice", &IoLimit::write_operations}};

} // namespace iso::jail::oci
