#include "common/temp_dir.hpp"
#include "isolate/life/log.hpp"
#include "tests/support/catch.hpp"

#include <csignal>
#include <filesystem>

#include <sys/resource.h>

using namespace iso;
using namespace iso::jail;

namespace {

std::string printed(int directory) {
    Pipe pipe = Pipe::create().value();
    REQUIRE(print_log(directory, pipe.write.get()));
    pipe.write.reset();
    return read_all(pipe.read.get()).value();
}

} // namespace

TEST_CASE("a log keeps the youngest output, within its limit") {
    TempDir const temp = TempDir::create("log").value();
    Fd const directory = Fd::open(temp.path(), O_RDONLY | O_DIRECTORY).value();
    auto log = LogFile::open(directory.get(), 2000);
    REQUIRE(log);
    log->append("first\n");
    CHECK(printed(directory.get()) == "first\n");
    std::string all;
    for (int i = 0; i < 1000; ++i) {
        std::string const line = "line " + std::to_string(i) + "\n";
        all += line;
        log->append(line);
        CHECK(std::filesystem::file_size(temp.path() + "/log") <= 1000);
    }
    std::string const kept = printed(directory.get());
    CHECK(kept.size() <= 2000);
    CHECK(kept.size() >= 1000);
    CHECK(all.ends_with(kept)); // the newest, without a hole

    std::string const large(10'000, 'x'); // more at once than the limit
    log->append(large);
    std::string const flooded = printed(directory.get());
    CHECK(flooded.size() >= 1000);
    CHECK(flooded.size() <= 2000);
    CHECK(flooded.find_first_not_of('x') == std::string::npos);
    // A second keeper goes on where the first ended.
    auto again = LogFile::open(directory.get(), 1'000'000);
    REQUIRE(again);
    again->append("more");
    CHECK(printed(directory.get()).ends_with("xmore"));
}

TEST_CASE("output that finds no room is counted, and the count is told") {
    TempDir const temp = TempDir::create("log").value();
    Fd const directory = Fd::open(temp.path(), O_RDONLY | O_DIRECTORY).value();
    auto log = LogFile::open(directory.get(), 1U << 20U);
    REQUIRE(log);
    log->append("before\n");
    rlimit old{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit const none{7, old.rlim_max}; // what is in the file already; EFBIG stands for a full disk
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &none) == 0);
    log->append("lost!");
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &old) == 0);
    log->append("after\n");
    CHECK(printed(directory.get()) ==
          "before\n\n[isolate: 5 bytes of output could not be written here]\nafter\n");
}
