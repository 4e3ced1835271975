#include "benchmarks/history/archive.hpp"
#include "benchmarks/history/extract.hpp"
#include "benchmarks/history/history_fixture.hpp"
#include "benchmarks/history/schema.hpp"
#include "benchmarks/history/store.hpp"
#include "common/fd.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/wait.h>

using namespace iso;
using namespace iso::bench::history;
using iso::bench::history::test::Synthetic;

namespace {

class Place {
public:
    Place()
        : directory_(TempDir::create("isolab-history-test").value()) {}
    [[nodiscard]] std::string file(std::string const& name = "h.db") const {
        return directory_.path() + "/" + name;
    }

private:
    TempDir directory_;
};

History loaded(std::string const& path) {
    auto history = load(path);
    if (!history) FAIL(history.error().message());
    return std::move(*history);
}

Merged merged(std::string const& path, History const& more, Known known = Known::compare) {
    auto result = merge(path, more, known);
    if (!result) FAIL(result.error().message());
    return std::move(*result);
}

/// Refused with status 2, by reading and by writing, and not one byte of it changed.
void check_refused(std::string const& path, std::string const& why) {
    std::string const before = read_file(path).value();
    auto check = [&](Error const& problem) {
        INFO(problem.message());
        CHECK(problem.exit_status == exit_code::usage);
        CHECK_THAT(problem.message(), Catch::Contains(why) && Catch::Contains(path));
    };
    auto const reading = load(path);
    REQUIRE_FALSE(reading);
    check(reading.error());
    auto const writing = merge(path, Synthetic(1).history, Known::skip);
    REQUIRE_FALSE(writing);
    check(writing.error());
    auto const removing = remove(path, {"0"});
    REQUIRE_FALSE(removing);
    check(removing.error());
    CHECK(read_file(path).value() == before);
    CHECK_FALSE(std::filesystem::exists(path + "-journal"));
}

void execute(std::string const& path, std::string const& sql) {
    auto db = Database::open(path, Database::Access::create);
    REQUIRE(db);
    auto const done = db->execute(sql);
    if (!done) FAIL(done.error().message());
}

/// Runs in a process of its own; returns its wait status.
template <typename Do>
pid_t in_child(Do what) {
    pid_t const child = ::fork();
    if (child != 0) return child;
    ::_exit(what() ? 0 : 1);
}

int wait_for(pid_t child) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return status;
}

} // namespace

TEST_CASE("what was added is what is there, with every bit of it") {
    Place const place;
    Synthetic made(12, 6, 0.1);
    Synthetic::spoil(made.of("cpu-int", "vmm-mini").points[3], iso::bench::Status::failed,
                     "it said: \"no\"");
    made.of("hello", "isolate").points[2].low = made.of("hello", "isolate").points[2].high =
        std::nullopt;
    made.of("hello", "isolate").points[4].value = -0.1 - 0.2; // no short decimal
    Merged const first = merged(place.file(), made.history);
    CHECK(first.added.size() == 12);
    CHECK(first.known.empty());
    CHECK(loaded(place.file()) == made.history);
}

TEST_CASE("a run is added once, and is refused when another file says something else of it") {
    Place const place;
    Synthetic made(5);
    merged(place.file(), made.history);
    std::string const before = read_file(place.file()).value();
    CHECK(merged(place.file(), made.history).known.size() == 5);
    CHECK(read_file(place.file()).value() == before);

    Synthetic other = made;
    other.of("hello", "isolate").points[1].value = 99;
    CHECK(merged(place.file(), other.history, Known::skip).added.empty());
    auto const refused = merge(place.file(), other.history, Known::compare);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().exit_status == exit_code::usage);
    CHECK_THAT(refused.error().cause, Catch::Contains("says something else"));
    other = made;
    other.history.runs[2].commit = "another";
    CHECK_FALSE(merge(place.file(), other.history, Known::compare));
    CHECK(loaded(place.file()) == made.history);
}

TEST_CASE("histories grow together whatever comes first") {
    Place const place;
    Synthetic const one(6, 3, 0.1, 1);
    Synthetic const two(4, 2, 0.1, 2);
    merged(place.file("a"), one.history);
    merged(place.file("a"), two.history);
    merged(place.file("b"), two.history);
    merged(place.file("b"), one.history);
    CHECK(loaded(place.file("a")) == loaded(place.file("b")));
    CHECK(loaded(place.file("a")).runs.size() == 10);
    CHECK(loaded(place.file("a")).series.size() == 3);
}

TEST_CASE("removing runs removes their points, and what is left without any") {
    Place const place;
    Synthetic const made(3);
    merged(place.file(), made.history);
    std::string const& second = made.history.runs[1].id;
    CHECK(remove(place.file(), {second.substr(0, 32), second}).value().size() == 1);
    History const left = loaded(place.file());
    CHECK(left.runs.size() == 2);
    CHECK(left.series[0].points.size() == 2);
    for (std::string const& wrong : {std::string("beef"), std::string("0000"), std::string()}) {
        auto const refused = remove(place.file(), {made.history.runs[0].id, wrong});
        REQUIRE_FALSE(refused);
        CHECK(refused.error().exit_status == exit_code::usage);
    }
    CHECK(loaded(place.file()) == left);
    CHECK(remove(place.file(), {left.runs[0].id, left.runs[1].id}));
    CHECK(loaded(place.file()) == History{});
    CHECK(merged(place.file(), made.history).added.size() == 3); // and it can come again
}

TEST_CASE("what is no history is refused and not touched") {
    Place const place;
    std::ofstream(place.file("text"))
        << "this is no database at all, but it is long enough " << std::string(2000, 'x');
    check_refused(place.file("text"), "not a database");
    std::ofstream(place.file("short")) << "{}\n";
    check_refused(place.file("short"), "not a database");
    execute(place.file("foreign"), "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    check_refused(place.file("foreign"), "not a history");
    merged(place.file("newer"), Synthetic(2).history);
    execute(place.file("newer"), "PRAGMA user_version = 2");
    check_refused(place.file("newer"), "newer isobench");
    merged(place.file("other"), Synthetic(2).history);
    execute(place.file("other"), "ALTER TABLE point ADD COLUMN more TEXT");
    check_refused(place.file("other"), "tables");
    merged(place.file("trigger"), Synthetic(2).history);
    execute(place.file("trigger"),
            "CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM point; END");
    check_refused(place.file("trigger"), "tables");
    merged(place.file("orphan"), Synthetic(2).history);
    execute(place.file("orphan"), "PRAGMA foreign_keys = OFF; DELETE FROM run");
    check_refused(place.file("orphan"), "refers to nothing");
    merged(place.file("facts"), Synthetic(2).history);
    execute(place.file("facts"), "UPDATE machine SET facts = '{\"cpu.model\": \"Another\"}'");
    check_refused(place.file("facts"), "facts of machine");

    auto const missing = load(place.file("missing"));
    REQUIRE_FALSE(missing);
    CHECK(missing.error().exit_status == exit_code::usage);
    CHECK_FALSE(std::filesystem::exists(place.file("missing")));
    CHECK(load(place.file("")).error().cause == "not a regular file"); // a folder
    REQUIRE(::mkfifo(place.file("pipe").c_str(), 0600) == 0);
    CHECK(load(place.file("pipe")).error().cause == "not a regular file");
}

TEST_CASE("a damaged database is refused or says the same as before, byte for byte") {
    Place const place;
    Synthetic const made(20);
    merged(place.file(), made.history);
    std::string const whole = read_file(place.file()).value();
    iso::bench::Random random(7);
    unsigned refused = 0;
    for (int i = 0; i < 150; ++i) {
        std::string bad = whole;
        if (i % 3 == 0)
            bad.resize(random.below(whole.size()));
        else // a sector full of something else
            for (std::size_t at = random.below(whole.size()),
                             end = std::min(at + 512, whole.size());
                 at < end; ++at)
                bad[at] = static_cast<char>(random.next());
        std::string const path = place.file("bad");
        std::ofstream(path, std::ios::binary) << bad;
        auto const history = load(path);
        if (!history) {
            ++refused;
            INFO(history.error().message());
            CHECK((history.error().exit_status == exit_code::usage ||
                   history.error().exit_status == exit_code::no));
            CHECK(read_file(path).value() == bad);
        } else if (!bad.empty()) { // what was hit holds nothing, or text that may be any text
            CHECK(history->runs.size() == 20);
        }
    }
    CHECK(refused > 100);
}

TEST_CASE("names that mean something to SQLite are names of files") {
    Place const place;
    REQUIRE(::chdir(place.file("").c_str()) == 0);
    for (char const* const name : {":memory:", "file:x?mode=memory"}) {
        merged(name, Synthetic(1).history);
        CHECK(std::filesystem::exists(place.file(name)));
        CHECK(loaded(name).runs.size() == 1);
    }
    REQUIRE(::chdir("/") == 0);
}

TEST_CASE("a writer that is killed leaves the history as it was") {
    Place const place;
    Synthetic const before(30);
    merged(place.file(), before.history);
    // In the middle of a transaction, with part of it in the file already.
    pid_t const child = in_child([&] {
        auto db = Database::open(place.file(), Database::Access::existing);
        if (!db || !db->execute("PRAGMA cache_size = 1; PRAGMA cache_spill = 1")) return false;
        auto transaction = Transaction::begin(*db);
        if (!transaction || !db->execute("UPDATE point SET n = 1; DELETE FROM point WHERE run < "
                                         "'00000000000000010000000000000005'; UPDATE run SET "
                                         "\"commit\" = hex(zeroblob(4000))"))
            return false;
        return ::raise(SIGKILL) == 0;
    });
    int const status = wait_for(child);
    REQUIRE(WIFSIGNALED(status));
    REQUIRE(std::filesystem::file_size(place.file() + "-journal") > 0); // the file is half new
    CHECK(loaded(place.file()) == before.history);
    CHECK_FALSE(std::filesystem::exists(place.file() + "-journal"));
    // At whatever moment of an add: all of it is there, or nothing.
    History more = before.history;
    append(more, Synthetic(200, 100, 0.1, 2).history);
    for (int i = 0; i < 12; ++i) {
        std::filesystem::remove(place.file("k"));
        merged(place.file("k"), before.history);
        pid_t const writer =
            in_child([&] { return merge(place.file("k"), more, Known::skip).has_value(); });
        ::usleep(static_cast<useconds_t>(i) * 3000);
        ::kill(writer, SIGKILL);
        wait_for(writer);
        History const now = loaded(place.file("k"));
        CHECK((now == before.history || now == more));
    }
    // Killed in its very first add: there is a file, and nothing in it.
    std::ofstream(place.file("empty")).flush();
    CHECK(loaded(place.file("empty")) == History{});
    CHECK(merged(place.file("empty"), before.history).added.size() == 30);
}

TEST_CASE("several that add at once lose nothing") {
    Place const place;
    std::vector<pid_t> writers;
    for (std::uint64_t seed = 1; seed <= 4; ++seed)
        writers.push_back(in_child([&] {
            History const own = Synthetic(8, 4, 0.1, seed).history;
            for (iso::bench::history::Run const& run : own.runs) { // one transaction for each
                History one{own.machines, {run}, own.series};
                for (Series& series : one.series)
                    std::erase_if(series.points,
                                  [&](Point const& point) { return point.run != run.id; });
                if (!merge(place.file(), one, Known::compare)) return false;
            }
            return true;
        }));
    for (pid_t const writer : writers)
        CHECK(wait_for(writer) == 0);
    History all;
    for (std::uint64_t seed = 1; seed <= 4; ++seed)
        append(all, Synthetic(8, 4, 0.1, seed).history);
    CHECK(loaded(place.file()) == all);
}
