#include "isolate/spec/jail_file.hpp"
#include "isolate/spec/keys.hpp"
#include "isolate/spec/like.hpp"
#include "isolate/spec/names.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <set>

namespace {

using namespace iso;
using namespace iso::jail;
using From = NamespaceChoice::From;

JailSpec like(char const* system) {
    JailSpec spec;
    spec.root.source = RootSpec::Source::directory;
    spec.root.path = "/r";
    REQUIRE(be_like(spec, system, all_capabilities()));
    return spec;
}

/// The namespaces of its own, as "pid uts".
std::string own(JailSpec const& spec) {
    std::string text;
    for (auto const& [kind, name] : names_of(Namespace{}))
        if (spec.at(kind).from == From::fresh)
            text += (text.empty() ? "" : " ") + std::string(name);
    return text;
}

bool has(JailSpec const& spec, char const* capability) {
    return (spec.process.capabilities.bounding >> capability_number(capability).value() & 1U) != 0;
}

} // namespace

TEST_CASE("each system has a table with a source in every row") {
    std::set<std::string> names;
    for (LikeSystem const& system : like_systems()) {
        INFO(system.name);
        CHECK(names.insert(system.name).second);
        std::set<std::string> subjects;
        for (LikeRow const& row : system.rows) {
            INFO(row.subject);
            CHECK(subjects.insert(row.subject).second);
            CHECK(std::string_view(row.source).size() > 3);
            CHECK(std::string_view(row.there).size() > 2);
            CHECK(std::string_view(row.here).size() > 2);
        }
        for (char const* subject : {"files", "processes", "users", "network", "privileges"})
            CHECK(subjects.contains(subject));
        std::string const table = like_table(system);
        CHECK_THAT(table, Catch::Contains(system.title) && Catch::Contains("same?"));
        CHECK(table.find(" \n") == table.npos);
        for (std::size_t at = 0; at < table.size(); at = table.find('\n', at) + 1)
            CHECK(table.find('\n', at) - at <= 100);
    }
    CHECK(names.size() == 8);
}

TEST_CASE("like a system means its namespaces and its privileges") {
    CHECK(own(like("chroot")) == "mount");
    CHECK(has(like("chroot"), "SYS_ADMIN"));
    CHECK(own(like("freebsd-jail")) == "mount pid ipc uts");
    CHECK(like("freebsd-jail").network.mode == NetworkSpec::Mode::host);
    CHECK_FALSE(has(like("freebsd-jail"), "NET_RAW"));
    CHECK(own(like("solaris-zone")) == "mount pid network ipc uts");
    CHECK(own(like("openvz")) == "mount pid network ipc uts cgroup");
    CHECK(like("virtuozzo") == like("openvz"));
    CHECK(own(like("linux-vserver")) == "mount pid ipc uts");
    CHECK(own(like("docker")) == "mount pid network ipc uts cgroup");
    CHECK(like("docker").seccomp.profile == SeccompSpec::Profile::standard);
    CHECK(like("docker").root.mode == RootSpec::Mode::overlay);
    CHECK(has(like("docker"), "MKNOD"));
    CHECK(own(like("bubblewrap")) == "user mount");
    CHECK(like("bubblewrap").process.capabilities == CapabilitySpec{});
    CHECK(like("bubblewrap").process.no_new_privileges);
    for (LikeSystem const& system : like_systems()) {
        INFO(system.name);
        JailSpec const spec = like(system.name);
        bool const may_admin = std::string_view(system.name) == "chroot";
        CHECK(has(spec, "SYS_ADMIN") == may_admin);
        CHECK(has(spec, "SYS_MODULE") == may_admin);
        CHECK(spec.root.path == "/r"); // the root is the caller's business
        CHECK(read_jail_file(write_jail_file(spec), "/", "f").value() == spec);
    }
    JailSpec called;
    called.hostname = "web";
    REQUIRE(be_like(called, "docker", all_capabilities()));
    CHECK(called.hostname == "web");
    REQUIRE(be_like(called, "chroot", all_capabilities()));
    CHECK(called.hostname.empty());
    JailSpec poor;
    REQUIRE(be_like(poor, "docker", 0));
    CHECK(own(poor) == "user mount pid network ipc uts cgroup");
    CHECK(has(poor, "MKNOD")); // the jail's own
    JailSpec some;
    REQUIRE(be_like(some, "chroot", all_capabilities() & ~(std::uint64_t{1} << 24U)));
    CHECK_FALSE(has(some, "SYS_RESOURCE")); // not the caller's to give
    JailSpec spec;
    CHECK_FALSE(be_like(spec, "windows"));
    CHECK(spec == JailSpec{});
}

TEST_CASE("other keys change what a jail is like, in a file and on a command line") {
    auto const file = read_jail_file("like = docker\nnamespace = ipc=host\n", "/", "f");
    REQUIRE(file);
    CHECK(file->at(Namespace::ipc).from == From::host);
    CHECK(file->at(Namespace::pid).from == From::fresh);
    JailSpec line;
    REQUIRE(apply({{find_key("namespace"), "ipc=host"}, {find_key("like"), "docker"}}, line, "/"));
    CHECK(line == *file);
}
