#include "benchmarks/harness/lineup.hpp"
#include "benchmarks/harness/list_text.hpp"
#include "benchmarks/harness/results_json.hpp"
#include "benchmarks/harness/verbs.hpp"

#include <fmt/format.h>

namespace iso::bench {

Result<int> verb_list(Places const& places, bool json, bool markdown) {
    if (json || markdown) {
        fmt::print("{}", json ? list_json(places.workloads) : list_markdown());
        return exit_code::done;
    }
    fmt::print("{}\nEngines\n", list_text(places.workloads));
    for (auto const& engine : make_engines(places.engines))
        fmt::print("  {:<14} {}\n", engine->name(),
                   engine->technique() == "none" ? "no isolation: what the others are compared with"
                                                 : engine->technique());
    fmt::print("\n  Which of them work here, and if not, why: isobench probe\n");
    return exit_code::done;
}

} // namespace iso::bench
