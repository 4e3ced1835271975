// What this runtime does, for engines that ask: runtime-spec's features.md.
#include "common/json.hpp"
#include "common/version.hpp"
#include "isolate/mount_options.hpp"
#include "isolate/oci/tools.hpp"
#include "isolate/spec/names.hpp"
#include "isolate/spec/oci_parts.hpp"

#include <bit>

namespace iso::jail {

namespace {

using nlohmann::json;

json no() {
    return {{"enabled", false}};
}

json capability_names() {
    json names = json::array();
    for (std::uint64_t left = all_capabilities(); left != 0; left &= left - 1)
        names.push_back(capability_name(static_cast<unsigned>(std::countr_zero(left))));
    return names;
}

} // namespace

std::string features_json() {
    json namespaces = json::array();
    for (oci::NamespaceName const& name : oci::k_oci_namespaces)
        namespaces.push_back(name.name);
    json const out = {
        {"ociVersionMin", "1.0.0"},
        {"ociVersionMax", "1.3.0"},
        {"hooks", oci::k_oci_moments},
        {"mountOptions", mount_option_names()},
        {"linux",
         {{"namespaces", namespaces},
          {"capabilities", capability_names()},
          {"cgroup",
           {{"v1", true},
            {"v2", true},
            {"systemd", false}, // its form of paths is read, it is not asked
            {"systemdUser", false},
            {"rdma", false}}},
          {"seccomp",
           {{"enabled", true},
            {"actions",
             {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
              "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP"}},
            {"operators",
             {"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE",
              "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"}},
            {"archs", {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"}},
            {"knownFlags",
             {"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
              "SECCOMP_FILTER_FLAG_SPEC_ALLOW"}},
            {"supportedFlags",
             {"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
              "SECCOMP_FILTER_FLAG_SPEC_ALLOW"}}}},
          {"apparmor", no()},
          {"selinux", no()},
          {"intelRdt", no()},
          {"mountExtensions", {{"idmap", no()}}},
          {"netDevices", no()}}},
        {"annotations", {{"io.isolab.isolate.version", k_version}}},
        {"potentiallyUnsafeConfigAnnotations", json::array()}};
    return out.dump(2) + "\n";
}

} // namespace iso::jail
