// What the options of a jail promise about its files, asked of real jails: roots and mounts.
#include "tests/security/shape.hpp"

#include <fmt/format.h>

#include <fcntl.h>

using namespace iso;
using namespace iso::test;
namespace fs = std::filesystem;

TEST_CASE("what an overlay root is changed by is not in its directory afterwards") {
    NEEDS_ROOTFS(root);
    for_each_caller([&](Caller const& caller) {
        if (!overlay_works(caller, root)) return;
        Ran const ran = shell(caller, root, {}, "echo new > /new; ls / ; cat /new");
        INFO(ran.err);
        CHECK(ran.status == 0);
        CHECK(ran.out.find("new\nproc\n") != std::string::npos);
        CHECK(names_in(root.path()) == Words{"bin"});
        CHECK(names_in(root.path() + "/bin").size() == 5);
        CHECK(ran.strays.empty());
        Ran const full = shell(caller, root, {"--root-quota=64K"},
                               "busybox dd if=/dev/zero of=/much bs=1000000 count=1; echo $?");
        CHECK(full.out == "1\n");
        CHECK(full.err.find("No space left") != std::string::npos);
    });
}

TEST_CASE("a directory for the changes of an overlay keeps them") {
    NEEDS_ROOTFS(root);
    for (Caller const& caller : callers()) {
        if (!caller.prefix.empty() || !overlay_works(caller, root)) continue;
        std::string const upper = root.outside() + "/changes";
        fs::create_directory(upper);
        Words const options{"--root-upper=" + upper};
        Ran const first = shell(caller, root, options, "echo kept > /kept");
        INFO(first.err);
        if (first.status == 125 && first.err.find("overlayfs takes") != std::string::npos)
            ISO_SKIP("overlayfs", first.err);
        CHECK(first.status == 0);
        auto const text = read_file(upper + "/upper/kept");
        REQUIRE(text);
        CHECK(*text == "kept\n");
        CHECK(names_in(root.path()) == Words{"bin"});
    }
}

TEST_CASE("a writable root is the directory itself") {
    NEEDS_ROOTFS(root);
    for_each_caller([&](Caller const& caller) {
        Ran const ran = jailed(caller, {"--root=" + root.path(), "--root-mode=writable"},
                               {"sh", "-c", "echo here > /here; cat /here"});
        INFO(ran.err);
        CHECK(ran.out == "here\n");
        CHECK(fs::exists(root.path() + "/here"));
        fs::remove(root.path() + "/here");
        Ran const missing =
            jailed(caller, {"--root=" + root.path(), "--root-mode=writable"}, {"no-such-program"});
        CHECK(missing.status == 127);
    });
}

TEST_CASE("a hostile root leads no mount and no file out of it") {
    for (char const* mode : {"writable", "overlay"}) {
        NEEDS_ROOTFS(root);
        REQUIRE(Fd::open(root.outside() + "/canary", O_CREAT | O_WRONLY, 0666));
        fs::create_symlink(root.outside(), root.path() + "/absolute");
        fs::create_symlink("../../../../../../../../.." + root.outside(), root.path() + "/climb");
        fs::create_symlink("/proc/self/fd", root.path() + "/descriptors");
        fs::create_symlink("/proc/1/root", root.path() + "/magic");
        fs::create_symlink("made", root.path() + "/inside");
        Words const options{"--root=" + root.path(), std::string("--root-mode=") + mode};
        auto const mounted_at = [&](Caller const& caller, std::string const& mount) {
            Words all = options;
            all.insert(all.end(), {"--mount=type=tmpfs,target=/made", "--mount=" + mount});
            return jailed(caller, all, {"/bin/busybox", "true"});
        };
        for_each_caller([&](Caller const& caller) {
            if (std::string(mode) == "overlay" && !overlay_works(caller, root)) return;
            INFO(mode);
            Ran const good = mounted_at(caller, "type=tmpfs,target=/inside/deep/er");
            INFO(good.err);
            CHECK(good.status == 0); // a link that stays inside is none of a problem
            for (char const* target : {"/absolute/in/here", "/climb/there", "/magic/x",
                                       "/descriptors/3/x", "/descriptors/4", "/absolute"}) {
                Ran const led = mounted_at(caller, fmt::format("type=tmpfs,target={}", target));
                INFO(target << ": " << led.err);
                CHECK(led.status == 125);
                CHECK(led.err.find("symbolic link") != std::string::npos);
            }
            Ran const file =
                mounted_at(caller, "type=bind,source=/etc/hostname,target=/absolute/name");
            CHECK(file.status == 125);
            CHECK(names_in(root.outside()) == Words{"canary"});
        });
        // A link in the place of what the jail furnishes: even one that stays inside is not
        // followed where masks come to lie (CVE-2019-19921).
        bool has_overlay = true;
        for_each_caller([&](Caller const& caller) {
            if (std::string(mode) == "overlay")
                has_overlay = has_overlay && overlay_works(caller, root);
        });
        for (auto const& [name, target] : {std::pair<std::string, std::string>{"proc", "bin"},
                                           {"sys", "bin"},
                                           {"dev", root.outside()}}) {
            std::string const place = root.path() + "/" + name;
            fs::remove_all(place);
            fs::create_symlink(target, place);
            for_each_caller([&](Caller const& caller) {
                if (std::string(mode) == "overlay" && !has_overlay) return;
                Ran const ran = jailed(caller, options, {"/bin/busybox", "true"});
                INFO(mode << " " << name << ": " << ran.err);
                CHECK(ran.status == 125);
                CHECK(ran.err.find("symbolic link") != std::string::npos);
            });
            fs::remove(place);
        }
        CHECK(names_in(root.outside()) == Words{"canary"});
    }
}

TEST_CASE("no descriptor of the set-up leads the working directory out") {
    NEEDS_ROOTFS(root);
    for_each_caller([&](Caller const& caller) {
        for (int fd = 3; fd < 12; ++fd) {
            Ran const ran = jailed(caller, {fmt::format("--workdir=/proc/self/fd/{}", fd)},
                                   {root.path() + "/bin/busybox", "pwd"});
            CHECK(ran.status == 125);
        }
        fs::create_symlink("/proc/self/fd/7", root.path() + "/leak");
        Ran const ran =
            jailed(caller, {"--root=" + root.path(), "--root-mode=writable", "--workdir=/leak"},
                   {"/bin/sh", "-c", "true"});
        CHECK(ran.status == 125);
        fs::remove(root.path() + "/leak");
    });
}

TEST_CASE("mounts have the options that they were given") {
    NEEDS_ROOTFS(root);
    for_each_caller([&](Caller const& caller) {
        if (!overlay_works(caller, root)) return;
        Ran const ran =
            shell(caller, root,
                  {"--mount=type=tmpfs,target=/run/a,size=8k,mode=700,noexec",
                   "--mount=type=bind,source=" + root.outside() + ",target=/shared",
                   "--mount=type=bind,source=" + root.outside() + ",target=/fixed,ro,nosuid"},
                  "cat /proc/self/mounts; echo x > /shared/written; echo x > /fixed/y; echo $?; "
                  "ls -ld /run/a");
        INFO(ran.err << ran.out);
        CHECK(ran.out.find(" /run/a tmpfs rw,noexec,relatime,size=8k,mode=700") !=
              std::string::npos);
        CHECK(ran.out.find(" /fixed ") != std::string::npos);
        CHECK(ran.out.find("1\ndrwx------") != std::string::npos);
        CHECK(fs::remove(root.outside() + "/written"));
        Ran const bad = shell(caller, root, {"--mount=type=bind,source=/etc,target=/e,sync"}, "");
        CHECK(bad.status == 125);
        CHECK(bad.err.find("sync") != std::string::npos);
        Ran const climbing = shell(caller, root, {"--mount=type=tmpfs,target=/a/../../b"}, "");
        CHECK(climbing.status == 125);
    });
}

TEST_CASE("masked paths are empty and read-only paths are not written") {
    NEEDS_ROOTFS(root);
    fs::create_directory(root.path() + "/data");
    ::chmod((root.path() + "/data").c_str(), 0777);
    for (char const* name : {"/secret", "/data/file"})
        REQUIRE(Fd::open(root.path() + name, O_CREAT | O_WRONLY, 0666));
    REQUIRE(write_file(root.path() + "/secret", "secret"));
    for_each_caller([&](Caller const& caller) {
        if (!overlay_works(caller, root)) return;
        Ran const ran =
            shell(caller, root,
                  {"--mask=/secret", "--mask=/data", "--mask=/not/there", "--read-only-path=/bin"},
                  "cat /secret; ls /data; echo x > /bin/x; echo $?; echo x > /y; echo $?");
        INFO(ran.err);
        CHECK(ran.out == "1\n0\n");
    });
}
