#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace iso::jail {

// What a jail is, whoever described it: the command line, a jail file, an OCI config.json, or the
// configuration of another system. Every face reads into this model and the planner
// (isolate/plan.hpp) turns it into kernel calls; nothing else decides what a jail is.
//
// Sizes are in bytes, times in nanoseconds unless a name says otherwise, paths absolute. An empty
// optional means: what the kernel or the caller has.

enum class Namespace : std::uint8_t { user, mount, pid, network, ipc, uts, cgroup, time };
inline constexpr std::size_t k_namespace_count = 8;

/// Where a jail has one of its namespaces from (namespaces(7)).
struct NamespaceChoice {
    enum class From : std::uint8_t {
        fresh, ///< one of its own
        host,  ///< shared with the caller
        path,  ///< joined: a file like /proc/PID/ns/net or a bind of one
    };
    From from = From::fresh;
    std::string path;

    friend bool operator==(NamespaceChoice const&, NamespaceChoice const&) = default;
};

/// `count` ids from `inside` on are `outside`... on the host (user_namespaces(7)).
struct IdRange {
    std::uint32_t inside = 0;
    std::uint32_t outside = 0;
    std::uint32_t count = 1;

    friend bool operator==(IdRange const&, IdRange const&) = default;
};

struct RootSpec {
    enum class Source : std::uint8_t {
        empty,      ///< nothing but what is mounted into it
        directory,  ///< a directory of the host
        archive,    ///< a tar archive, plain or compressed
        oci_layout, ///< a directory with an OCI image layout
    };
    enum class Mode : std::uint8_t {
        read_only,
        overlay,  ///< writes go to `upper`, or to memory where that is empty, and are not kept then
        writable, ///< writes go to the directory itself
    };
    Source source = Source::empty;
    Mode mode = Mode::read_only;
    std::string path;
    std::string reference;              ///< which image of a layout; empty: its only one
    std::string upper;                  ///< a directory that keeps what an overlay changes
    std::optional<std::uint64_t> quota; ///< of an overlay in memory
    std::string propagation =
        "private"; ///< private, slave, shared, unbindable, with r for all below
    std::optional<std::uint64_t> unpack_limit; ///< what an archive or image may become
    bool image_defaults = true;                ///< an image's configuration completes the process

    friend bool operator==(RootSpec const&, RootSpec const&) = default;
};

/// One mount, in the order in which they are made. `type` is a file system's name, or "bind".
struct MountSpec {
    std::string type;
    std::string source; ///< of a bind: a path on the host
    std::string target; ///< inside; missing directories and files are made
    bool recursive = false;
    bool read_only = false;
    bool no_suid = false;
    bool no_dev = false;
    bool no_exec = false;
    /// What the others leave: "mode=755", "size=65536k", "noatime", "rprivate" and so on.
    std::vector<std::string> options;

    friend bool operator==(MountSpec const&, MountSpec const&) = default;
};

struct DeviceSpec {
    char type = 'c'; ///< c, b, p
    std::string path;
    std::int64_t major = 0, minor = 0;
    std::uint32_t mode = 0666;
    std::uint32_t uid = 0, gid = 0;

    friend bool operator==(DeviceSpec const&, DeviceSpec const&) = default;
};

/// A rule of the device controller; an empty major or minor means all of them.
struct DeviceRule {
    bool allow = false;
    char type = 'a'; ///< a, b, c
    std::optional<std::int64_t> major, minor;
    std::string access = "rwm";

    friend bool operator==(DeviceRule const&, DeviceRule const&) = default;
};

/// Sets of capabilities as bit masks, bit CAP_x for capability x (capabilities(7)).
struct CapabilitySpec {
    std::uint64_t bounding = 0;
    std::uint64_t effective = 0;
    std::uint64_t permitted = 0;
    std::uint64_t inheritable = 0;
    std::uint64_t ambient = 0;

    friend bool operator==(CapabilitySpec const&, CapabilitySpec const&) = default;
};

struct SeccompSpec {
    enum class Profile : std::uint8_t {
        standard, ///< default_profile()
        none,
        file, ///< JSON of the kind that Docker, Podman and OCI's linux.seccomp use
        text, ///< the same JSON, in `text`
    };
    Profile profile = Profile::standard;
    std::string path;
    std::string text;
    bool ignore_unknown = false; ///< names of no system call are passed over, as OCI asks

    friend bool operator==(SeccompSpec const&, SeccompSpec const&) = default;
};

/// What Landlock (landlock(7)) leaves of the file system; empty lists mean no such rule set.
struct LandlockSpec {
    std::vector<std::string> readable;
    std::vector<std::string> writable;
    [[nodiscard]] bool wanted() const { return !readable.empty() || !writable.empty(); }

    friend bool operator==(LandlockSpec const&, LandlockSpec const&) = default;
};

struct IoLimit {
    std::int64_t major = 0, minor = 0;
    std::optional<std::uint64_t> read_bytes, write_bytes, read_operations, write_operations;

    friend bool operator==(IoLimit const&, IoLimit const&) = default;
};

/// What control groups enforce (cgroups(7)).
struct LimitSpec {
    std::optional<std::uint64_t> memory;
    std::optional<std::uint64_t> memory_low; ///< protected as far as possible
    std::optional<std::uint64_t> swap;       ///< beside the memory, as on cgroup v2
    std::optional<std::uint64_t> tasks;      ///< processes and threads
    std::optional<std::uint64_t> cpu_shares; ///< as on cgroup v1: 2 to 262144, usual 1024
    std::optional<std::uint64_t> cpu_quota_us, cpu_period_us;
    std::string cpus, memory_nodes;         ///< lists like "0-1,3" (cpuset(7))
    std::optional<std::uint64_t> io_weight; ///< as on cgroup v1: 10 to 1000
    std::vector<IoLimit> io;
    std::vector<DeviceRule> devices;
    std::map<std::string, std::string> unified; ///< files of cgroup v2, written as they are
    bool required = false;                      ///< what cannot be enforced here is an error

    [[nodiscard]] bool any() const {
        return memory || memory_low || swap || tasks || cpu_shares || cpu_quota_us ||
               cpu_period_us || !cpus.empty() || !memory_nodes.empty() || io_weight ||
               !io.empty() || !devices.empty() || !unified.empty();
    }

    friend bool operator==(LimitSpec const&, LimitSpec const&) = default;
};

struct ResourceLimit {
    int resource = 0; ///< RLIMIT_* (getrlimit(2))
    std::uint64_t soft = 0, hard = 0;

    friend bool operator==(ResourceLimit const&, ResourceLimit const&) = default;
};

struct NetworkSpec {
    enum class Mode : std::uint8_t {
        none,     ///< a namespace without a usable interface
        loopback, ///< lo, up
        host,     ///< the caller's
        bridge,   ///< a veth pair into a bridge of the host
        user,     ///< through pasta or slirp4netns, without privileges
    };
    Mode mode = Mode::loopback;
    std::string bridge = "isolate0";
    std::vector<std::string> addresses; ///< inside, with prefix length: "10.88.0.2/16"
    std::string gateway;                ///< also the bridge's own address
    std::string interface = "eth0";     ///< its name inside
    std::uint32_t mtu = 0;              ///< 0: as the kernel has it

    friend bool operator==(NetworkSpec const&, NetworkSpec const&) = default;
};

struct TimeOffset {
    std::int64_t seconds = 0;
    std::uint32_t nanoseconds = 0;

    friend bool operator==(TimeOffset const&, TimeOffset const&) = default;
};

struct ProcessSpec {
    std::vector<std::string> arguments; ///< [0] is the program
    bool from_host = false; ///< the program is a file of the host, shown inside at its own path
    std::vector<std::string> environment; ///< NAME=VALUE; nothing is inherited
    std::string directory = "/";
    std::uint32_t uid = 0, gid = 0;
    std::vector<std::uint32_t> groups;
    std::optional<std::uint32_t> umask;
    bool terminal = false;
    std::uint16_t rows = 0, columns = 0;
    bool no_new_privileges = true;
    CapabilitySpec capabilities;
    std::vector<ResourceLimit> rlimits;
    std::optional<int> oom_score_adjust;

    friend bool operator==(ProcessSpec const&, ProcessSpec const&) = default;
};

struct Hook {
    std::string path;
    std::vector<std::string> arguments, environment;
    std::optional<int> timeout_seconds;

    friend bool operator==(Hook const&, Hook const&) = default;
};

struct JailSpec {
    std::string name;
    std::string hostname = "jail";
    std::string domainname;
    std::array<NamespaceChoice, k_namespace_count> namespaces; ///< by Namespace
    std::vector<IdRange> uids, gids; ///< empty: one id, chosen by the planner
    std::optional<TimeOffset> monotonic, boottime;
    RootSpec root;
    /// Whether the planner furnishes the root with /proc, /sys, /dev, /tmp of its own. An OCI
    /// config.json names all its mounts itself.
    bool standard_mounts = true;
    std::vector<MountSpec> mounts;
    std::vector<DeviceSpec> devices;
    std::optional<std::vector<std::string>> masked, read_only_paths; ///< empty: the usual ones
    std::map<std::string, std::string> sysctl;
    SeccompSpec seccomp;
    LandlockSpec landlock;
    LimitSpec limits;
    std::string cgroup_path; ///< as OCI's linux.cgroupsPath; empty: isolate chooses
    NetworkSpec network;
    ProcessSpec process;
    std::map<std::string, std::vector<Hook>> hooks; ///< by OCI's name of the moment
    std::map<std::string, std::string> annotations;

    [[nodiscard]] NamespaceChoice const& at(Namespace which) const {
        return namespaces[static_cast<std::size_t>(which)];
    }
    [[nodiscard]] NamespaceChoice& at(Namespace which) {
        return namespaces[static_cast<std::size_t>(which)];
    }

    friend bool operator==(JailSpec const&, JailSpec const&) = default;
};

} // namespace iso::jail
