#include "common/json.hpp"
#include "isolate/spec/fields.hpp"
#include "isolate/spec/json_text.hpp"
#include "isolate/spec/spec_json.hpp"
#include "isolate/spec/spec_samples.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/mutation.hpp"

namespace {

using namespace iso;
using namespace iso::jail;

std::string state_refusal(std::string const& text) {
    auto const spec = spec_from_json(text, "state");
    REQUIRE_FALSE(spec);
    return spec.error().op + ": " + spec.error().cause;
}

} // namespace

// A structured binding names every member, or does not compile: a member that is new in spec.hpp
// and not in the lists of fields.hpp stops here, before a state file loses it.
#define ISO_EVERY_MEMBER(Struct, count, ...)                                                       \
    TEST_CASE("the state file has every member of " #Struct) {                                     \
        Struct const value{};                                                                      \
        [[maybe_unused]] auto const& [__VA_ARGS__] = value;                                        \
        using Fields = decltype(fields_of(&value));                                                \
        STATIC_REQUIRE(std::tuple_size_v<Fields> == (count));                                      \
    }
ISO_EVERY_MEMBER(RootSpec, 9, a, b, c, d, e, f, g, h, i)
ISO_EVERY_MEMBER(MountSpec, 9, a, b, c, d, e, f, g, h, i)
ISO_EVERY_MEMBER(DeviceSpec, 7, a, b, c, d, e, f, g)
ISO_EVERY_MEMBER(DeviceRule, 5, a, b, c, d, e)
ISO_EVERY_MEMBER(SeccompSpec, 4, a, b, c, d)
ISO_EVERY_MEMBER(IoLimit, 6, a, b, c, d, e, f)
ISO_EVERY_MEMBER(LimitSpec, 14, a, b, c, d, e, f, g, h, i, j, k, l, m, n)
ISO_EVERY_MEMBER(NetworkSpec, 6, a, b, c, d, e, f)
ISO_EVERY_MEMBER(ProcessSpec, 15, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o)
ISO_EVERY_MEMBER(Hook, 4, a, b, c, d)
ISO_EVERY_MEMBER(JailSpec, 23, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w)

TEST_CASE("a jail written as JSON and read again is the same jail", "[random]") {
    REQUIRE(spec_from_json(spec_to_json({}), "state").value() == JailSpec{});
    for (int seed = 0; seed < 2000; ++seed) {
        JailSpec const spec = samples::jail(seed);
        std::string const text = spec_to_json(spec);
        auto const again = spec_from_json(text, "state");
        INFO("seed " << seed << "\n" << text);
        if (!again) FAIL(again.error().message());
        REQUIRE(*again == spec);
    }
}

TEST_CASE("the state file is read strictly, and an error names the field") {
    auto in_jail = [](std::string const& jail) { return R"({"version":1,"jail":)" + jail + "}"; };
    struct Case {
        std::string text;
        char const* named;
    };
    std::vector<Case> const cases{
        {"", "state: "},
        {"{", "state: parse error at line 1, column 2"},
        {"[]", "state: [] is not an object"},
        {R"({"version":2,"jail":{}})", "state: version: 2"},
        {R"({"version":1.0,"jail":{}})", "state: version: 1.0"},
        {R"({"jail":{}})", "state: version: missing"},
        {R"({"version":1})", "state: jail: missing"},
        {R"({"version":1,"jail":{},"x":1})", "state: x: unknown field"},
        {in_jail("[]"), "state: jail: [] is not an object"},
        {in_jail(R"({"nmae":"x"})"), "state: jail.nmae: unknown field"},
        {in_jail(R"({"name":5})"), "state: jail.name: 5 is not text"},
        {in_jail(R"({"name":"a\u0000b"})"), "state: jail.name: "},
        {in_jail(R"({"name":{"hex":"6"}})"), "state: jail.name: "},
        {in_jail(R"({"name":{"hex":"6g"}})"), "state: jail.name: "},
        {in_jail(R"({"name":{"hex":"00"}})"), "state: jail.name: "},
        {in_jail(R"({"limits":{"memory":-1}})"), "state: jail.limits.memory: -1 is not a whole"},
        {in_jail(R"({"limits":{"memory":1.5}})"), "state: jail.limits.memory: 1.5 is not a whole"},
        {in_jail(R"({"limits":{"io":[{"major":1},{"mayor":1}]}})"),
         "state: jail.limits.io[1].mayor: unknown field"},
        {in_jail(R"({"uids":[{"inside":4294967296}]})"), "state: jail.uids[0].inside: 4294967296"},
        {in_jail(R"({"namespaces":{"pod":{}}})"), "state: jail.namespaces.pod: no namespace"},
        {in_jail(R"({"namespaces":{"pid":{"from":"moon"}}})"),
         "state: jail.namespaces.pid.from: \"moon\" is not fresh, host or path"},
        {in_jail(R"({"masked":{}})"), "state: jail.masked: {} is not a list"},
        {in_jail(R"({"name":"a","name":"b"})"), "state: the name 'name' stands twice"},
    };
    for (Case const& c : cases) {
        INFO(c.text);
        CHECK_THAT(state_refusal(c.text), Catch::StartsWith(c.named));
    }
}

TEST_CASE("JSON that is too deep, too much or too long is refused before it is kept") {
    CHECK_THAT(state_refusal(std::string(100'000, '[')),
               Catch::Contains("nested more than 32 deep"));
    std::string many = "[0";
    for (std::size_t i = 0; i < k_max_json_values; ++i)
        many += ",0";
    CHECK_THAT(state_refusal(many + "]"), Catch::Contains("more than 200000 values"));
    CHECK_THAT(state_refusal(std::string(k_max_json_bytes + 1, ' ')),
               Catch::Contains("bytes; at most"));
}

TEST_CASE("a mutated state file is refused in words, or is a jail that survives writing",
          "[random]") {
    iso::test::Mutations mutations("{}[]\",:0-9.e\\u");
    std::vector<std::string> texts;
    for (std::uint64_t seed = 0; seed < 50; ++seed)
        texts.push_back(spec_to_json(samples::jail(seed)));
    int accepted = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string const text = mutations.of(texts[static_cast<std::size_t>(round) % 50]);
        auto const spec = spec_from_json(text, "state");
        if (!spec) {
            REQUIRE_THAT(spec.error().op, Catch::StartsWith("state"));
            REQUIRE_FALSE(spec.error().cause.empty());
            continue;
        }
        ++accepted;
        REQUIRE(spec_from_json(spec_to_json(*spec), "state").value() == *spec);
    }
    CHECK(accepted > 100);
}
