#include "isolate/spec/key_options.hpp"
#include "isolate/spec/keys.hpp"
#include "isolate/spec/spec_json.hpp"
#include "isolate/spec/spec_samples.hpp"
#include "tests/support/catch.hpp"

#include <CLI/CLI.hpp>

#include <set>

namespace {

using namespace iso;
using namespace iso::jail;

JailSpec read(std::vector<KeyValue> const& said) {
    JailSpec spec;
    auto const done = apply(said, spec, "/base");
    if (!done) FAIL(done.error().message());
    return spec;
}

std::string refusal(char const* key, std::string const& value) {
    REQUIRE(find_key(key) != nullptr);
    JailSpec spec;
    auto const done = apply({{find_key(key), value}}, spec, "/base");
    INFO(key << " " << value);
    REQUIRE_FALSE(done);
    CHECK(done.error().op == std::string("--") + key);
    CHECK_FALSE(done.error().hint.empty());
    return done.error().cause;
}

} // namespace

TEST_CASE("every key has a name of its own, a form, a sentence, and takes its example") {
    std::set<std::string> names;
    for (Key const& key : keys()) {
        INFO(key.name);
        CHECK(names.insert(key.name).second);
        CHECK(find_key(key.name) == &key);
        CHECK(*key.form != '\0');
        CHECK(std::string(key.help).size() > 10);
        CHECK_FALSE(std::string(key.help).ends_with("."));
        JailSpec spec;
        auto const done = apply({{&key, key.example}}, spec, "/base");
        if (!done) FAIL(done.error().message());
        CHECK(spec != JailSpec{}); // an example that says something
    }
    CHECK(names.size() > 50);
}

TEST_CASE("every jail can be said in keys, and is the same again", "[random]") {
    CHECK(said_of({}).empty());
    for (int seed = 0; seed < 2000; ++seed) {
        JailSpec const spec = samples::jail(seed);
        JailSpec const again = read(said_of(spec));
        INFO("seed " << seed << "\n" << spec_to_json(spec) << "again\n" << spec_to_json(again));
        REQUIRE(again == spec);
    }
}

TEST_CASE("options on a command line are taken in their order") {
    CLI::App app;
    std::vector<KeyValue> said;
    app.add_option_function<std::string>("--memory", [](std::string const&) {});
    add_key_options(app, said);
    std::vector<std::string> words{"--mount=type=tmpfs,target=/run",
                                   "--add",
                                   "/etc:/e",
                                   "--mount",
                                   "source=data,target=/data",
                                   "--terminal",
                                   "--standard-mounts=no",
                                   "--memory",
                                   "5"};
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    app.parse(reversed);
    JailSpec const spec = read(said);
    REQUIRE(spec.mounts.size() == 3);
    CHECK(spec.mounts[0].target == "/run");
    CHECK(spec.mounts[1].target == "/e");
    CHECK(spec.mounts[1].read_only);
    CHECK(spec.mounts[2].source == "/base/data");
    CHECK(spec.process.terminal);
    CHECK_FALSE(spec.standard_mounts);
    CHECK_FALSE(spec.limits.memory); // the option that was there before is its owner's
}

TEST_CASE("values that say nothing sensible are refused, and the message says what is allowed") {
    CHECK_THAT(refusal("memory", "12Q"), Catch::Contains("'12Q' is unknown unit"));
    CHECK_THAT(refusal("pids", "1"), Catch::Contains("is not allowed"));
    CHECK_THAT(refusal("workdir", "srv"), Catch::Contains("not an absolute path"));
    CHECK_THAT(refusal("workdir", "/srv/../etc"), Catch::Contains("'..'"));
    CHECK_THAT(refusal("mount", "type=tmpfs"), Catch::Contains("says no target"));
    CHECK_THAT(refusal("mount", "target=/x"), Catch::Contains("without a source"));
    CHECK_THAT(refusal("mount", "target=/x,,ro"), Catch::Contains("empty part"));
    CHECK_THAT(refusal("mount", "target=/x\\"), Catch::Contains("backslash"));
    CHECK_THAT(refusal("uid-map", "0:4294967294:2"), Catch::Contains("beyond the last id"));
    CHECK_THAT(refusal("namespace", "pod=host"), Catch::Contains("'pod' is not known"));
    CHECK_THAT(refusal("namespace", "pid=moon"), Catch::Contains("whence"));
    CHECK_THAT(refusal("rlimit", "nofile=5:4"), Catch::Contains("above the hard"));
    CHECK_THAT(refusal("rlimit", "files=5"), Catch::Contains("no resource"));
    CHECK_THAT(refusal("capabilities", "chown,fly"), Catch::Contains("'fly' is no capability"));
    CHECK_THAT(refusal("seccomp", "strict"), Catch::Contains("no filter"));
    CHECK_THAT(refusal("device-rule", "allow,c,1:3"), Catch::Contains("no rule"));
    CHECK_THAT(refusal("hook", "sometimes,path=/x"), Catch::Contains("no moment"));
    CHECK_THAT(refusal("name", "../web"), Catch::Contains("no name"));
    CHECK_THAT(refusal("hostname", std::string(65, 'a')), Catch::Contains("too long"));
    CHECK_THAT(refusal("env", "=x"), Catch::Contains("NAME=VALUE"));
    CHECK_THAT(refusal("cpus", "1e9"), Catch::Contains("no count"));
    CHECK_THAT(refusal("cpus", "nan"), Catch::Contains("no count"));
    // What is quoted cannot act on the terminal that shows it.
    CHECK(refusal("network", "\x1b[2J").find('\x1b') == std::string::npos);
    CHECK(similar_keys("memmory") == "memory");
    CHECK(similar_keys("frobnicate").empty());
}
