// OCI image layouts: what is taken of them, and that nothing is believed that its digest denies.
#include "common/temp_dir.hpp"
#include "isolate/image/image.hpp"
#include "isolate/image/layout.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/tar_writer.hpp"

#include <filesystem>
#include <random>

#include <sys/stat.h>

namespace {

using namespace iso;
using namespace iso::jail;
using iso::test::LayoutWriter;
using iso::test::TarWriter;
namespace fs = std::filesystem;

class Directory {
public:
    explicit Directory(LayoutWriter::Files const& files) {
        for (auto const& [name, text] : files) {
            fs::create_directories(fs::path(path() + "/" + name).parent_path());
            auto const file = Fd::open(path() + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
            REQUIRE(file);
            REQUIRE(write_all(file->get(), text));
        }
    }
    [[nodiscard]] std::string const& path() const { return dir_.path(); }

private:
    TempDir dir_ = TempDir::create("layout-test").value();
};

std::string const k_passwd = "root:x:0:0::/:/bin/sh\nweb:x:1001:1002::/:/bin/sh\n";

LayoutWriter sample() {
    LayoutWriter writer;
    writer.layer(TarWriter().file("etc/passwd", k_passwd).file("etc/group", "adm:x:77:\n").text());
    writer.layer(TarWriter().file("b", "2").text(), false);
    writer.image("one", R"("Env":["PATH=/bin","A=1"],"Entrypoint":["/bin/run"],"Cmd":["x","y"],)"
                        R"("WorkingDir":"/srv/./web","User":"web:adm")");
    return writer;
}

Result<Image> read(Directory const& directory, std::string const& reference = {}) {
    return TRY(Layout::open(directory.path())).read(reference);
}

Result<JailSpec> spec_of(Directory const& directory, JailSpec spec = {}) {
    spec.root.source = RootSpec::Source::directory;
    spec.root.path = directory.path();
    TRY(recognise_root(spec.root));
    TRY(take_image_defaults(spec, {}));
    return spec;
}

Result<Unpacked> unpack(Directory const& directory, std::function<bool()> const& stopped = {}) {
    JailSpec spec;
    spec.root.source = RootSpec::Source::oci_layout;
    spec.root.path = directory.path();
    spec.process.directory = "/made/for/it";
    UnpackedRoot const root = TRY(UnpackedRoot::create(spec, Owners(), stopped));
    if (!fs::is_directory(root.path() + "/made/for/it") || !fs::is_directory(root.path() + "/dev"))
        return error("unpack", "a directory is missing");
    return root.unpacked();
}

} // namespace

TEST_CASE("an image completes the process, as far as nobody else has said it") {
    Directory const directory(sample().files());
    auto const spec = spec_of(directory);
    INFO((spec ? "" : spec.error().message()));
    REQUIRE(spec);
    CHECK(spec->root.source == RootSpec::Source::oci_layout);
    CHECK(spec->process.arguments == std::vector<std::string>{"/bin/run", "x", "y"});
    CHECK(spec->process.environment == std::vector<std::string>{"PATH=/bin", "A=1"});
    CHECK(spec->process.directory == "/srv/web");
    CHECK(spec->process.uid == 1001);
    CHECK(spec->process.gid == 77);

    JailSpec said;
    said.process.arguments = {"sh"};
    said.process.environment = {"A=2", "B=3"};
    said.process.directory = "/tmp";
    said.process.uid = 5;
    auto const kept = spec_of(directory, said);
    REQUIRE(kept);
    CHECK(kept->process.arguments == std::vector<std::string>{"sh"});
    CHECK(kept->process.environment == std::vector<std::string>{"PATH=/bin", "A=2", "B=3"});
    CHECK(kept->process.directory == "/tmp");
    CHECK(kept->process.uid == 5);

    said = {};
    said.root.image_defaults = false;
    CHECK_FALSE(spec_of(directory, said)); // no program
    said.process.arguments = {"sh"};
    auto const bare = spec_of(directory, said);
    REQUIRE(bare);
    CHECK(bare->process.environment.empty());
    CHECK(bare->process.uid == 0);
}

TEST_CASE("an image's user is a name or a number of its own files") {
    struct Case {
        char const* user;
        std::uint32_t uid, gid;
    };
    for (auto const& [user, uid, gid] :
         {Case{"web", 1001, 1002}, Case{"1001", 1001, 1002}, Case{"9", 9, 0}, Case{"9:10", 9, 10},
          Case{"web:5", 1001, 5}, Case{"root", 0, 0}, Case{"", 0, 0}}) {
        LayoutWriter writer;
        writer.layer(TarWriter().file("./etc/passwd", k_passwd).text());
        writer.image("", std::string(R"("Cmd":["a"],"User":")") + user + "\"");
        auto const spec = spec_of(Directory(writer.files()));
        INFO(user << (spec ? "" : spec.error().message()));
        REQUIRE(spec);
        CHECK(spec->process.uid == uid);
        CHECK(spec->process.gid == gid);
    }
    for (char const* user : {"nobody", "web:nogroup", ":", "4294967295", "-1"}) {
        LayoutWriter writer;
        writer.layer(TarWriter().file("etc/passwd", k_passwd).text());
        writer.image("", std::string(R"("Cmd":["a"],"User":")") + user + "\"");
        INFO(user);
        CHECK_FALSE(spec_of(Directory(writer.files())));
    }
}

TEST_CASE("one of several images is named") {
    LayoutWriter writer;
    writer.layer(TarWriter().file("a", "1").text()).image("one", R"("Cmd":["first"])");
    writer.layer(TarWriter().file("a", "2").text()).image("two", R"("Cmd":["second"])");
    Directory const directory(writer.files());
    auto const several = read(directory);
    REQUIRE_FALSE(several);
    CHECK(several.error().hint.find("one, two") != std::string::npos);
    CHECK_FALSE(read(directory, "three"));
    auto const two = read(directory, "two");
    REQUIRE(two);
    CHECK(two->command == std::vector<std::string>{"second"});
    RootSpec root;
    root.source = RootSpec::Source::directory;
    for (std::string const& reference : {std::string("two"), two->manifest.digest}) {
        root.source = RootSpec::Source::directory;
        root.path = directory.path() + ":" + reference;
        root.reference.clear();
        REQUIRE(recognise_root(root));
        CHECK(root.source == RootSpec::Source::oci_layout);
        CHECK(root.reference == reference);
        auto const found = read(directory, root.reference);
        REQUIRE(found);
        CHECK(found->command == std::vector<std::string>{"second"});
    }
    root.source = RootSpec::Source::directory;
    root.reference.clear();
    root.path = directory.path() + "/none:two";
    CHECK_FALSE(recognise_root(root));
}

TEST_CASE("an image for another machine, or in a form of another kind, is refused") {
    LayoutWriter other;
    other.layer(TarWriter().file("a", "1").text()).image("", R"("Cmd":["a"])", "arm64");
    auto const arm = read(Directory(other.files()));
    REQUIRE_FALSE(arm);
    CHECK(arm.error().cause.find("linux/arm64") != std::string::npos);
    auto files = sample().files();
    files.back().second = R"({"manifests":[{"mediaType":"text/plain","digest":"sha256:)" +
                          std::string(64, '0') + R"(","size":1}]})";
    CHECK_FALSE(read(Directory(files)));
    files[files.size() - 2].second = R"({"imageLayoutVersion":"2.0.0"})";
    CHECK_FALSE(Layout::open(Directory(files).path()));
}

TEST_CASE("layers are unpacked one over the other, and the unpacked root goes") {
    LayoutWriter writer;
    writer.layer(TarWriter().file("a", "1").file("b", "1").text());
    writer.layer(TarWriter().file(".wh.a", "").file("b", "22").text(), false).image("");
    Directory const directory(writer.files());
    auto const done = unpack(directory);
    INFO((done ? "" : done.error().message()));
    REQUIRE(done);
    CHECK(done->bytes == 4);
    bool asked = false;
    auto const stopped = unpack(directory, [&] { return asked = true; });
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().code == EINTR);
    CHECK(asked);
}

TEST_CASE("a piece that is not what its digest says, or is missing, is refused") {
    auto const files = sample().files();
    std::size_t blobs = 0;
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (!files[i].first.starts_with("blobs/")) continue;
        ++blobs;
        for (int change = 0; change < 4; ++change) {
            auto changed = files;
            std::string& text = changed[i].second;
            if (change == 0) text[text.size() / 2] ^= 1;
            if (change == 1) text.pop_back();
            if (change == 2) text += ' ';
            if (change == 3) changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
            auto const done = unpack(Directory(changed));
            INFO(files[i].first << ", change " << change);
            CHECK_FALSE(done);
        }
    }
    CHECK(blobs == 4);
    // A link out of the layout is not followed, and a pipe not waited for.
    for (char const* kind : {"link", "pipe"}) {
        Directory const directory(files);
        std::string const blob = directory.path() + "/" + files[0].first;
        fs::remove(blob);
        if (*kind == 'l')
            fs::create_symlink("/etc/passwd", blob);
        else
            REQUIRE(::mkfifo(blob.c_str(), 0600) == 0);
        CHECK_FALSE(unpack(directory));
    }
}

TEST_CASE("a mutated layout is refused, or read as it is") {
    std::mt19937_64 random(7); // NOLINT: the same mutations in every run
    auto const files = sample().files();
    int refused = 0;
    int const rounds = 400;
    for (int round = 0; round < rounds; ++round) {
        auto changed = files;
        std::string& text =
            changed[random() % 2 == 0 ? changed.size() - 1 : random() % changed.size()].second;
        for (std::uint64_t n = random() % 3 + 1; n > 0; --n) {
            std::size_t const at = random() % text.size();
            if (random() % 2 == 0)
                text[at] = "\"{}[]:,0\\\x01 "[random() % 11];
            else
                text.erase(at, random() % 8);
            if (text.empty()) text = " ";
        }
        Directory const directory(changed);
        auto const spec = spec_of(directory);
        if (spec) continue;
        ++refused;
        REQUIRE_FALSE(spec.error().cause.empty());
        REQUIRE_FALSE(spec.error().op.empty());
    }
    CHECK(refused > rounds / 2);
}
