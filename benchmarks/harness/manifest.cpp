#include "benchmarks/harness/manifest.hpp"

#include <algorithm>

namespace iso::bench {

std::string_view to_string(Kind kind) {
    switch (kind) {
    case Kind::compute:
        return "compute";
    case Kind::latency:
        return "latency";
    case Kind::start_up:
        return "start-up";
    case Kind::density:
        return "density";
    case Kind::neighbour:
        return "neighbour";
    case Kind::program:
        return "program";
    }
    return "compute";
}

std::string_view unit_of(Kind kind) {
    if (kind == Kind::density) return "KiB and ms";
    if (kind == Kind::neighbour) return "x alone";
    return kind == Kind::start_up || kind == Kind::program ? "ms" : "ns/op";
}

std::string_view metric_of(Kind kind) {
    switch (kind) {
    case Kind::compute:
        return "CPU time of the process tree, start-up subtracted";
    case Kind::latency:
        return "the workload's own time per operation";
    case Kind::density:
        return "memory of one more instance, and wall time to the first output of instance 1, 2, "
               "4, "
               "8, 16, 32, both added to native";
    case Kind::neighbour:
        return "the workload's own time beside another instance of the same engine, divided by "
               "that without, in the same block";
    case Kind::start_up:
    case Kind::program:
        return "wall time added to native";
    }
    return {};
}

Workload const* find_workload(std::string_view name) {
    auto const all = workloads();
    auto const found = std::find_if(
        all.begin(), all.end(), [&](Workload const& workload) { return workload.name == name; });
    return found == all.end() ? nullptr : &*found;
}

Group const* find_group(std::string_view name) {
    auto const all = groups();
    auto const found = std::find_if(all.begin(), all.end(),
                                    [&](Group const& group) { return group.name == name; });
    return found == all.end() ? nullptr : &*found;
}

Program const& program_of(Workload const& workload) {
    auto const all = programs();
    return *std::find_if(all.begin(), all.end(),
                         [&](Program const& program) { return program.name == workload.file(); });
}

std::vector<std::string> split_words(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        auto const end = std::min(text.find(' '), text.size());
        if (end != 0) words.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

} // namespace iso::bench
