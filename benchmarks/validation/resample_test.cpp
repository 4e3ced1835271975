// What docs/gate.md says of the gate's false alarms and of its power, from the blocks that were
// measured for it: a change of the rule that costs either is seen here.
#include "benchmarks/gate/gate_options.hpp"
#include "benchmarks/statistics/random.hpp"
#include "benchmarks/validation/resample.hpp"
#include "tests/support/catch.hpp"

using namespace iso::bench;
using namespace iso::bench::validation;

namespace {

/// So many blocks in which head takes `cost` times as long, each run `spread` off at most.
Pool made_up(std::size_t blocks, double cost, double spread) {
    Pool pool{"cpu-int", "isolate", 1000, cost - 1, "made up", {}};
    Random random(5);
    for (std::size_t i = 0; i < blocks; ++i) {
        PoolBlock block;
        for (std::size_t run = 0; run < 3; ++run) {
            double const off = spread * (static_cast<double>(random.below(2001)) / 1000 - 1);
            double const us = 40'000 * (run == 2 ? cost : 1) * (1 + off);
            block[run] = {2000 + static_cast<std::uint64_t>(us),
                          2100 + static_cast<std::uint64_t>(us), 2000, 2100};
        }
        pool.blocks.push_back(block);
    }
    return pool;
}

} // namespace

TEST_CASE("a pool is what it was after writing and reading, and a cut one is refused") {
    Pool const pool = made_up(3, 1.03, 0.01);
    std::string const text = to_text(pool);
    auto const read = parse_pool(text);
    REQUIRE(read);
    CHECK(to_text(*read) == text);
    CHECK(read->inject == Approx(0.03));
    CHECK_FALSE(parse_pool(""));
    CHECK_FALSE(parse_pool(text.substr(0, text.size() - 4)));
}

TEST_CASE("a replayed gate run stops by the gate's rule and is judged by it") {
    Judgement const quiet = replay(made_up(150, 1.03, 0.002), 5, {0, 1, 2}, {}, 120);
    CHECK(quiet.exit_status() == 1);
    CHECK(quiet.cells.front().n == 10); // as few as there may be
    CHECK(quiet.cells.front().change == Approx(0.03).margin(0.002));
    Judgement const noisy = replay(made_up(150, 1.0, 0.2), 5, {0, 1, 2}, {}, 120);
    CHECK(noisy.exit_status() == 3);
    CHECK(noisy.cells.front().n == 120); // as many
}

TEST_CASE("the same is exchanged for the same, and never for what was slowed down") {
    CHECK(resample(made_up(150, 1.0, 0.01), 50, 1, {}, 120).by_status[0] == 50);
    CHECK(resample(made_up(150, 1.1, 0.01), 50, 1, {}, 120).by_status[1] == 50);
    CHECK(resample_blocks(made_up(150, 1.0, 0.01), 50, 1, {}, 120).by_status[0] == 50);
    CHECK(resample_blocks(made_up(150, 1.1, 0.01), 50, 1, {}, 120).by_status[1] == 50);
}

TEST_CASE("out of the blocks that were measured the gate finds what docs/gate.md says") {
    auto tally = [](char const* name) {
        Pool const pool = read_pool(std::string(ISO_POOL_DIR) + "/" + name).value();
        return resample_blocks(pool, 100, 1, {}, GateOptions().blocks);
    };
    CHECK(tally("pool-same.jsonl").by_status[1] == 0);
    CHECK(tally("pool-3-percent.jsonl").by_status[1] >= 95);
    CHECK(tally("pool-10-percent.jsonl").by_status[1] >= 99);
}
