#include "benchmarks/harness/lineup.hpp"
#include "benchmarks/harness/manifest.hpp"
#include "benchmarks/harness/results_json.hpp"
#include "benchmarks/harness/verbs.hpp"

#include <fmt/format.h>

#include <unistd.h>

namespace iso::bench {

Result<int> verb_list(Places const& places, bool json) {
    if (json) {
        fmt::print("{}", list_json(places.workloads));
        return exit_code::done;
    }
    fmt::print("Workloads (in {})\n", places.workloads);
    for (Workload const& workload : workloads()) {
        std::string const path = fmt::format("{}/{}", places.workloads, workload.name);
        bool const built = ::access(path.c_str(), X_OK) == 0;
        fmt::print("\n  {:<14} {} [{}]{}\n", workload.name, workload.title,
                   to_string(workload.kind), built ? "" : "   (not built; try: ./isolab build)");
        fmt::print("    measures   {}\n", workload.measures);
        fmt::print("    metric     {}, {}\n", workload.metric, workload.unit);
        if (workload.ops != 0)
            fmt::print("    arguments  ops={} (--quick: ops={} {}), identity=1\n", workload.ops,
                       workload.quick_ops, workload.quick_argument);
        else
            fmt::print("    arguments  identity=1\n");
    }
    fmt::print(
        "\n  Any static x86-64 ELF is a workload, too: isobench compare -- PROGRAM [ARG...]\n");
    fmt::print("\nEngines\n");
    for (auto const& engine : make_engines(places.engines))
        fmt::print("  {:<14} {}\n", engine->name(),
                   engine->technique() == "none" ? "no isolation: what the others are compared with"
                                                 : engine->technique());
    fmt::print("\n  Which of them work here, and if not, why: isobench probe\n");
    return exit_code::done;
}

} // namespace iso::bench
