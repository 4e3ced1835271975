// Disks that are not as they should be: the kernel refuses them with a reason, or gets errors from
// them, and stays whole.
#include "guest/tests/unit/memory_disk.hpp"
#include "tests/support/catch.hpp"

#include <csignal>
#include <cstring>
#include <functional>
#include <unistd.h>

#include <sys/wait.h>

using namespace iso::guest;
using test::DiskMachine;
using test::MemoryDisk;

namespace {

constexpr int k_panicked = 42;
int panic_pipe = -1;

void report_panic(int) {
    iso_range const& text = port::request().ranges[0];
    ssize_t const written = ::write(panic_pipe, linear(text.gpa), text.bytes);
    ::_exit(written < 0 ? 1 : k_panicked);
}

/// What the kernel says when it ends while it uses the disk; empty when it does not end. In a
/// process of its own: whatever else happens to that one fails the test.
std::string refusal(MemoryDisk& disk, std::function<void(DiskMachine&)> const& use = {}) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    pid_t const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        panic_pipe = ends[1];
        for (int const signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE})
            ::signal(signal, SIG_DFL); // Catch2's report is for its own process
        ::signal(SIGABRT, report_panic);
        ::alarm(60);
        try {
            DiskMachine machine(disk);
            if (use) use(machine);
            ::_exit(0);
        } catch (...) { // a REQUIRE in there: the other process says that it failed
            ::_exit(1);
        }
    }
    ::close(ends[1]);
    std::string text;
    char buffer[512];
    for (ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<std::size_t>(n));
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    INFO("the kernel ended with " << status << ": " << text);
    REQUIRE(WIFEXITED(status));
    REQUIRE((WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == k_panicked));
    REQUIRE((WEXITSTATUS(status) == 0) == text.empty());
    return text;
}

bool contains(std::string const& text, char const* part) {
    return text.find(part) != std::string::npos;
}

diskfs::Superblock& superblock(MemoryDisk& disk, u64 which) {
    return *reinterpret_cast<diskfs::Superblock*>(disk.durable[which].data());
}

/// So that it counts again.
void seal(diskfs::Superblock& super) {
    super.checksum = diskfs::checksum_of(reinterpret_cast<u64 const*>(&super));
}

/// A disk with two files, `patched` while their inodes are known: the numbers are the disk's.
void make(MemoryDisk& disk,
          std::function<void(diskfs::DiskInode&, diskfs::DiskInode&)> const& patch = {}) {
    DiskMachine machine(disk);
    REQUIRE(machine.write("/disk/one", std::string(90'000, '1')) == 90'000);
    REQUIRE(diskfs::sync() == 0); // so that both places of the superblock are in use
    REQUIRE(machine.write("/disk/two", std::string(90'000, '2')) == 90'000);
    Node* one = nullptr;
    Node* two = nullptr;
    REQUIRE(test::find("/disk/one", one) == 0);
    REQUIRE(test::find("/disk/two", two) == 0);
    diskfs::unmount();
    if (!patch) return;
    REQUIRE(one->number / diskfs::k_inodes_per_block == 0);
    REQUIRE(two->number / diskfs::k_inodes_per_block == 0);
    u32 const place = diskfs::place_of(diskfs::volume.super->bitmap_blocks, false);
    auto* const inodes = reinterpret_cast<diskfs::DiskInode*>(disk.durable[place].data());
    patch(inodes[one->number], inodes[two->number]);
}

} // namespace

TEST_CASE("disk image: numbers of the superblock that make no sense are refused, with the reason") {
    MemoryDisk whole(600);
    make(whole);
    REQUIRE(refusal(whole).empty());
    auto const refused = [&](std::function<void(diskfs::Superblock&)> const& change) {
        MemoryDisk disk = whole;
        for (u64 which : {0, 1}) {
            change(superblock(disk, which));
            seal(superblock(disk, which));
        }
        return refusal(disk);
    };
    using Super = diskfs::Superblock;
    CHECK(contains(refused([](Super& super) { super.version = 2; }), "another version"));
    CHECK(contains(refused([](Super& super) { super.blocks = 0; }), "makes no sense"));
    CHECK(contains(refused([](Super& super) { super.blocks = ~0u; }), "makes no sense"));
    CHECK(contains(refused([](Super& super) { ++super.data_start; }), "makes no sense"));
    CHECK(contains(refused([](Super& super) { super.inode_blocks = ~0u; }), "makes no sense"));
    CHECK(contains(refused([](Super& super) { diskfs::lay_out(super, 601); }), "end is missing"));
    // The other place of the first pair: the bitmap as it was before anything was in it, or
    // nothing.
    MemoryDisk disk = whole;
    disk.durable[2].fill(0);
    disk.durable[3].fill(0);
    CHECK(contains(refusal(disk), "its bitmap makes no sense"));
}

TEST_CASE("disk image: headers with random damage are refused or read, never more") {
    MemoryDisk whole(600);
    make(whole);
    std::mt19937_64 random(11);
    int refused = 0;
    int read = 0;
    for (int round = 0; round < 400; ++round) {
        MemoryDisk disk = whole;
        for (u64 which : {0, 1}) {
            if (random() % 4 == 0) continue;
            u8* const bytes = disk.durable[which].data();
            for (u64 i = 0; i < 1 + random() % 6; ++i) // most of all where the numbers are
                bytes[random() % (random() % 2 == 0 ? 64 : 512)] =
                    static_cast<u8>(random() % 3 == 0 ? 0xff : random());
            if (random() % 4 == 0) std::memset(bytes, 0, random() % 512);
            if (random() % 4 == 0) std::memcpy(bytes, diskfs::k_magic, 16);
            if (random() % 3 != 0) seal(superblock(disk, which));
        }
        std::string const text = refusal(disk, [](DiskMachine& machine) {
            (void)machine.open("/disk/one");
            (void)machine.write("/disk/two", "new", 50'000);
            (void)machine.write("/disk/three", std::string(100'000, '3'));
            (void)machine.unlink("/disk/one");
            (void)diskfs::sync();
        });
        ++(text.empty() ? read : refused);
        if (!text.empty()) REQUIRE(contains(text, "guest kernel: the disk cannot be used: "));
    }
    CHECK(refused > 40);
    CHECK(read > 40);
}

TEST_CASE("disk image: a table that lists itself ends in an error") {
    MemoryDisk disk(600);
    make(disk, [&](diskfs::DiskInode& one, diskfs::DiskInode&) {
        REQUIRE(one.height == 1);
        one.height = 3;
        auto* const table = reinterpret_cast<u32*>(disk.durable[one.pointer[0]].data());
        for (u32 i = 0; i < diskfs::k_table_blocks; ++i)
            table[i] = one.pointer[0];
    });
    DiskMachine machine(disk);
    CHECK(machine.truncate("/disk/one", 0) == -EIO);
    CHECK(machine.read("/disk/two") == std::string(90'000, '2'));
    CHECK(machine.unlink("/disk/one") == 0);
}

TEST_CASE("disk image: all of it is checked when a superblock is damaged or not clean") {
    MemoryDisk disk(600);
    make(disk,
         [](diskfs::DiskInode& one, diskfs::DiskInode& two) { two.pointer[0] = one.pointer[0]; });
    CHECK(refusal(disk).empty()); // the machine ended as it should: nobody looks
    u64 const older = superblock(disk, 0).generation < superblock(disk, 1).generation ? 0 : 1;
    MemoryDisk torn = disk;
    torn.durable[older][100] ^= 1;
    CHECK(contains(refusal(torn), "two files have the same block"));
    superblock(disk, 1 - older).clean = 0;
    seal(superblock(disk, 1 - older));
    CHECK(contains(refusal(disk), "two files have the same block"));
}
