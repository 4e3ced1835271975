#include "common/machine/disk_file.hpp"
#include "common/temp_dir.hpp"
#include "common/units.hpp"
#include "tests/support/catch.hpp"

#include <array>
#include <cerrno>
#include <string>
#include <unistd.h>
#include <vector>

#include <sys/resource.h>
#include <sys/stat.h>

using namespace iso;

namespace {

struct Room {
    TempDir directory = std::move(*TempDir::create("disk"));
    std::string operator/(char const* name) const { return directory.path() + "/" + name; }
};

iovec part(std::vector<std::byte>& bytes) {
    return {bytes.data(), bytes.size()};
}

} // namespace

TEST_CASE("disk file: made sparse when it is missing, and found again") {
    Room const room;
    {
        auto const disk = DiskFile::open(room / "disk", 8 * k_mib);
        REQUIRE(disk);
        CHECK(disk->created());
        CHECK(disk->sectors() == 8 * k_mib / k_sector);
        struct stat status {};
        REQUIRE(::fstat(disk->fd(), &status) == 0);
        CHECK(status.st_blocks == 0);
    }
    auto const again = DiskFile::open(room / "disk", 0);
    REQUIRE(again);
    CHECK_FALSE(again->created());
    CHECK(again->sectors() == 8 * k_mib / k_sector);
    auto const standard = DiskFile::open(room / "other", 0);
    REQUIRE(standard);
    CHECK(standard->sectors() == DiskFile::k_default_bytes / k_sector);
}

TEST_CASE("disk file: what cannot be a disk is refused with a reason") {
    Room const room;
    CHECK(DiskFile::open(room.directory.path(), 0).error().message() != "");
    REQUIRE(::mkfifo((room / "pipe").c_str(), 0600) == 0);
    CHECK(DiskFile::open(room / "pipe", 0).error().cause == "not a regular file");
    CHECK(DiskFile::open("/dev/null", 0).error().cause == "not a regular file");
    CHECK(DiskFile::open(room / "missing/disk", 0).error().code == ENOENT);
    CHECK_FALSE(DiskFile::open(room / "small", 4096));
    CHECK_FALSE(DiskFile::open(room / "odd", 8 * k_mib + 512));
    CHECK_FALSE(DiskFile::open(room / "huge", DiskFile::k_most_bytes + 4096));
    {
        auto const disk = DiskFile::open(room / "disk", 2 * k_mib);
        REQUIRE(disk);
        CHECK(DiskFile::open(room / "disk", 0).error().cause == "another machine runs with it");
    }
    CHECK(DiskFile::open(room / "disk", 4 * k_mib).error().cause ==
          "it has 2097152 bytes, not 4194304");
}

TEST_CASE("disk file: sectors come back as they were written, and nothing lies outside") {
    Room const room;
    auto disk = DiskFile::open(room / "disk", k_mib);
    REQUIRE(disk);
    std::uint64_t const sectors = disk->sectors();
    std::vector<std::byte> first(1024, std::byte{1}), second(512, std::byte{2}), odd(100);
    std::array<iovec, 2> parts{part(first), part(second)};
    REQUIRE(disk->write(sectors - 3, parts) == 0);
    std::vector<std::byte> back(1536);
    std::array<iovec, 1> one{part(back)};
    REQUIRE(disk->read(sectors - 3, one) == 0);
    CHECK(back[1023] == std::byte{1});
    CHECK(back[1024] == std::byte{2});
    REQUIRE(disk->flush() == 0);

    for (std::uint64_t const sector : {sectors - 2, sectors, sectors + 1, ~std::uint64_t{0},
                                       ~std::uint64_t{0} / k_sector, std::uint64_t{1} << 63U}) {
        std::array<iovec, 1> outside{part(back)};
        CHECK(disk->read(sector, outside) == EINVAL);
        outside = {part(back)};
        CHECK(disk->write(sector, outside) == EINVAL);
    }
    std::array<iovec, 1> broken{part(odd)};
    CHECK(disk->write(0, broken) == EINVAL);

    Counters counters;
    disk->add_to(counters);
    CHECK(counters["disk.written_bytes"] == 1536);
    CHECK(counters["disk.read_bytes"] == 1536);
    CHECK(counters["disk.flushes"] == 1);

    REQUIRE(::truncate((room / "disk").c_str(), 512) == 0);
    std::array<iovec, 1> gone{part(back)};
    CHECK(disk->read(sectors - 3, gone) == EIO);
}

TEST_CASE("disk file: a limit on the sizes of files is an error") {
    Room const room;
    DiskFile disk = std::move(*DiskFile::open(room / "disk", 2 * k_mib));
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    rlimit const small{k_mib, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    auto const made = DiskFile::open(room / "other", 2 * k_mib);
    std::vector<std::byte> bytes(4096);
    std::array<iovec, 1> parts{part(bytes)};
    int const below = disk.write(0, parts);
    parts = {part(bytes)};
    int const above = disk.write(k_mib / k_sector, parts);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    REQUIRE_FALSE(made);
    CHECK(made.error().code == EFBIG);
    CHECK(::access((room / "other").c_str(), F_OK) != 0);
    CHECK(below == 0);
    CHECK(above == EFBIG);
}
