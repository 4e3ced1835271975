#include "benchmarks/harness/results.hpp"

#include <algorithm>

namespace iso::bench {

std::string_view to_string(Status status) {
    switch (status) {
    case Status::ok:
        return "ok";
    case Status::unavailable:
        return "unavailable";
    case Status::failed:
        return "failed";
    case Status::void_:
        return "void";
    case Status::incomplete:
        return "incomplete";
    case Status::inconclusive:
        return "inconclusive";
    }
    return "incomplete";
}

std::string_view to_string(Comparison comparison) {
    if (comparison == Comparison::alone) return "alone";
    return comparison == Comparison::ratio ? "ratio" : "added";
}

bool Results::complete() const {
    return std::all_of(cells.begin(), cells.end(), [](Cell const& cell) {
        if (cell.status == Status::incomplete && !cell.deciding) return true;
        return cell.status == Status::ok || cell.status == Status::unavailable ||
               cell.status == Status::inconclusive;
    });
}

Cell const* Results::find(std::string_view workload, std::string_view metric,
                          std::string_view engine) const {
    auto const found = std::find_if(cells.begin(), cells.end(), [&](Cell const& cell) {
        return cell.workload == workload && cell.metric == metric && cell.engine == engine;
    });
    return found == cells.end() ? nullptr : &*found;
}

} // namespace iso::bench
