#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace iso::bench {

/// What kind of cost a workload shows; decides the metric and the comparison.
enum class Kind {
    compute,   ///< ratio of CPU time to native, start-up taken off
    latency,   ///< ratio of the workload's own time per operation to native
    start_up,  ///< milliseconds added to native
    density,   ///< of many instances that wait: memory of each, and the start of one more
    neighbour, ///< own time beside another instance, divided by own time alone
    program,   ///< any ELF: wall milliseconds added, and ratio of CPU time
};

[[nodiscard]] std::string_view to_string(Kind kind);

/// Of one operation's time, and the deciding metric in words.
[[nodiscard]] std::string_view unit_of(Kind kind);
[[nodiscard]] std::string_view metric_of(Kind kind);

/// A section of the table. `name` is also a word for --workloads.
struct Group {
    std::string_view name;
    std::string_view title;
    std::string_view about; ///< a sentence for the documentation
};

/// A file that runs, and what it can be told.
struct Program {
    std::string_view name;      ///< the file's
    std::string_view arguments; ///< "ops=2048 pages=2048": every argument with its default
};

/// One row of the table: a program, run in one way.
struct Workload {
    std::string_view name;
    std::string_view program = {}; ///< empty: of the same name
    std::string_view group;        ///< a Group's name
    std::string_view title;        ///< a few words: the axis
    std::string_view measures;     ///< a sentence: what one operation is, and what it makes visible
    Kind kind = Kind::compute;
    std::uint64_t ops = 0;                 ///< operations per sample; 0: the workload has no loop
    std::uint64_t quick_ops = 0;           ///< the same with --quick
    std::string_view arguments = {};       ///< where this row differs from the program's defaults
    std::string_view quick_arguments = {}; ///< more with --quick
    std::string_view needs = {};           ///< of the kernel, beyond memory and time
    bool by_default = false;               ///< measured when nobody says which
    unsigned blocks_per_round = 1;         ///< short samples are taken more often
    std::string_view neighbour = {};       ///< arguments of the program beside it
    bool neighbour_here = false;           ///< it has the same CPU, instead of another
    bool on_disk = false; ///< dir= is a new directory on a disk of the host, or of the guest

    [[nodiscard]] std::string_view file() const { return program.empty() ? name : program; }
};

/// The sections and the rows in the order of the table.
std::span<Group const> groups();
std::span<Workload const> workloads();
std::span<Program const> programs();

/// nullptr when there is none of that name.
Workload const* find_workload(std::string_view name);
Group const* find_group(std::string_view name);
Program const& program_of(Workload const& workload);

/// "a=1 b=2" as {"a=1", "b=2"}.
std::vector<std::string> split_words(std::string_view text);

} // namespace iso::bench
