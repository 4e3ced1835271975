#include "benchmarks/harness/schedule.hpp"

#include "benchmarks/statistics/random.hpp"

#include <algorithm>

namespace iso::bench {

std::vector<Slot> block_order(std::uint64_t seed, std::string_view workload, std::uint64_t block,
                              std::vector<std::size_t> const& arms, bool with_baseline) {
    Random random(derive_seed(seed, workload, (block + 1) / 2));
    std::vector<std::size_t> order = arms;
    random.shuffle(order);
    std::vector<Slot> slots;
    for (std::size_t const arm : order) {
        if (!with_baseline) {
            slots.push_back({arm, Role::measure});
            continue;
        }
        bool const baseline_first = random.below(2) == 0;
        slots.push_back({arm, baseline_first ? Role::baseline : Role::measure});
        slots.push_back({arm, baseline_first ? Role::measure : Role::baseline});
    }
    if (block % 2 == 0) std::reverse(slots.begin(), slots.end());
    return slots;
}

} // namespace iso::bench
