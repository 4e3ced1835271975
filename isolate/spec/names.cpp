#include "isolate/spec/names.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <sys/resource.h>

namespace iso::jail {

namespace {

constexpr Named<Namespace> k_namespaces[] = {
    {Namespace::user, "user"},       {Namespace::mount, "mount"}, {Namespace::pid, "pid"},
    {Namespace::network, "network"}, {Namespace::ipc, "ipc"},     {Namespace::uts, "uts"},
    {Namespace::cgroup, "cgroup"},   {Namespace::time, "time"}};
using From = NamespaceChoice::From;
constexpr Named<From> k_origins[] = {
    {From::fresh, "fresh"}, {From::host, "host"}, {From::path, "path"}};
using Source = RootSpec::Source;
constexpr Named<Source> k_sources[] = {{Source::empty, "empty"},
                                       {Source::directory, "directory"},
                                       {Source::archive, "archive"},
                                       {Source::oci_layout, "oci-layout"}};
constexpr Named<RootSpec::Mode> k_root_modes[] = {{RootSpec::Mode::read_only, "read-only"},
                                                  {RootSpec::Mode::overlay, "overlay"},
                                                  {RootSpec::Mode::writable, "writable"}};
using Profile = SeccompSpec::Profile;
constexpr Named<Profile> k_profiles[] = {{Profile::standard, "standard"},
                                         {Profile::none, "none"},
                                         {Profile::file, "file"},
                                         {Profile::text, "text"}};
using Network = NetworkSpec::Mode;
constexpr Named<Network> k_networks[] = {{Network::none, "none"},
                                         {Network::loopback, "loopback"},
                                         {Network::host, "host"},
                                         {Network::bridge, "bridge"},
                                         {Network::user, "user"}};

// Not libcap's table: its archive has a constructor that asks the kernel at every start.
constexpr std::string_view k_capabilities[] = {"CHOWN",
                                               "DAC_OVERRIDE",
                                               "DAC_READ_SEARCH",
                                               "FOWNER",
                                               "FSETID",
                                               "KILL",
                                               "SETGID",
                                               "SETUID",
                                               "SETPCAP",
                                               "LINUX_IMMUTABLE",
                                               "NET_BIND_SERVICE",
                                               "NET_BROADCAST",
                                               "NET_ADMIN",
                                               "NET_RAW",
                                               "IPC_LOCK",
                                               "IPC_OWNER",
                                               "SYS_MODULE",
                                               "SYS_RAWIO",
                                               "SYS_CHROOT",
                                               "SYS_PTRACE",
                                               "SYS_PACCT",
                                               "SYS_ADMIN",
                                               "SYS_BOOT",
                                               "SYS_NICE",
                                               "SYS_RESOURCE",
                                               "SYS_TIME",
                                               "SYS_TTY_CONFIG",
                                               "MKNOD",
                                               "LEASE",
                                               "AUDIT_WRITE",
                                               "AUDIT_CONTROL",
                                               "SETFCAP",
                                               "MAC_OVERRIDE",
                                               "MAC_ADMIN",
                                               "SYSLOG",
                                               "WAKE_ALARM",
                                               "BLOCK_SUSPEND",
                                               "AUDIT_READ",
                                               "PERFMON",
                                               "BPF",
                                               "CHECKPOINT_RESTORE"};

constexpr Named<int> k_rlimits[] = {
    {RLIMIT_AS, "as"},           {RLIMIT_CORE, "core"},         {RLIMIT_CPU, "cpu"},
    {RLIMIT_DATA, "data"},       {RLIMIT_FSIZE, "fsize"},       {RLIMIT_LOCKS, "locks"},
    {RLIMIT_MEMLOCK, "memlock"}, {RLIMIT_MSGQUEUE, "msgqueue"}, {RLIMIT_NICE, "nice"},
    {RLIMIT_NOFILE, "nofile"},   {RLIMIT_NPROC, "nproc"},       {RLIMIT_RSS, "rss"},
    {RLIMIT_RTPRIO, "rtprio"},   {RLIMIT_RTTIME, "rttime"},     {RLIMIT_SIGPENDING, "sigpending"},
    {RLIMIT_STACK, "stack"}};

constexpr char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return upper(x) == upper(y); });
}

bool drop_prefix(std::string_view& text, std::string_view prefix) {
    if (!same_ignoring_case(text.substr(0, prefix.size()), prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

} // namespace

std::span<Named<Namespace> const> names_of(Namespace) {
    return k_namespaces;
}
std::span<Named<NamespaceChoice::From> const> names_of(NamespaceChoice::From) {
    return k_origins;
}
std::span<Named<RootSpec::Source> const> names_of(RootSpec::Source) {
    return k_sources;
}
std::span<Named<RootSpec::Mode> const> names_of(RootSpec::Mode) {
    return k_root_modes;
}
std::span<Named<SeccompSpec::Profile> const> names_of(SeccompSpec::Profile) {
    return k_profiles;
}
std::span<Named<NetworkSpec::Mode> const> names_of(NetworkSpec::Mode) {
    return k_networks;
}

std::string capability_name(unsigned number) {
    std::string name = "CAP_";
    if (number < std::size(k_capabilities)) return name.append(k_capabilities[number]);
    return name + std::to_string(number);
}

std::optional<unsigned> capability_number(std::string_view name) {
    bool const prefixed = drop_prefix(name, "CAP_");
    for (unsigned i = 0; i < std::size(k_capabilities); ++i)
        if (same_ignoring_case(name, k_capabilities[i])) return i;
    unsigned number = 0;
    auto const [end, problem] = std::from_chars(name.data(), name.data() + name.size(), number);
    bool const whole = problem == std::errc{} && end == name.data() + name.size();
    if (prefixed && whole && number >= std::size(k_capabilities) && number < 64) return number;
    return {};
}

std::uint64_t all_capabilities() {
    return (std::uint64_t{1} << std::size(k_capabilities)) - 1;
}

std::string_view rlimit_name(int resource) {
    for (auto const& [value, name] : k_rlimits)
        if (value == resource) return name;
    return {};
}

std::optional<int> rlimit_number(std::string_view name) {
    drop_prefix(name, "RLIMIT_");
    for (auto const& [value, known] : k_rlimits)
        if (same_ignoring_case(name, known)) return value;
    return {};
}

bool is_utf8(std::string_view text) {
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    for (std::size_t i = 0; i < text.size();) {
        unsigned const first = byte(i);
        std::size_t const more = first < 0x80 ? 0 : first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
        if (first >= 0x80 && (first < 0xc2 || first > 0xf4)) return false;
        if (text.size() - i <= more) return false;
        unsigned code = more == 0 ? first : first & (0x3fU >> more);
        for (std::size_t k = 1; k <= more; ++k) {
            if ((byte(i + k) & 0xc0U) != 0x80) return false;
            code = code << 6U | (byte(i + k) & 0x3fU);
        }
        // The shortest form only, no halves of surrogate pairs, nothing beyond Unicode.
        if ((more == 2 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) ||
            (more == 3 && (code < 0x10000 || code > 0x10ffff)))
            return false;
        i += more + 1;
    }
    return true;
}

} // namespace iso::jail
