#include "benchmarks/harness/peer_file.hpp"
#include "benchmarks/harness/peer_words.hpp"
#include "common/fd.hpp"
#include "common/program.hpp"
#include "tests/support/catch.hpp"

#include <filesystem>
#include <fstream>

namespace {

using namespace iso::bench;

/// A correct file, one key a line.
constexpr char const* k_good = R"({ // a comment
  "schema": "isolab.peer/1",
  "name": "thing",
  "title": "A thing",
  "technique": "OS-level virtualization",
  "isolates": "the root directory",
  "needs": {"programs": ["sh", "env"],
            "root": false},
  "version": ["sh", "--version"],
  "workload": "directory",
  "result": "stdout",
  "run": ["sh", "{root}", "{tool:env}", "{program}", "{args...}"],
  "environment": {"HOME": "{scratch}"},
  "files": {"a.json": {"args": ["{program}", "{args...}"], "n": 1}, "b/c": ["one {id}", "two"]},
  "stop": {"signal": "TERM", "settle_ms": 20,
           "cleanup": [["sh", "{id}"]]},
  "cannot": {"fork-exec": "no /proc"},
  "install": {"debian": ["dash", "coreutils"]},
  "caveats": ["none"]
}
)";

std::string with(std::string const& old, std::string const& replacement) {
    std::string text = k_good;
    auto const at = text.find(old);
    REQUIRE(at != std::string::npos);
    return text.replace(at, old.size(), replacement);
}

iso::Error problem_with(std::string const& text) {
    auto const parsed = parse_peer("/p/thing.json", text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().exit_status == iso::exit_code::usage);
    return parsed.error();
}

} // namespace

TEST_CASE("a peer's file is read with everything in it") {
    auto const peer = parse_peer("/p/thing.json", k_good);
    if (!peer) FAIL(peer.error().message());
    CHECK(peer->name == "thing");
    CHECK(peer->programs == Words{"sh", "env"});
    CHECK(peer->stop_signal == 15);
    CHECK(peer->settle_ns == 20'000'000);
    CHECK(peer->cleanup == std::vector<Words>{{"sh", "{id}"}});
    CHECK(peer->environment == Words{"HOME={scratch}"});
    CHECK(peer->cannot.at("fork-exec") == "no /proc");
    CHECK(peer->install() == "apt-get install --no-install-recommends dash coreutils");
    CHECK(peer->files.size() == 2);
}

TEST_CASE("what is wrong with a peer's file is told with its line and its field") {
    struct Case {
        char const* old;
        char const* replacement;
        char const* place;
        char const* cause;
    };
    Case const cases[] = {
        {"\"title\": \"A thing\",", "\"titel\": \"A thing\",", ":1: title", "missing"},
        {"\"caveats\": [\"none\"]", "\"caveat\": [\"none\"]", ":19: caveat", "unknown key"},
        {"\"root\": false", "\"roof\": false", ":8: needs.roof", "unknown key"},
        {"\"root\": false", "\"root\": \"no\"", ":8: needs.root", "true or false"},
        {"\"name\": \"thing\"", "\"name\": \"other\"", ":3: name", "the file is called thing"},
        {"isolab.peer/1", "isolab.peer/2", ":2: schema", "another format"},
        {"OS-level", "Os-level", ":5: technique", "unknown technique"},
        {"\"directory\"", "\"floppy\"", ":10: workload", "unknown word 'floppy'"},
        {"{tool:env}", "{tool:envy}", ":12: run", "unknown placeholder {tool:envy}"},
        {"\"{root}\"", "\"{rot}\"", ":12: run", "unknown placeholder {rot}"},
        {"\"{root}\"", "\"{initramfs}\"", ":12: run", "is not made for this peer"},
        {"\"{root}\"", "\"{kernel}\"", ":12: run", "is not made for this peer"},
        {"\"{root}\", ", "", ":12: run", "{root} is not used"},
        {"\"sh\", \"{root}\"", "7", ":12: run", "word 1 is not a text"},
        {"{scratch}", "{scrap}", ":13: environment", "unknown placeholder {scrap}"},
        {"b/c", "../c", ":14: files.../c", "below {files}"},
        {"one {id}", "one {ix}", ":14: files.b/c", "unknown placeholder {ix}"},
        {"\"TERM\"", "\"STOP\"", ":15: stop.signal", "unknown word 'STOP'"},
        {"20,", "20000,", ":15: stop.settle_ms", "more than 10000"},
        {"20,", "-1,", ":15: stop.settle_ms", "not negative"},
        {"[[\"sh\", \"{id}\"]]", "[[]]", ":16: stop.cleanup", "an empty command"},
        {"{\"debian\": [\"dash\", \"coreutils\"]}", "{}", ":18: install", "has to say how"},
        {"\"title\": \"A thing\",", "\"title\": \"A thing\", \"name\": \"thing\",", ":3: name",
         "twice"},
        {"\"title\": \"A thing\",", "\"title\": \"A thing\"", "thing.json:5", "not JSON"},
    };
    for (Case const& one : cases) {
        iso::Error const problem = problem_with(with(one.old, one.replacement));
        INFO(one.old << " -> " << one.replacement << ": " << problem.message());
        CHECK_THAT(problem.op, Catch::EndsWith(one.place) || Catch::Contains(one.place));
        CHECK_THAT(problem.cause, Catch::Contains(one.cause));
    }
    CHECK_THAT(problem_with("[]").cause, Catch::Contains("not a JSON object"));
    CHECK_THAT(problem_with("").cause, Catch::Contains("not JSON"));
    CHECK_THAT(problem_with(with("\"caveats\"", "\"caveast\"")).hint, Catch::Contains("caveats"));
}

TEST_CASE("placeholders are filled in, and the arguments become words") {
    auto const peer = parse_peer("/p/thing.json", k_good).value();
    PeerValues values;
    values.args = {"a b", "{root}"};
    values.texts = {{"root", "/r"},
                    {"program", "/bin/x"},
                    {"tool:env", "/usr/bin/env"},
                    {"id", "i1"},
                    {"scratch", "/s"}};
    CHECK(fill(peer.run, values) == Words{"sh", "/r", "/usr/bin/env", "/bin/x", "a b", "{root}"});
    CHECK(fill(peer.environment, values) == Words{"HOME=/s"});
    auto const filled = fill(peer.files.at("a.json"), values);
    CHECK(filled.dump() == R"({"args":["/bin/x","a b","{root}"],"n":1})");
}

TEST_CASE("every peer that comes with isolab is described without a mistake") {
    std::string const own = iso::own_directory().value();
    auto const peers = load_peers(own.substr(0, own.rfind('/')) + "/peers");
    if (!peers) FAIL(peers.error().message());
    CHECK_FALSE(peers->empty());
}

TEST_CASE("a directory of peers that is not there is an error with the next step") {
    auto const peers = load_peers("/no/such/directory");
    REQUIRE_FALSE(peers);
    CHECK(peers.error().exit_status == iso::exit_code::usage);
    CHECK_THAT(peers.error().message(), Catch::Contains("/no/such/directory"));
}
