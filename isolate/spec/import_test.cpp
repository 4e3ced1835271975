#include "common/fd.hpp"
#include "common/temp_dir.hpp"
#include "isolate/spec/import.hpp"
#include "isolate/spec/jail_file.hpp"
#include "isolate/spec/names.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/mutation.hpp"

#include <unistd.h>

#include <sys/stat.h>

namespace {

using namespace iso;
using namespace iso::jail;
using Fate = ImportLine::Fate;

/// A folder for the configurations of one test.
class Folder {
public:
    Folder() { REQUIRE(dir_); }
    [[nodiscard]] std::string path(std::string const& name) const {
        return dir_->path() + "/" + name;
    }
    std::string write(std::string const& name, std::string const& text) const {
        for (auto slash = name.find('/'); slash != name.npos; slash = name.find('/', slash + 1))
            (void)::mkdir(path(name.substr(0, slash)).c_str(), 0755);
        { REQUIRE(Fd::open(path(name), O_CREAT | O_WRONLY | O_TRUNC, 0644)); }
        REQUIRE(write_file(path(name), text));
        return path(name);
    }

private:
    Result<TempDir> dir_ = TempDir::create("isolate-test");
};

Imported good_import(std::string const& path, std::string const& jail = {},
                     std::optional<ForeignSystem> from = {}) {
    auto imported = import_jail(path, from, jail);
    if (!imported) FAIL(imported.error().message());
    for (ImportLine const& line : imported->lines) {
        INFO(line.said);
        CHECK_FALSE(line.source.empty());                      // a manual for each
        CHECK((line.fate == Fate::kept || !line.why.empty())); // a reason for each
    }
    // What came out can be written as a jail file and says the same.
    auto const again = read_jail_file(write_jail_file(imported->spec), "/", "again");
    if (!again) FAIL(again.error().message());
    CHECK(*again == imported->spec);
    return *imported;
}

ImportLine line(Imported const& imported, std::string const& begin) {
    for (ImportLine const& each : imported.lines)
        if (each.said.starts_with(begin)) return each;
    FAIL("no line begins with " << begin << "\n" << import_report(imported));
    return {};
}

std::string import_refusal(std::string const& path, std::string const& jail = {}) {
    auto const imported = import_jail(path, {}, jail);
    REQUIRE_FALSE(imported);
    return imported.error().op + ": " + imported.error().cause;
}

std::uint64_t bit(char const* capability) {
    return std::uint64_t{1} << capability_number(capability).value();
}

char const* const k_jail_conf = R"(# what all have
exec.clean;
mount.devfs;
$base = "/jails";
* { allow.noraw_sockets; enforce_statfs = 2; }

web {
    path = "$base/${name}";
    host.hostname = 'web.example';   // a comment
    ip4.addr = "em0|10.0.0.2/24", 10.0.0.3;
    ip4.addr += 10.0.0.4;
    allow.raw_sockets = 1;
    allow.reserved_ports;
    allow.mount = true;
    mount += "/data $base/web/data nullfs ro 0 0";
    mount += "proc $base/web/proc procfs rw 0 0";
    exec.start = "/bin/sh /etc/rc";
    exec.stop = "/bin/sh /etc/rc.shutdown";
    exec.poststop = "logger $name is gone";
    securelevel = 2; /* no such
       thing */
    sysvshm = new;
    frobnicate = 5;
}
db { path = /jails/db; vnet; children.max = 3; }
)";

char const* const k_zone = R"(create -b
set zonepath=/zones/web
set autoboot=true
set ip-type=exclusive
set limitpriv="default,net_rawaccess,dtrace_user"
set cpu-shares=2
add net
set physical=web0
set address=10.0.0.2/24
set defrouter=10.0.0.1
end
add fs
set dir=/data
set special=/export/data
set type=lofs
add options [ro,nodevices]
end
add fs
set dir=/pool
set special=tank/pool
set type=zfs
end
add capped-memory
set physical=64M
set swap=128M
end
add capped-cpu
set ncpus=1.5
end
add rctl
set name=zone.max-lwps
add value (priv=privileged,limit=100,action=deny)
end
add attr
set name=owner
set type=string
set value="the web team"
end
verify
)";

char const* const k_ve_conf = R"(# a container
ONBOOT="yes"
KMEMSIZE="14372700:14790164"
PHYSPAGES="0:16384"
SWAPPAGES="0:64M"
NUMPROC="100:120"
CPUUNITS="2000"
CPULIMIT="150"
VE_ROOT="/vz/root/$VEID"
VE_PRIVATE="/vz/private/$VEID"
HOSTNAME="web.example"
IP_ADDRESS="10.0.0.2 10.0.0.3/24"
CAPABILITY="NET_ADMIN:on SYS_TIME:off"
DISKSPACE="1048576:1153024"
FROBNICATE="yes"
)";

} // namespace

TEST_CASE("a FreeBSD jail.conf becomes a jail, with variables, wildcards and lists") {
    Folder const folder;
    std::string const path = folder.write("jail.conf", k_jail_conf);
    Imported const web = good_import(path, "web");
    CHECK(web.system == ForeignSystem::freebsd_jail);
    JailSpec const& spec = web.spec;
    CHECK(spec.name == "web");
    CHECK(spec.root.path == "/jails/web");
    CHECK(spec.root.mode == RootSpec::Mode::writable);
    CHECK(spec.hostname == "web.example");
    CHECK(spec.network.addresses ==
          std::vector<std::string>{"10.0.0.2/24", "10.0.0.3/32", "10.0.0.4/32"});
    CHECK(spec.process.capabilities.bounding == (bit("NET_RAW") | bit("NET_BIND_SERVICE")));
    CHECK(spec.process.arguments == std::vector<std::string>{"/bin/sh", "-c", "/bin/sh /etc/rc"});
    REQUIRE(spec.mounts.size() == 1);
    CHECK((spec.mounts[0].source == "/data" && spec.mounts[0].target == "/data" &&
           spec.mounts[0].read_only));
    REQUIRE(spec.hooks.at("poststop").size() == 1);
    CHECK(spec.hooks.at("poststop")[0].arguments.back() == "logger web is gone");
    CHECK(line(web, "path").fate == Fate::kept);
    CHECK(line(web, "path").became == "root = /jails/web");
    CHECK(line(web, "path").where == path + ":8");
    CHECK(line(web, "ip4.addr").fate == Fate::approximated);
    CHECK(line(web, "allow.mount").fate == Fate::lost);
    CHECK(line(web, "securelevel = 2").fate == Fate::lost);
    CHECK(line(web, "exec.stop").fate == Fate::lost);
    CHECK(line(web, "mount = proc").fate == Fate::lost);
    CHECK_THAT(line(web, "frobnicate").why, Catch::Contains("does not know"));

    Imported const db = good_import(path, "db");
    CHECK(db.spec.root.path == "/jails/db");
    CHECK(db.spec.process.capabilities.bounding == 0);
    CHECK(line(db, "children.max").fate == Fate::lost);
    CHECK_THAT(import_refusal(path), Catch::Contains("2 jails: web, db"));
    CHECK_THAT(import_refusal(path, "mail"), Catch::Contains("no jail 'mail'"));
}

TEST_CASE("an exported Solaris zone becomes a jail") {
    Folder const folder;
    Imported const zone = good_import(folder.write("web.zone", k_zone));
    CHECK(zone.system == ForeignSystem::solaris_zone);
    JailSpec const& spec = zone.spec;
    CHECK(spec.root.path == "/zones/web/root");
    CHECK(spec.network.mode == NetworkSpec::Mode::bridge);
    CHECK(spec.network.addresses == std::vector<std::string>{"10.0.0.2/24"});
    CHECK(spec.network.gateway == "10.0.0.1");
    CHECK(spec.process.capabilities.bounding == bit("NET_RAW"));
    REQUIRE(spec.mounts.size() == 1);
    CHECK((spec.mounts[0].source == "/export/data" && spec.mounts[0].read_only &&
           spec.mounts[0].no_dev));
    CHECK(spec.limits.memory == 64U << 20U);
    CHECK((spec.limits.cpu_quota_us == 150'000U && spec.limits.cpu_shares == 2048U));
    CHECK(spec.limits.tasks == 100U);
    CHECK(spec.annotations.at("owner") == "the web team");
    CHECK(line(zone, "autoboot").fate == Fate::lost);
    CHECK_THAT(line(zone, "limitpriv").why, Catch::Contains("dtrace_user"));
    CHECK(line(zone, "add fs; dir=/pool").fate == Fate::lost);
    CHECK(line(zone, "add capped-memory").fate == Fate::approximated);
    CHECK_THAT(import_refusal(folder.write("a.zone", "create\nadd net\nset address=1.2.3.4\n")),
               Catch::Contains(":3: 'net' without its end"));
    CHECK_THAT(import_refusal(folder.write("b.zone", "create\nfly\n")),
               Catch::Contains(":2: 'fly'"));
}

TEST_CASE("an OpenVZ container's configuration becomes a jail") {
    Folder const folder;
    Imported const ve = good_import(folder.write("101.conf", k_ve_conf));
    CHECK(ve.system == ForeignSystem::openvz);
    JailSpec const& spec = ve.spec;
    CHECK(spec.root.path == "/vz/private/101");
    CHECK(spec.hostname == "web.example");
    CHECK(spec.limits.memory == 64U << 20U); // 16384 pages
    CHECK(spec.limits.swap == 64U << 20U);
    CHECK(spec.limits.tasks == 120U);
    CHECK((spec.limits.cpu_shares == 2048U && spec.limits.cpu_quota_us == 150'000U));
    CHECK(spec.network.addresses == std::vector<std::string>{"10.0.0.2/32", "10.0.0.3/24"});
    CHECK(spec.process.capabilities.bounding == bit("NET_ADMIN"));
    CHECK(spec.process.arguments == std::vector<std::string>{"/sbin/init"});
    CHECK(line(ve, "KMEMSIZE").fate == Fate::lost);
    CHECK(line(ve, "VE_ROOT=/vz/root/101").fate == Fate::lost);
    CHECK(line(ve, "PHYSPAGES").fate == Fate::kept);
    CHECK_THAT(line(ve, "FROBNICATE").why, Catch::Contains("does not know"));
    CHECK_THAT(import_refusal(folder.write("102.conf", "ONBOOT=yes\nnonsense\n")),
               Catch::Contains("102.conf:2: no PARAMETER"));
}

TEST_CASE("a Linux-VServer guest's directory becomes a jail, and its links are not followed") {
    Folder const folder;
    folder.write("web/context", "49152\n");
    folder.write("web/uts/nodename", "web.example\n");
    folder.write("web/interfaces/0/ip", "10.0.0.2\n");
    folder.write("web/interfaces/0/prefix", "24\n");
    folder.write("web/interfaces/0/dev", "eth0\n");
    folder.write("web/bcapabilities", "NET_RAW\n# no\n~SYS_TIME\n");
    folder.write("web/rlimits/nproc.hard", "100\n");
    folder.write("web/rlimits/rss", "16384\n");
    folder.write("web/ulimits/nofile", "1024\n");
    folder.write("web/fstab", "none /proc proc defaults 0 0\n/srv/data /data bind bind,ro 0 "
                              "0\n/dev/sda1 /x ext4 rw 0 0\n");
    folder.write("web/apps/init/cmd.start", "/bin/busybox\ninit\n");
    folder.write("web/frobnicate", "5\n");
    REQUIRE(::symlink("/vservers/web", folder.path("web/vdir").c_str()) == 0);
    REQUIRE(::symlink("/", folder.path("web/run").c_str()) == 0);
    REQUIRE(::mkfifo(folder.path("web/pipe").c_str(), 0644) == 0); // never opened: it would hang
    Imported const guest = good_import(folder.path("web"));
    CHECK(guest.system == ForeignSystem::linux_vserver);
    JailSpec const& spec = guest.spec;
    CHECK(spec.name == "web");
    CHECK(spec.root.path == "/vservers/web");
    CHECK(spec.hostname == "web.example");
    CHECK(spec.network.addresses == std::vector<std::string>{"10.0.0.2/24"});
    CHECK(spec.process.capabilities.bounding == bit("NET_RAW"));
    CHECK(spec.limits.tasks == 100U);
    CHECK(spec.limits.memory == 64U << 20U);
    REQUIRE(spec.process.rlimits.size() == 1);
    CHECK(spec.process.rlimits[0].hard == 1024);
    CHECK(spec.process.arguments == std::vector<std::string>{"/bin/busybox", "init"});
    REQUIRE(spec.mounts.size() == 1);
    CHECK((spec.mounts[0].target == "/data" && spec.mounts[0].read_only));
    CHECK(line(guest, "context").fate == Fate::lost);
    CHECK(line(guest, "fstab: /dev/sda1").fate == Fate::lost);
    CHECK_THAT(line(guest, "frobnicate").why, Catch::Contains("does not know"));
}

TEST_CASE("an OCI bundle becomes a jail, and what is unknown is lost by name") {
    Folder const folder;
    folder.write("bundle/config.json",
                 R"({"ociVersion": "1.0.2", "x": 1, "process": {"args": ["sh"], "cwd": "/"},
        "root": {"path": "rootfs"}, "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}]}})");
    Imported const bundle = good_import(folder.path("bundle"));
    CHECK(bundle.system == ForeignSystem::oci);
    CHECK(bundle.spec.root.path.ends_with("/bundle/rootfs"));
    CHECK(line(bundle, "linux.namespaces").fate == Fate::kept);
    bool lost = false;
    for (ImportLine const& each : bundle.lines)
        lost = lost || (each.said == "x" && each.fate == Fate::lost);
    CHECK(lost);
    CHECK_THAT(import_refusal(folder.write("config.json", "{\"ociVersion\": 5}")),
               Catch::Contains("ociVersion: 5 is not"));
}

TEST_CASE("what is of no known system is refused") {
    Folder const folder;
    CHECK_THAT(import_refusal(folder.write("a", "hello\n")),
               Catch::Contains("no system that isolate recognises"));
    CHECK_THAT(import_refusal(folder.path("missing")), Catch::Contains("No such file"));
    CHECK_THAT(import_refusal("/dev/null"), Catch::Contains("not a regular file"));
    CHECK_FALSE(import_jail(folder.write("b", "x"), ForeignSystem::linux_vserver, {}));
    CHECK_THAT(import_refusal(folder.write("c.conf", "web { .include \"/etc/passwd\"; }")),
               Catch::Contains("not read"));
}

TEST_CASE("the report says what was kept, approximated and lost") {
    Folder const folder;
    std::string const report = import_report(good_import(
        folder.write("jail.conf", "web { path = /x; securelevel = 2; exec.start = '/bin/sh'; }")));
    CHECK_THAT(report, Catch::StartsWith("kept:\n") && Catch::Contains("\nlost:\n") &&
                           Catch::Contains("-> root = /x") && Catch::Contains("[jail(8)]") &&
                           Catch::EndsWith("freebsd-jail: 2 kept, 1 approximated, 1 lost\n"));
}

TEST_CASE("mutated configurations are refused in words or become a jail that can be written",
          "[random]") {
    Folder const folder;
    struct Kind {
        ForeignSystem system;
        std::string text;
    };
    std::vector<Kind> const kinds{{ForeignSystem::freebsd_jail, k_jail_conf},
                                  {ForeignSystem::solaris_zone, k_zone},
                                  {ForeignSystem::openvz, k_ve_conf}};
    iso::test::Mutations mutations("{};=\"'$\\\n#,+[(");
    int accepted = 0;
    for (int round = 0; round < 6000; ++round) {
        Kind const& kind = kinds[static_cast<std::size_t>(round) % kinds.size()];
        std::string const text = mutations.of(kind.text);
        auto const imported = import_jail(folder.write("f", text), kind.system,
                                          kind.system == ForeignSystem::freebsd_jail ? "web" : "");
        if (!imported) {
            REQUIRE_FALSE(imported.error().cause.empty());
            continue;
        }
        ++accepted;
        auto const again = read_jail_file(write_jail_file(imported->spec), "/", "f");
        INFO(text << "\n" << write_jail_file(imported->spec));
        if (!again) FAIL(again.error().message());
        REQUIRE(*again == imported->spec);
        std::string const report = import_report(*imported);
        for (char const c : report)
            REQUIRE((c == '\n' || static_cast<unsigned char>(c) >= 0x20));
    }
    CHECK(accepted > 100);
}
