// Roots from archives and images, asked of real jails: they work in every mode, for every caller,
// and nothing of them stays.
#include "common/pidfd.hpp"
#include "tests/security/shape.hpp"
#include "tests/support/tar_writer.hpp"

#include <csignal>
#include <poll.h>

#include <sys/prctl.h>
#include <sys/wait.h>

using namespace iso;
using namespace iso::test;
namespace fs = std::filesystem;

namespace {

/// Where a jail of this test unpacks its root: a TMPDIR of its own, which anybody may use.
class Desk {
public:
    Desk()
        : dir_(TempDir::create("isolate-image").value()) {
        std::string const parent = dir_.path().substr(0, dir_.path().rfind('/'));
        struct stat info {};
        if (::stat(parent.c_str(), &info) == 0 && info.st_uid == ::geteuid() &&
            (info.st_mode & 0777) == 0700)
            ::chmod(parent.c_str(), 0711);
        ::chmod(dir_.path().c_str(), 0755);
        fs::create_directory(tmp());
        ::chmod(tmp().c_str(), 01777);
        auto const busybox = find_program("busybox");
        auto text = busybox ? read_file(*busybox) : Result<std::string>();
        if (!busybox || !text) return;
        TarWriter tar;
        tar.directory("./").file("bin/busybox", *text, 0755).link("bin/sh", "busybox");
        tar.file("etc/passwd", "root:x:0:0::/:/bin/sh\nweb:x:33:34::/:/bin/sh\n");
        tar.file("who", "archive").file("gone", "x");
        write("root.tar", tar.text());
        write("root.tar.gz", gzip(tar.text()));
        LayoutWriter layout;
        layout.layer(tar.text());
        layout.layer(TarWriter().file("who", "image").file(".wh.gone", "").text(), false);
        layout.image("web", R"("Env":["PATH=/bin","GREETING=hello"],"Entrypoint":["/bin/sh","-c"],)"
                            R"("Cmd":["echo $GREETING; pwd; busybox id -u; busybox cat /who"],)"
                            R"("WorkingDir":"/srv/web","User":"web")");
        for (auto const& [name, blob] : layout.files())
            write("layout/" + name, blob);
        usable_ = true;
    }
    [[nodiscard]] bool usable() const { return usable_; }
    [[nodiscard]] std::string at(std::string const& name) const { return dir_.path() + "/" + name; }
    [[nodiscard]] std::string tmp() const { return at("tmp"); }
    [[nodiscard]] Words left() const { return names_in(tmp()); }

    [[nodiscard]] Launch launch(Caller const& caller, Words const& words) const {
        Launch launch;
        launch.command = caller.prefix;
        launch.command.insert(launch.command.end(), {"env", "TMPDIR=" + tmp(), k_isolate});
        launch.command.insert(launch.command.end(), words.begin(), words.end());
        return launch;
    }
    [[nodiscard]] Ran run(Caller const& caller, Words const& options,
                          std::string const& script = {}) const {
        Words words{"run"};
        words.insert(words.end(), options.begin(), options.end());
        if (!script.empty()) words.insert(words.end(), {"--", "/bin/sh", "-c", script});
        return iso::test::launch(launch(caller, words));
    }

private:
    void write(std::string const& name, std::string const& text) const {
        fs::create_directories(fs::path(at(name)).parent_path());
        auto const file = Fd::open(at(name), O_WRONLY | O_CREAT, 0644);
        REQUIRE(file);
        REQUIRE(write_all(file->get(), text));
    }
    TempDir dir_;
    bool usable_ = false;
};

bool contains(std::string const& text, std::string const& what) {
    return text.find(what) != std::string::npos;
}

} // namespace

#define NEEDS_DESK(desk)                                                                           \
    Desk const desk;                                                                               \
    if (!(desk).usable()) ISO_SKIP("busybox", "no busybox to fill an archive with")

TEST_CASE("an archive is a root in every mode, and gone afterwards") {
    NEEDS_DESK(desk);
    for_each_caller([&](Caller const& caller) {
        for (char const* archive : {"root.tar", "root.tar.gz"})
            for (char const* mode : {"read-only", "overlay", "writable"}) {
                Ran const ran =
                    desk.run(caller, {"--root=" + desk.at(archive), "--root-mode", mode},
                             "cat who; echo; echo new 2>&- > /new; busybox chmod 0 /etc; "
                             "busybox id -u; cat new");
                INFO(archive << ", " << mode << ": " << ran.err);
                if (std::string(mode) == "overlay" && ran.status == 125 &&
                    contains(ran.err, "overlay")) {
                    iso::test::record_skip("userns", "overlayfs: " + ran.err);
                    continue;
                }
                bool const fixed = std::string(mode) == "read-only";
                CHECK(ran.out == (fixed ? "archive\n0\n" : "archive\n0\nnew\n"));
                CHECK(ran.strays.empty());
                CHECK(desk.left().empty());
            }
    });
}

TEST_CASE("an image is a root, and says what runs in it") {
    NEEDS_DESK(desk);
    for_each_caller([&](Caller const& caller) {
        for (std::string const& root : {desk.at("layout"), desk.at("layout") + ":web"}) {
            Ran const ran = desk.run(caller, {"--root", root});
            INFO(root << ": " << ran.err);
            CHECK(ran.out == "hello\n/srv/web\n33\nimage");
            Ran const other = desk.run(caller,
                                       {"--root", root, "--env=GREETING=bye", "--user=0",
                                        "--workdir=/bin", "--root-mode=writable"},
                                       "echo $GREETING; pwd; busybox id -u; test -e /gone");
            INFO(other.err);
            CHECK(other.out == "bye\n/bin\n0\n");
            CHECK(other.status == 1);
            CHECK(desk.left().empty());
        }
        Ran const none = desk.run(caller, {"--root", desk.at("layout") + ":db"}, "true");
        CHECK(none.status == 125);
        CHECK(contains(none.err, "web"));
        Ran const nothing = desk.run(caller, {"--root", desk.at("root.tar")});
        CHECK(nothing.status == 125);
        CHECK(contains(nothing.err, "PROGRAM"));
        CHECK(desk.left().empty());
    });
}

TEST_CASE("each file belongs to the id inside that its archive names, if there is one") {
    NEEDS_DESK(desk);
    if (::geteuid() != 0) ISO_SKIP("root", "only root gives files away");
    Ran const ran = desk.run({"root", {}},
                             {"--root=" + desk.at("root.tar"), "--uid-map=0:200000:100",
                              "--gid-map=0:200000:100", "--user=33:34", "--root-mode=writable"},
                             "busybox id -u; busybox stat -c %u:%g /bin/busybox; echo x > /who");
    INFO(ran.err);
    CHECK(ran.out == "33\n0:0\n");
    CHECK(ran.status == 1); // it is root's
    CHECK(desk.left().empty());
}

TEST_CASE("a dry run says where the root comes from, and unpacks nothing") {
    NEEDS_DESK(desk);
    for_each_caller([&](Caller const& caller) {
        Ran const archive = desk.run(caller, {"--dry-run", "--root", desk.at("root.tar")}, "true");
        INFO(archive.err);
        CHECK(archive.status == 0);
        CHECK(contains(archive.err, "the archive " + desk.at("root.tar") + ", unpacked"));
        Ran const image = desk.run(caller, {"--dry-run", "--root", desk.at("layout")});
        CHECK(contains(image.err, "the image " + desk.at("layout") + ":web (sha256:"));
        CHECK(contains(image.err, "2 layers), unpacked"));
        CHECK(desk.left().empty());
    });
}

TEST_CASE("a jail with a name has its root as long as it lives, whoever dies") {
    NEEDS_DESK(desk);
    for_each_caller([&](Caller const& caller) {
        fs::create_directory(desk.tmp() + "/state");
        ::chmod((desk.tmp() + "/state").c_str(), 0700);
        if (!caller.prefix.empty())
            REQUIRE(::chown((desk.tmp() + "/state").c_str(), 65534, 65534) == 0);
        auto call = [&](Words words) {
            words.insert(words.begin(), "--state=" + desk.tmp() + "/state");
            auto const done = run_and_capture(desk.launch(caller, words).command, 60'000'000'000);
            REQUIRE(done);
            INFO(done->err);
            CHECK(done->exit_status() == 0);
            return done->out;
        };
        call({"run", "--detach", "--name=one", "--root=" + desk.at("layout"), "--user=0", "--",
              "/bin/sh", "-c", "busybox sleep 1000"});
        CHECK(desk.left().size() == 2);
        if (caller.prefix.empty()) // exec is root's
            CHECK(call({"exec", "one", "--", "/bin/sh", "-c", "busybox cat /who"}) == "image");
        call({"delete", "--force", "one"});
        CHECK(desk.left() == Words{"state"});

        // Its keeper is killed: the jail ends with it, and delete cleans up.
        call({"run", "--detach", "--name=two", "--root=" + desk.at("layout"), "--user=0", "--",
              "/bin/sh", "-c", "busybox sleep 1000"});
        std::string const record = read_file(desk.tmp() + "/state/two/state.json").value_or("");
        std::size_t const keeper = record.find("\"pid\"", record.find("\"keeper\""));
        REQUIRE(keeper != std::string::npos);
        pid_t const pid = std::atoi(record.c_str() + record.find_first_of("0123456789", keeper));
        REQUIRE(pid > 1);
        auto const handle = Pidfd::open(pid);
        REQUIRE(handle);
        REQUIRE(handle->send(SIGKILL));
        pollfd ended{handle->get(), POLLIN, 0};
        REQUIRE(::poll(&ended, 1, 20'000) == 1);
        call({"delete", "--force", "two"});
        CHECK(desk.left() == Words{"state"});
        fs::remove(desk.tmp() + "/state");
    });
}

TEST_CASE("what a killed isolate has unpacked goes when the next one unpacks") {
    NEEDS_DESK(desk);
    for_each_caller([&](Caller const& caller) {
        Launch killed =
            desk.launch(caller, {"run", "--root=" + desk.at("root.tar"), "--root-mode=writable",
                                 "--", "/bin/sh", "-c", "echo ready; busybox sleep 1000"});
        killed.signal = SIGKILL;
        killed.signal_after_output = "ready";
        Ran const ran = iso::test::launch(killed);
        CHECK(ran.status == 137);
        CHECK(desk.left().size() == 1);
        CHECK(desk.run(caller, {"--root=" + desk.at("root.tar")}, "true").status == 0);
        CHECK(desk.left().empty());
    });
}

TEST_CASE("a hostile archive makes no jail and leaves nothing") {
    NEEDS_DESK(desk);
    for_each_caller([&](Caller const& caller) {
        for (std::string const& text :
             {TarWriter().file("../../up", "x").text(), TarWriter().text().substr(0, 100),
              TarWriter().link("l", desk.at("layout")).file("l/new", "x").text(),
              TarWriter().link("stolen", desk.at("root.tar"), '1').text(), std::string()}) {
            std::string const archive = desk.at("hostile.tar");
            fs::remove(archive);
            {
                auto const file = Fd::open(archive, O_WRONLY | O_CREAT, 0644);
                REQUIRE(file);
                REQUIRE(write_all(file->get(), text));
            }
            Ran const ran = desk.run(caller, {"--root=" + archive}, "true");
            INFO(ran.err);
            CHECK(ran.status == 125);
            CHECK(contains(ran.err, "unpack("));
            CHECK_FALSE(fs::exists(desk.at("layout/new")));
            CHECK_FALSE(fs::exists(desk.at("up")));
            CHECK(desk.left().empty());
        }
        Ran const large =
            desk.run(caller, {"--root=" + desk.at("root.tar.gz"), "--unpack-limit=100K"}, "true");
        CHECK(large.status == 125);
        CHECK(contains(large.err, "--unpack-limit"));
        CHECK(desk.left().empty());
    });
}
