// Thousands of crossings with a tick each millisecond: no hang, no lost page, the native result.
#include "tests/security/paravirt/engine.hpp"

namespace {

using namespace iso;

std::string const k_stress = test::k_programs + "/pv_stress";

void stress(std::string const& rounds, std::vector<std::string> const& options) {
    auto const native = run_and_capture({k_stress, rounds}, 60'000'000'000);
    REQUIRE(native);
    REQUIRE(native->exit_status() == 0);
    test::Launch launch;
    launch.command = {test::k_engine, "run", "--tick=1ms", "--timeout=120s"};
    launch.command.insert(launch.command.end(), options.begin(), options.end());
    launch.command.insert(launch.command.end(), {"--", k_stress, rounds});
    launch.patience_ns = 150'000'000'000;
    test::Ran const ran = test::launch(launch);
    INFO(ran.err);
    CHECK(ran.status == 0);
    CHECK_FALSE(ran.hung);
    CHECK(ran.strays.empty());
    CHECK(ran.out == native->out);
    WARN(rounds << " rounds in " << (ran.ended_ns - ran.began_ns) / 1'000'000 << " ms");
}

} // namespace

TEST_CASE("500 rounds across the boundary under ticks", "[stress]") {
    if (!test::engine_works()) return;
    stress("500", {});
    stress("500", {"--cores=2", "--spin"});
}

TEST_CASE("10000 rounds across the boundary under ticks", "[stress][slow]") {
    if (!test::engine_works()) return;
    stress("10000", {});
}
