#include "benchmarks/harness/console.hpp"
#include "benchmarks/harness/initramfs.hpp"
#include "common/fd.hpp"
#include "common/subprocess.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"

#include <fcntl.h>

namespace {

using iso::bench::ConsoleFrame;

struct Took {
    std::string program;
    std::optional<int> status;
    std::string last_words;
};

/// In pieces of so many bytes, as they may arrive.
Took take(std::string const& console, std::size_t piece) {
    ConsoleFrame frame;
    Took took;
    for (std::size_t at = 0; at < console.size(); at += piece)
        frame.feed(std::string_view(console).substr(at, piece), took.program);
    took.status = frame.status();
    took.last_words = frame.last_words();
    return took;
}

} // namespace

TEST_CASE("what a program wrote is what stands between the marks, however it arrives") {
    std::string const output("a\x1e"
                             "isolab en\x1e\x1e"
                             "isolab begin\nb\0c\r\n",
                             31);
    std::string const console =
        "kernel: hello\r\n\x1eisolab beg\x1eisolab begin\n" + output + "\x1eisolab end 7\nhalted\n";
    for (std::size_t const piece : {1U, 2U, 3U, 7U, 1000U}) {
        Took const took = take(console, piece);
        CHECK(took.program == output);
        CHECK(took.status == 7);
        CHECK(took.last_words == "halted");
    }
}

TEST_CASE("a machine that did not come up has no program, and its last words are kept") {
    Took const took = take("one\nKernel panic:\x1b[31m no init\r\nCall Trace:\n \n", 5);
    CHECK(took.program.empty());
    CHECK_FALSE(took.status.has_value());
    CHECK(took.last_words == "Kernel panic:[31m no init");
}

TEST_CASE("a program whose end was not announced, or not in numbers, has no status") {
    CHECK_FALSE(take("\x1eisolab begin\nabc", 4).status.has_value());
    CHECK_FALSE(take("\x1eisolab begin\nabc\x1eisolab end ", 4).status.has_value());
    CHECK_FALSE(take("\x1eisolab begin\nabc\x1eisolab end x\n", 4).status.has_value());
    CHECK_FALSE(take("\x1eisolab begin\nabc\x1eisolab end -1\n", 4).status.has_value());
    CHECK_FALSE(take("\x1eisolab begin\nabc\x1eisolab end 123456\n", 4).status.has_value());
}

TEST_CASE("the archive is one that cpio reads") {
    auto const where = iso::TempDir::create("isobench-test").value();
    iso::bench::Initramfs archive;
    archive.add_directory("bin");
    archive.add_file("bin/tool", std::string("12345\0", 6), 0755);
    archive.add_file("empty", "", 0644);
    archive.add_device("null", 1, 3);
    std::string const path = where.path() + "/a.cpio";
    {
        iso::Fd const fd = iso::Fd::open(path, O_WRONLY | O_CREAT).value();
        REQUIRE(iso::write_all(fd.get(), std::move(archive).finish()));
    }
    auto const listed = iso::run_and_capture({"/bin/sh", "-c", "cpio -itv --quiet <" + path}, 0);
    REQUIRE(listed);
    if (listed->exit_status() == 127) ISO_SKIP("cpio", "not installed");
    INFO(listed->err);
    CHECK(listed->exit_status() == 0);
    CHECK_THAT(listed->out, Catch::Contains("drwxr-xr-x") && Catch::Contains("-rwxr-xr-x") &&
                                Catch::Contains("bin/tool") && Catch::Contains("crw-------") &&
                                Catch::Contains("1,   3"));
}
