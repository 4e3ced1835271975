// The disk: what is written to it is there in the next run, of either engine that has one.
#include "common/fd.hpp"
#include "common/temp_dir.hpp"
#include "tests/conformance/arena.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <sys/resource.h>

namespace {

using namespace iso::test;

constexpr char const* k_busybox = "/bin/busybox";

/// A shell that runs `script`, with the file as its disk.
Job shell(std::string const& script, std::string const& disk = {}) {
    Job job;
    job.program = k_busybox;
    job.arguments = {"sh", "-c", script};
    if (!disk.empty()) job.engine_options = {"--disk=" + disk};
    return job;
}

bool has_disk(Arena const& arena) {
    return !arena.is("isolate");
}

/// With an empty file `disk`, which gets the size that the run asks for: one that a run makes would
/// count as left behind.
struct Room {
    iso::TempDir directory = iso::TempDir::create("isolab-disk").value();
    Room() { std::ofstream(directory.path() + "/disk"); }
    std::string operator/(char const* name) const { return directory.path() + "/" + name; }
};

/// What is done in the directory it is given, there and anywhere else with the same outcome.
std::string work_in(std::string const& directory) {
    return "set -e; cd " + directory +
           "; mkdir -p a/b/c; echo one >a/1; echo two >a/b/2; cp a/b/2 a/b/c/3; ln a/1 hard; "
           "ln -s a/b/2 soft; cat hard soft; mv a/b moved; find . | sort; "
           "dd if=/dev/zero of=z bs=4096 count=100 seek=100 conv=fsync 2>/dev/null; "
           "busybox printf x | dd of=z bs=1 seek=500000 conv=notrunc 2>/dev/null; sha256sum z; "
           "wc -c z; cp -r moved again; rm -r moved; find . | sort; "
           "i=0; while [ $i -lt 24 ]; do echo $i >many.$i; i=$((i+1)); done; rm many.*5; "
           "ls | wc -l; chmod 640 hard; stat -c '%a %h %s' hard; sync; truncate -s 5000 z; "
           "sha256sum z; rmdir again 2>/dev/null || echo not empty";
}

} // namespace

#define NEED_BUSYBOX()                                                                             \
    if (::access(k_busybox, X_OK) != 0) ISO_SKIP("busybox", "/bin/busybox is not installed")

ISO_CONFORMANCE("a disk behaves as a directory of the host, and keeps what is on it", "[disk]") {
    NEED_BUSYBOX();
    if (!has_disk(arena)) return;
    Room const room;
    std::filesystem::create_directory(room / "native");
    Ran const native = run_native(shell(work_in(room / "native")));
    Ran const inside = arena.run(shell(work_in("/disk"), (room / "disk") + ":16M"));
    INFO(inside.err);
    CHECK(inside.out == native.out);
    CHECK(inside.status == native.status);
    std::string const look = "; find . -type f | sort | xargs sha256sum; readlink soft; stat -c "
                             "'%a %h %s' hard";
    Ran const later = arena.run(shell("cd /disk" + look, room / "disk"));
    INFO(later.err);
    CHECK(later.out == run_native(shell("cd " + (room / "native") + look)).out);
    CHECK(std::filesystem::file_size(room / "disk") == 16U << 20U);
}

ISO_CONFORMANCE("a program runs from the disk, and maps it", "[disk]") {
    NEED_BUSYBOX();
    if (!has_disk(arena)) return;
    Room const room;
    Job job = shell("cp /bb /disk/sh && chmod 755 /disk/sh && /disk/sh -c 'echo from the disk'",
                    room / "disk");
    job.added = {{std::filesystem::canonical(k_busybox), "/bb"}};
    Ran const ran = arena.run(job);
    INFO(ran.err);
    CHECK(ran.out == "from the disk\n");
    CHECK(arena.run(shell("exec /disk/sh -c 'echo again'", room / "disk")).out == "again\n");
}

ISO_CONFORMANCE("a full disk says so, and goes on when there is room again", "[disk]") {
    NEED_BUSYBOX();
    if (!has_disk(arena)) return;
    Room const room;
    Ran const ran =
        arena.run(shell("cd /disk; echo kept >kept; dd if=/dev/zero of=fill bs=64k "
                        "2>&1 | grep -o 'No space left on device'; mkdir more 2>/dev/null "
                        "|| echo no room; rm fill; mkdir more && cat kept",
                        (room / "disk") + ":2M"));
    INFO(ran.err);
    CHECK(ran.out == "No space left on device\nno room\nkept\n");
    CHECK(arena.run(shell("ls /disk", room / "disk")).out == "kept\nmore\n");
}

ISO_CONFORMANCE("what was synced survives the death of the machine", "[disk]") {
    NEED_BUSYBOX();
    if (!has_disk(arena)) return;
    Room const room;
    Job job = shell("cd /disk; echo safe >safe; sync; echo lost >lost; echo ready; sleep 60",
                    room / "disk");
    job.launch.signal = SIGKILL;
    job.launch.signal_after_output = "ready";
    CHECK(arena.run(job).status == 128 + SIGKILL);
    CHECK(arena.run(shell("ls /disk; cat /disk/safe", room / "disk")).out == "safe\nsafe\n");
}

// Wherever it is in its work: what it said was safe is there, and the file system is whole. A disk
// that was not let go of is checked before the next program starts; damage would be status 125.
ISO_CONFORMANCE("a machine that is killed at any moment leaves a disk that is whole", "[disk]") {
    NEED_BUSYBOX();
    if (!has_disk(arena)) return;
    Room const room;
    std::string const disk = room / "disk";
    std::string const churn =
        "cd /disk; rm -rf w; mkdir w; i=0; while :; do mkdir w/d$i; echo $i >w/d$i/f; "
        "[ $((i%8)) = 0 ] && : >w/log; seq 1 $((i%8*300)) >>w/log; mv w/d$i w/e$i; [ $i -lt 3 ] || "
        "rm -r w/e$((i-3)); "
        "echo $i >last.new; mv last.new last; [ $((i%2)) = 0 ] || sync; "
        "[ $((i%2)) = 0 ] || echo done $i.; i=$((i+1)); done";
    bool const slow = arena.is("vmm-mini"); // where its ring 0 is emulated
    for (int const safe : slow ? std::vector{3} : std::vector{1, 3, 5, 9, 13, 21, 33, 41}) {
        Job job = shell(churn, disk + ":4M");
        job.launch.signal = SIGKILL;
        job.launch.signal_after_output = "done " + std::to_string(safe) + ".";
        Ran const killed = arena.run(job);
        INFO("after " << safe << ": " << killed.err);
        REQUIRE(killed.status == 128 + SIGKILL);
        Ran const after = arena.run(
            shell("cd /disk; l=$(cat last); [ $l -ge " + std::to_string(safe) +
                      " ] && echo recent; find . -type f | xargs cat >/dev/null && echo readable; "
                      "for f in w/e*/f; do n=${f#w/e}; [ ! -e $f ] || "
                      "[ \"$(cat $f)\" = ${n%/f} ] || echo wrong $f; done; "
                      "rm -r w last && ls /disk && echo empty",
                  disk));
        CHECK(after.err == "");
        CHECK(after.out == "recent\nreadable\nempty\n");
    }
}

ISO_CONFORMANCE("when the host takes no more, the run says so, and the disk is as it was",
                "[disk]") {
    NEED_BUSYBOX();
    if (!has_disk(arena)) return;
    Room const room;
    std::string const disk = room / "disk";
    constexpr rlim_t k_mib = rlim_t{1} << 20U;
    // The memory of a domain is a file, too: there the limit must be larger than that.
    bool const domain = arena.is("paravirt-demo");
    std::string const size = domain ? ":80M" : ":4M";
    REQUIRE(arena.run(shell("echo kept >/disk/kept", disk + size)).status == 0);
    Job job = shell("cat /disk/kept; dd if=/dev/zero of=/disk/z bs=64k conv=fsync 2>&1 | "
                    "grep -o 'Input/output error' | head -n 1; echo x >/disk/kept || echo no more",
                    disk);
    job.memory_bytes = 32 * k_mib;
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    rlimit const small{domain ? 60 * k_mib : 3 * k_mib / 2, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    Ran const ran = arena.run(job);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    INFO(ran.err);
    CHECK(ran.out == "kept\nInput/output error\nno more\n");
    CHECK(ran.status == 125);
    CHECK(ran.err.find("the host could not write the disk") != std::string::npos);
    CHECK(arena.run(shell("cat /disk/kept", disk)).out == "kept\n");
}

ISO_CONFORMANCE("what cannot be a disk is refused with a reason", "[disk]") {
    NEED_BUSYBOX();
    if (!has_disk(arena)) {
        Ran const ran = arena.run(shell("true", "/nowhere"));
        CHECK(ran.status == 125);
        CHECK(ran.err.find("--disk: a jail shares the host's kernel") != std::string::npos);
        return;
    }
    Room const room;
    auto const refused = [&](std::string const& disk, std::string const& reason) {
        Ran const ran = arena.run(shell("echo it ran", disk));
        INFO(disk << ": " << ran.err);
        CHECK(ran.status == 125);
        CHECK(ran.out == "");
        CHECK(ran.err.find(reason) != std::string::npos);
    };
    refused("/dev/null", "not a regular file");
    refused(room.directory.path(), "Is a directory");
    refused(room / "missing/disk", "No such file or directory");
    refused((room / "tiny") + ":4K", "no size for a disk");
    std::ofstream(room / "foreign") << std::string(2 << 20, 'f');
    refused(room / "foreign", "it holds something that is not isolab's file system");
    CHECK(iso::read_file(room / "foreign").value() == std::string(2 << 20, 'f'));

    REQUIRE(arena.run(shell("echo x >/disk/x", (room / "disk") + ":2M")).status == 0);
    refused((room / "disk") + ":4M", "it has 2097152 bytes");
    std::filesystem::copy_file(room / "disk", room / "short");
    std::filesystem::resize_file(room / "short", 1 << 20);
    refused(room / "short", "the end is missing");
    {
        std::fstream file(room / "disk", std::ios::in | std::ios::out | std::ios::binary);
        for (int const at : {40, 4096 + 40})
            file.seekp(at).write("damage", 6);
    }
    refused(room / "disk", "both copies of its superblock are damaged");

    std::ofstream(room / "read-only") << std::string(2 << 20, 0);
    std::filesystem::permissions(room / "read-only", std::filesystem::perms::owner_read);
    if (::access((room / "read-only").c_str(), W_OK) != 0) // root may write to it all the same
        refused(room / "read-only", "Permission denied");
}

TEST_CASE("vmm-mini: paravirt-demo reads what it wrote to a disk, and the reverse",
          "[vmm-mini][disk]") {
    Room const room;
    with_engine("vmm-mini", "kvm", [&](Arena const& machine) {
        with_engine("paravirt-demo", "paravirt", [&](Arena const& domain) {
            NEED_BUSYBOX();
            std::string const disk = room / "disk";
            CHECK(machine.run(shell("seq 1 5000 >/disk/one; mkdir /disk/d", disk)).status == 0);
            Ran const second =
                domain.run(shell("md5sum /disk/one; seq 1 9000 >/disk/d/two; rm /disk/one", disk));
            CHECK(second.out ==
                  run_native(shell("seq 1 5000 | md5sum | sed 's,-,/disk/one,'")).out);
            Ran const third = machine.run(shell("find /disk | sort; md5sum </disk/d/two", disk));
            CHECK(third.out ==
                  "/disk\n/disk/d\n/disk/d/two\n" + run_native(shell("seq 1 9000 | md5sum")).out);
        });
    });
}
