// What --like promises, asked of real jails: what is isolated, what is shared, what is possible.
#include "tests/security/shape.hpp"

#include <map>
#include <sstream>

using namespace iso;
using namespace iso::test;

namespace {

constexpr char const* k_kinds[] = {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"};

/// What a program sees of itself: its namespaces, and lines of /proc/self/status.
std::map<std::string, std::string> seen_in(std::string const& text) {
    std::map<std::string, std::string> seen;
    std::istringstream in(text);
    for (std::string name, value; in >> name >> value;)
        seen[name] = value;
    return seen;
}

/// A script that tells it, with the busybox below `root`.
std::string look(std::string const& root) {
    std::string const busybox = root + "/bin/busybox ";
    return "for kind in user mnt pid net ipc uts cgroup time; do echo $kind $(" + busybox +
           "readlink /proc/self/ns/$kind); done; " + busybox +
           "grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status";
}

struct Like {
    char const* system;
    char const* own; ///< the namespaces of its own
    bool all;        ///< whether it has all that its maker has
    int no_new_privileges;
    int seccomp; ///< as /proc/PID/status has it (proc(5)): 0 none, 2 a filter
};
constexpr Like k_likes[] = {
    {"chroot", "mnt", true, 0, 0},
    {"freebsd-jail", "mnt pid ipc uts", false, 0, 0},
    {"solaris-zone", "mnt pid net ipc uts", false, 0, 0},
    {"openvz", "mnt pid net ipc uts cgroup", false, 0, 0},
    {"virtuozzo", "mnt pid net ipc uts cgroup", false, 0, 0},
    {"linux-vserver", "mnt pid ipc uts", false, 0, 0},
    {"docker", "mnt pid net ipc uts cgroup", false, 0, 2},
    {"bubblewrap", "user mnt", false, 1, 0},
};

} // namespace

TEST_CASE("a jail like another system isolates and shares what that system does") {
    NEEDS_ROOTFS(root);
    if (::geteuid() != 0) ISO_SKIP("root", "sharing the host's users needs root");
    if (!jails_work({"the caller", {}})) ISO_SKIP("userns", "no jail can be made here");
    Launch outside;
    outside.command = {root.path() + "/bin/busybox", "sh", "-c", look(root.path())};
    auto const host = seen_in(launch(outside).out);
    REQUIRE(host.size() == std::size(k_kinds) + 3);

    for (Like const& like : k_likes) {
        INFO(like.system);
        Words options{std::string("--like=") + like.system, "--root=" + root.path(),
                      "--root-mode=writable", "--host-program=no"};
        if (std::string(like.system) == "chroot")
            options.push_back("--mount=type=proc,target=/proc");
        Ran const ran = jailed({"the caller", {}}, options, {"/bin/sh", "-c", look("")});
        INFO(ran.out << ran.err);
        REQUIRE(ran.status == 0);
        auto seen = seen_in(ran.out);
        std::string own;
        for (char const* kind : k_kinds)
            if (seen[kind] != host.at(kind)) own += (own.empty() ? "" : " ") + std::string(kind);
        CHECK(own == like.own);
        if (like.all) CHECK(seen["CapEff:"] == host.at("CapEff:"));
        std::uint64_t const effective = std::stoull(seen["CapEff:"], nullptr, 16);
        std::uint64_t const admin_and_module = 1U << 21U | 1U << 16U; // capabilities(7)
        if (!like.all) CHECK((effective & admin_and_module) == 0);
        CHECK(seen["NoNewPrivs:"] == std::to_string(like.no_new_privileges));
        CHECK(seen["Seccomp:"] == std::to_string(like.seccomp));
        CHECK(ran.strays.empty());
    }
}
