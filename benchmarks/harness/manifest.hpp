#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace iso::bench {

/// What kind of cost a workload shows; decides the metric, the comparison and the table's section.
enum class Kind {
    compute,  ///< ratio of CPU time to native, start-up taken off
    latency,  ///< ratio of the workload's own time per operation to native
    start_up, ///< milliseconds added to native
    program,  ///< any ELF: wall milliseconds added, and ratio of CPU time
};

[[nodiscard]] std::string_view to_string(Kind kind);

/// One of the project's workloads, as the harness knows it.
struct Workload {
    std::string_view name;     ///< also its file name
    std::string_view title;    ///< a few words
    std::string_view measures; ///< a sentence: what one operation is, and what it makes visible
    Kind kind = Kind::compute;
    std::uint64_t ops = 0;                ///< operations per sample; 0: the workload has no loop
    std::uint64_t quick_ops = 0;          ///< the same with --quick
    std::string_view unit;                ///< of one operation's time
    std::string_view metric;              ///< the deciding one, in words
    std::string_view quick_argument = {}; ///< one more with --quick, or none
    unsigned blocks_per_round = 1;        ///< short samples are taken more often
};

/// The workloads in the order of the tables.
std::span<Workload const> workloads();

/// nullptr when there is none of that name.
Workload const* find_workload(std::string_view name);

} // namespace iso::bench
