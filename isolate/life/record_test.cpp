#include "isolate/life/record.hpp"
#include "tests/support/catch.hpp"

using namespace iso;
using namespace iso::jail;

namespace {

Record sample() {
    Record record;
    record.name = "web-1";
    record.status = Status::paused;
    record.init = {4711, 123456789};
    record.keeper = {4710, 123456780};
    record.boot = "b0071d";
    record.created_at = 1'700'000'000;
    record.bundle = "/b";
    record.root = "/r";
    record.command = {"/bin/sh", "-c", "echo \"\n\xff"};
    record.annotations = {{"a", "b"}};
    record.group = "1 /sys/fs/cgroup/memory /x memory\n";
    record.uid = 1000;
    record.detached = record.temporary = record.terminal = record.has_network = true;
    record.own_init = false;
    record.timeout_ns = 5;
    return record;
}

} // namespace

TEST_CASE("what is known of a jail survives the disk") {
    Record const before = sample();
    auto const after = parse_record(to_json(before));
    REQUIRE(after);
    CHECK(after->name == before.name);
    CHECK(after->status == before.status);
    CHECK(after->init == before.init);
    CHECK(after->keeper == before.keeper);
    CHECK(after->group == before.group);
    CHECK(after->command.size() == 3);
    CHECK(after->own_init == false);
    CHECK(after->timeout_ns == 5);
    CHECK(to_json(*after) == to_json(*parse_record(to_json(*after))));

    auto const ending = parse_ending(to_json(Ending{137, "signalled", 9}));
    REQUIRE(ending);
    CHECK(ending->exit_status == 137);
    CHECK(ending->how == "signalled");
}

TEST_CASE("a state that is none is refused in words") {
    std::string const good = to_json(sample());
    auto with = [&](std::string const& from, std::string const& to) {
        std::string text = good;
        auto const at = text.find(from);
        REQUIRE(at != std::string::npos);
        return text.replace(at, from.size(), to);
    };
    for (std::string const& bad :
         {std::string(), std::string("null"), std::string("[]"), std::string("{}"),
          good.substr(0, good.size() / 2), with("isolab.jail/1", "isolab.jail/2"),
          with("\"web-1\"", "\"../../etc\""), with("\"paused\"", "\"flying\""),
          with("4711", "\"4711\""), with("\"/bin/sh\"", "1")}) {
        auto const read = parse_record(bad);
        REQUIRE_FALSE(read);
        CHECK_FALSE(read.error().cause.empty());
    }
    CHECK_FALSE(parse_ending("{\"exit_status\": \"0\"}"));
    CHECK_FALSE(parse_ending("}"));
}
