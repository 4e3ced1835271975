#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace iso::bench {

/// What `isobench compare` was asked for.
struct CompareOptions {
    bool quick = false;
    bool pin = true;
    std::vector<std::string> engines;         ///< none: all
    std::string peers;                        ///< "all", or names with commas; none: no peers
    std::vector<std::string> workloads;       ///< names and groups; none: those by default
    std::vector<std::string> required;        ///< engines that must be usable
    std::vector<std::string> program;         ///< a program of the user's instead of our workloads
    std::optional<std::uint64_t> blocks;      ///< exactly so many, instead of as many as are useful
    std::optional<std::uint64_t> most_blocks; ///< instead of what is usual
    std::uint64_t rounds_wanted = 10; ///< that the time should have room for, by fewer operations
    std::uint64_t rounds_before_stopping = 10;
    bool counts = false; ///< count instead of timing
    bool explain = true; ///< measure unit costs and say where the time goes
    std::optional<std::uint64_t> time_budget_ns;
    std::uint64_t timeout_ns = 30'000'000'000; ///< of one sample
    std::uint64_t seed = 1;
    std::string json;               ///< where the results go; "-": stdout
    std::string resume;             ///< the result file of a comparison that was interrupted
    std::vector<std::string> given; ///< the names of the options on the command line
    std::string engine_directory;
    std::string workload_directory;
    std::string peer_directory;

    [[nodiscard]] std::uint64_t budget_ns() const {
        constexpr std::uint64_t second = 1'000'000'000;
        return time_budget_ns.value_or(blocks ? 3600 * second : quick ? 40 * second : 240 * second);
    }
};

} // namespace iso::bench
