#include "benchmarks/validation/resample.hpp"

#include "benchmarks/gate/family_of.hpp"
#include "benchmarks/gate/interleaved.hpp"
#include "benchmarks/statistics/random.hpp"

#include <algorithm>

namespace iso::bench::validation {

Judgement replay(Pool const& pool, std::size_t first, std::array<std::size_t, 3> const& roles,
                 GateRule const& rule, std::uint64_t most_blocks) {
    std::vector<Sample> const samples = samples_of(pool, first, most_blocks, roles);
    std::size_t const of_a_block = samples.size() / most_blocks;
    auto cells_after = [&](std::uint64_t blocks) {
        return cells_of_run(std::span(samples).first(blocks * of_a_block), record_of(pool, blocks),
                            {pool.engine});
    };
    std::uint64_t blocks = std::min(fewest_blocks(1, rule), most_blocks);
    while (blocks < most_blocks && !enough(cells_after(blocks), rule))
        ++blocks;
    return judge(cells_after(blocks), rule);
}

namespace {

/// One run from block `first`, with its roles drawn, added to the tally.
void add_run(Tally& tally, Pool const& pool, std::size_t first, Random& random,
             GateRule const& rule, std::uint64_t most_blocks) {
    std::vector<std::size_t> same{0, 1};
    if (pool.inject == 0) same.push_back(2);
    random.shuffle(same);
    Judgement const judgement =
        replay(pool, first, {same[0], same[1], same.size() == 3 ? same[2] : 2}, rule, most_blocks);
    ++tally.by_status[static_cast<std::size_t>(judgement.exit_status())];
    tally.blocks += judgement.cells.front().n;
}

} // namespace

Tally resample(Pool const& pool, std::uint64_t runs, std::uint64_t seed, GateRule const& rule,
               std::uint64_t most_blocks) {
    Random random(seed);
    Tally tally;
    for (std::uint64_t run = 0; run < runs; ++run)
        add_run(tally, pool, random.below(pool.blocks.size() - most_blocks + 1), random, rule,
                most_blocks);
    return tally;
}

Tally resample_blocks(Pool const& pool, std::uint64_t runs, std::uint64_t seed,
                      GateRule const& rule, std::uint64_t most_blocks) {
    Random random(seed);
    Tally tally;
    Pool drawn = pool;
    drawn.blocks.resize(most_blocks);
    for (std::uint64_t run = 0; run < runs; ++run) {
        for (PoolBlock& block : drawn.blocks)
            block = pool.blocks[random.below(pool.blocks.size())];
        add_run(tally, drawn, 0, random, rule, most_blocks);
    }
    return tally;
}

} // namespace iso::bench::validation
