// Unpacking: what becomes of each kind of entry, and that no archive gets out of its directory.
#include "common/temp_dir.hpp"
#include "isolate/image/extract.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/tar_writer.hpp"

#include <climits>

#include <cstdlib>
#include <filesystem>
#include <random>
#include <unistd.h>

#include <sys/stat.h>

namespace {

using namespace iso;
using namespace iso::jail;
using iso::test::gzip;
using iso::test::TarWriter;
namespace fs = std::filesystem;

/// A directory to unpack into, with another beside it that nothing may get to.
class Place {
public:
    Place() {
        fs::create_directory(root());
        fs::create_directory(outside());
        write("canary", "unharmed");
    }
    ~Place() {
        auto const directory = Fd::open(dir_.path(), O_RDONLY | O_DIRECTORY);
        if (directory) (void)remove_tree(directory->get(), ".");
    }
    Place(Place const&) = delete;
    Place& operator=(Place const&) = delete;

    [[nodiscard]] std::string root() const { return dir_.path() + "/root"; }
    [[nodiscard]] std::string outside() const { return dir_.path() + "/outside"; }
    [[nodiscard]] std::string at(std::string const& name) const { return root() + "/" + name; }

    Result<Unpacked> unpack(std::string const& archive, UnpackLimits const& limits = {}) {
        Extractor extractor(TRY(Fd::open(root(), O_PATH | O_DIRECTORY)), Owners(), limits);
        ArchiveReader reader = TRY(ArchiveReader::open(source(archive), "test.tar", limits.bytes));
        TRY(extractor.add(reader, false));
        TRY(extractor.finish({}));
        return extractor.unpacked();
    }
    /// One layer over what is there.
    Result<void> lay(std::string const& archive) {
        Extractor extractor(TRY(Fd::open(root(), O_PATH | O_DIRECTORY)), Owners(), {});
        ArchiveReader first = TRY(ArchiveReader::open(source(archive), "layer", 1U << 20U));
        TRY(extractor.take_away(first));
        ArchiveReader second = TRY(ArchiveReader::open(source(archive), "layer", 1U << 20U));
        TRY(extractor.add(second, true));
        return extractor.finish({});
    }
    /// Whether nothing happened beside the root.
    [[nodiscard]] bool unharmed() const {
        std::size_t count = 0;
        for ([[maybe_unused]] auto const& each : fs::directory_iterator(outside()))
            ++count;
        std::size_t beside = 0;
        for ([[maybe_unused]] auto const& each : fs::directory_iterator(dir_.path()))
            ++beside;
        struct stat info {};
        return count == 1 && beside == 2 && ::stat((outside() + "/canary").c_str(), &info) == 0 &&
               info.st_nlink == 1 && read_file(outside() + "/canary").value_or("") == "unharmed";
    }
    [[nodiscard]] std::string text(std::string const& name) const {
        return read_file(at(name)).value_or("(unreadable)");
    }

private:
    static ArchiveReader::Source source(std::string const& archive) {
        return [&archive, at = std::size_t{0}](std::span<char> chunk) mutable {
            std::size_t const n = std::min({chunk.size(), archive.size() - at, std::size_t{1000}});
            std::copy_n(archive.begin() + static_cast<std::ptrdiff_t>(at), n, chunk.begin());
            at += n;
            return Result<std::size_t>(n);
        };
    }
    void write(std::string const& name, std::string const& text) const {
        auto const file = Fd::open(outside() + "/" + name, O_WRONLY | O_CREAT, 0644);
        REQUIRE(file);
        REQUIRE(write_all(file->get(), text));
    }

    TempDir dir_ = TempDir::create("image-test").value();
};

unsigned mode_of(std::string const& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0 ? info.st_mode & 07777U : ~0U;
}

std::string refusal(Result<Unpacked> const& done) {
    return done ? "(unpacked)" : done.error().op + ": " + done.error().cause;
}

bool contains(std::string const& text, std::string const& what) {
    return text.find(what) != std::string::npos;
}

} // namespace

TEST_CASE("files, directories and links are unpacked as they are in the archive") {
    TarWriter tar;
    tar.directory("./").directory("./bin/", 0555).file("bin/tool", "#!tool", 0755);
    tar.link("bin/same", "bin/tool", '1').link("sh", "bin/tool").link("nowhere", "/etc/none");
    tar.add({.name = "pipe",
             .type = '6',
             .contents = {},
             .target = {},
             .mode = 0620,
             .size_field = {}});
    tar.file("/absolute/deep/file", "x")
        .file(std::string(60, 'a') + "/" + std::string(150, 'b'), "long");
    std::string const archives[] = {tar.text(), gzip(tar.text())};
    for (std::string const& archive : archives) {
        Place place;
        auto const done = place.unpack(archive);
        INFO(refusal(done));
        REQUIRE(done);
        CHECK(done->entries == 9);
        CHECK(place.text("bin/tool") == "#!tool");
        CHECK(mode_of(place.at("bin/tool")) == 0755);
        CHECK(mode_of(place.at("bin")) == 0555); // although files came after it
        CHECK(fs::hard_link_count(place.at("bin/same")) == 2);
        CHECK(fs::read_symlink(place.at("sh")) == "bin/tool");
        CHECK(fs::read_symlink(place.at("nowhere")) == "/etc/none");
        CHECK(fs::is_fifo(fs::symlink_status(place.at("pipe"))));
        CHECK(place.text("absolute/deep/file") == "x");
        CHECK(place.text(std::string(60, 'a') + "/" + std::string(150, 'b')) == "long");
        struct stat info {};
        REQUIRE(::stat(place.at("bin/tool").c_str(), &info) == 0);
        CHECK(info.st_mtime == 1'600'000'000);
        CHECK(place.unharmed());
    }
}

TEST_CASE("a name that leads upwards is refused") {
    for (char const* name : {"../outside/new", "a/../../outside/new", "/../outside/new", ".."}) {
        Place place;
        auto const done = place.unpack(TarWriter().file(name, "bad").text());
        INFO(name << ": " << refusal(done));
        CHECK_FALSE(done);
        CHECK(contains(refusal(done), "upwards"));
        CHECK(place.unharmed());
    }
    Place place;
    auto const done = place.unpack(TarWriter().link("l", "../outside/canary", '1').text());
    CHECK_FALSE(done);
    CHECK(place.unharmed());
}

TEST_CASE("links in an archive lead nobody out of it") {
    Place place;
    std::string const up = "../../../../../../../../../../..";
    for (std::string const& way :
         {place.outside(), up + place.outside(), std::string("../outside")})
        for (char const type : {'0', '1', '5', '2'}) {
            Place each;
            TarWriter tar;
            tar.link("way", way == place.outside() ? each.outside() : way);
            if (type == '0') tar.file("way/new", "bad");
            if (type == '1') tar.link("stolen", "way/canary", '1');
            if (type == '2') tar.link("way/new", "bad");
            if (type == '5') tar.directory("way/new/deeper", 0777);
            auto const done = each.unpack(tar.text());
            INFO(type << " through " << way << ": " << refusal(done));
            CHECK_FALSE(done); // inside the root the link leads to nothing
            CHECK(each.unharmed());
        }
    // A link inside is followed inside, as /bin -> usr/bin has to be.
    auto const done = place.unpack(
        TarWriter().directory("usr/bin").link("bin", "/usr/bin").file("bin/sh", "shell").text());
    INFO(refusal(done));
    CHECK(place.text("usr/bin/sh") == "shell");
    CHECK(place.unharmed());
}

TEST_CASE("an entry takes the place of an earlier one, never the place of what that leads to") {
    Place place;
    TarWriter tar;
    tar.file("f", "first").link("f", place.outside() + "/canary").file("f", "second");
    tar.link("d", "../outside").directory("d").file("d/in", "x");
    tar.directory("full").file("full/a", "a").file("full", "now a file");
    tar.file("one", "1").link("one", "one", '1');
    auto const done = place.unpack(tar.text());
    INFO(refusal(done));
    REQUIRE(done);
    CHECK(place.text("f") == "second");
    CHECK(place.text("d/in") == "x");
    CHECK(place.text("full") == "now a file");
    CHECK(place.text("one") == "1");
    CHECK(place.unharmed());
}

TEST_CASE("a hard link is to a file of the archive") {
    for (char const* target : {"none", "", "/", "dir"}) {
        Place place;
        auto const done = place.unpack(TarWriter().directory("dir").link("l", target, '1').text());
        INFO(target << ": " << refusal(done));
        CHECK_FALSE(done);
    }
}

TEST_CASE("device nodes are left out and rights to become others are taken away") {
    Place place;
    TarWriter tar;
    tar.add({.name = "null", .type = '3', .contents = {}, .target = {}, .size_field = {}});
    tar.add({.name = "disk", .type = '4', .contents = {}, .target = {}, .size_field = {}});
    tar.file("su", "x", 06755);
    auto const done = place.unpack(tar.text());
    REQUIRE(done);
    CHECK(done->devices == 2);
    CHECK(done->set_ids == 1);
    CHECK_FALSE(fs::exists(fs::symlink_status(place.at("null"))));
    CHECK_FALSE(fs::exists(fs::symlink_status(place.at("disk"))));
    CHECK(mode_of(place.at("su")) == 0755);
}

TEST_CASE("an archive cannot become more than its limits") {
    UnpackLimits limits;
    limits.bytes = 100'000;
    Place place;
    std::string const much(100'001, 'x');
    CHECK(contains(refusal(place.unpack(TarWriter().file("much", much).text(), limits)),
                   "more than 100000"));
    TarWriter two;
    two.file("a", much.substr(0, 60'000)).file("b", much.substr(0, 60'000));
    CHECK(contains(refusal(place.unpack(two.text(), limits)), "more than 100000"));
    // Sizes that no disk has: octal, and the base-256 of GNU with its largest numbers.
    for (std::string const& size :
         {std::string("77777777777 "),
          std::string("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12),
          std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12)}) {
        TarWriter huge;
        huge.add({.name = "huge", .contents = "x", .target = {}, .size_field = size});
        auto const done = place.unpack(huge.text(), limits);
        INFO(refusal(done));
        CHECK_FALSE(done);
    }
    // 64 MiB of zeros behind an entry that is no file: only skipped, and still counted.
    TarWriter bomb;
    bomb.file("f", "x").pax(TarWriter::pax_record("comment", "of pax, so it has contents"));
    bomb.add({.name = "h",
              .type = '1',
              .contents = std::string(64U << 20U, '\0'),
              .target = "f",
              .size_field = {}});
    std::string const packed = gzip(bomb.text());
    CHECK(packed.size() < 100'000);
    CHECK(contains(refusal(place.unpack(packed, limits)), "uncompressed"));

    limits = {};
    limits.entries = 3;
    TarWriter many;
    many.file("1", "").file("2", "").file("3", "");
    CHECK(place.unpack(many.text(), limits));
    CHECK(contains(refusal(place.unpack(many.file("4", "").text(), limits)), "more than 3"));
    std::string deep;
    for (int i = 0; i < 257; ++i)
        deep += "d/";
    CHECK(contains(refusal(place.unpack(TarWriter().directory(deep).text())), "256 directories"));
    CHECK(place.unpack(TarWriter().directory(deep.substr(2)).text()));
    CHECK_FALSE(place.unpack(TarWriter().file(std::string(256, 'n'), "").text()));
}

TEST_CASE("sparse files have their holes") {
    // GNU's form 1.0 (tar manual, "PAX Format, Version 1.0"): the map stands before the data.
    TarWriter tar;
    tar.pax(TarWriter::pax_record("GNU.sparse.major", "1") +
            TarWriter::pax_record("GNU.sparse.minor", "0") +
            TarWriter::pax_record("GNU.sparse.name", "holes") +
            TarWriter::pax_record("GNU.sparse.realsize", "1000000"));
    std::string map = "1\n500000\n5\n";
    map.resize(512);
    tar.file("GNUSparseFile.1/holes", map + "piece");
    Place place;
    auto const done = place.unpack(tar.text());
    INFO(refusal(done));
    REQUIRE(done);
    std::string const text = place.text("holes");
    CHECK(text.size() == 1'000'000);
    CHECK(text.substr(500'000, 5) == "piece");
    UnpackLimits limits;
    limits.bytes = 999'999;
    CHECK_FALSE(place.unpack(tar.text(), limits));
}

TEST_CASE("a damaged archive is refused") {
    std::string const good = TarWriter().file("a", std::string(3000, 'a')).file("b", "b").text();
    auto fails = [&](std::string const& archive) {
        Place place;
        auto const done = place.unpack(archive);
        INFO(archive.size() << " bytes: " << refusal(done));
        CHECK_FALSE(done);
    };
    fails("");
    fails("no archive at all, but some text that is long enough to be looked at " + good);
    fails(good.substr(0, 2000));
    fails(good.substr(0, 600));
    std::string const packed = gzip(good);
    fails(packed.substr(0, packed.size() / 2));
    std::string wrong_sum = good;
    wrong_sum[3] ^= 1;
    fails(wrong_sum);
}

TEST_CASE("whiteouts remove what the layers below have, and nothing else") {
    Place place;
    REQUIRE(place.lay(TarWriter()
                          .file("etc/keep", "1")
                          .file("etc/gone", "1")
                          .file("var/log/a", "1")
                          .file("var/log/deep/b", "1")
                          .file("opt/x", "1")
                          .link("way", "../outside")
                          .text()));
    REQUIRE(place.lay(TarWriter()
                          .file("etc/.wh.gone", "")
                          .file("var/log/new", "2")
                          .file("var/log/.wh..wh..opq", "") // after what the layer itself brings
                          .file(".wh.opt", "")
                          .file("opt/y", "2")
                          .file("way/.wh.canary", "")
                          .file("none/.wh.none", "")
                          .file(".wh..wh.plnk", "")
                          .text()));
    CHECK(place.text("etc/keep") == "1");
    CHECK_FALSE(fs::exists(place.at("etc/gone")));
    CHECK(place.text("var/log/new") == "2");
    CHECK_FALSE(fs::exists(place.at("var/log/a")));
    CHECK_FALSE(fs::exists(place.at("var/log/deep")));
    CHECK_FALSE(fs::exists(place.at("opt/x")));
    CHECK(place.text("opt/y") == "2");
    for (auto const& each : fs::recursive_directory_iterator(place.root()))
        CHECK_FALSE(each.path().filename().string().starts_with(".wh."));
    CHECK(place.unharmed());
    CHECK_FALSE(place.lay(TarWriter().file("etc/.wh..", "").text()));
    CHECK_FALSE(place.lay(TarWriter().file("etc/.wh...", "").text()));
    CHECK_FALSE(place.lay(TarWriter().file(".wh.", "").text()));
    CHECK(place.text("etc/keep") == "1");
    CHECK(place.unharmed());
}

TEST_CASE("whatever lies in a directory, it can be removed, and nothing beside it") {
    Place place;
    fs::create_directory(place.at("top"));
    Fd at = Fd::open(place.at("top"), O_RDONLY | O_DIRECTORY).value();
    for (int depth = 0; depth < 2100; ++depth) { // longer than any path
        REQUIRE(::mkdirat(at.get(), "d", 0700) == 0);
        REQUIRE(::symlinkat(place.outside().c_str(), at.get(), "way") == 0);
        at = Fd(::openat(at.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        REQUIRE(at);
    }
    at.reset();
    for (char const* closed : {"top/none", "top/none/in", "top/read"})
        fs::create_directory(place.at(closed));
    ::chmod(place.at("top/none/in").c_str(), 0);
    ::chmod(place.at("top/none").c_str(), 0);
    ::chmod(place.at("top/read").c_str(), 0444);
    for (int i = 0; i < 2500; ++i)
        REQUIRE(Fd::open(place.at("top/f" + std::to_string(i)), O_CREAT | O_WRONLY));
    Fd const root = Fd::open(place.root(), O_RDONLY | O_DIRECTORY).value();
    auto const removed = remove_tree(root.get(), "top");
    INFO((removed ? "" : removed.error().message()));
    CHECK(removed);
    CHECK_FALSE(fs::exists(fs::symlink_status(place.at("top"))));
    CHECK(remove_tree(root.get(), "top"));
    CHECK(place.unharmed());
}

TEST_CASE("a mutated archive is refused or unpacked, and never gets out") {
    std::mt19937_64 random(6); // NOLINT: the same mutations in every run
    int unpacked = 0;
    int const rounds = 600;
    for (int round = 0; round < rounds; ++round) {
        Place place;
        TarWriter tar;
        tar.directory("d/").file("d/f", "contents").link("l", "../outside").link("h", "d/f", '1');
        tar.link("a", place.outside()).pax(TarWriter::pax_record("path", "l/../x"));
        tar.file("y", "z").file("l/deep/file", "w").file("d/.wh.f", "").file("../up", "v");
        std::string archive = tar.text();
        for (std::uint64_t n = random() % 4; n > 0; --n) {
            std::size_t const block = random() % (archive.size() / 512) * 512;
            std::size_t const at = block + random() % 512;
            switch (random() % 5) {
            case 0:
                archive[at] = static_cast<char>(random());
                break;
            case 1: // one header in the place of another
                archive.replace(block, 512,
                                archive.substr(random() % (archive.size() / 512) * 512, 512));
                break;
            case 2:
                archive.erase(block, 512);
                break;
            case 3:
                archive.resize(at);
                break;
            default: // of another type, and the sum is right again
                unsigned sum = 8 * ' ';
                archive[block + 156] = "01234567xgLKSV"[random() % 14];
                for (std::size_t i = 0; i < 512; ++i)
                    if (i < 148 || i >= 156) sum += static_cast<unsigned char>(archive[block + i]);
                char text[8];
                std::snprintf(text, sizeof text, "%06o", sum & 0777777U);
                archive.replace(block + 148, 7, text, 7);
            }
            if (archive.size() < 512) archive.resize(512);
        }
        UnpackLimits limits;
        limits.bytes = 1U << 20U;
        if (place.unpack(round % 2 == 0 ? archive : gzip(archive), limits)) ++unpacked;
        INFO("round " << round);
        REQUIRE(place.unharmed());
    }
    CHECK(unpacked < rounds); // "../up" is in all that are whole
}
