// hello: the shortest program there is. Its entry time, against the time at which the harness
// started it, is the start-up of whatever runs it.
#include "benchmarks/workloads/runtime/workload.hpp"

namespace iso::workload {

char const* const k_name = "hello";
Parameter* const k_parameters[] = {nullptr};
size_t const k_parameter_count = 0;

Outcome run() {
    Outcome outcome;
    outcome.measured = false;
    return outcome;
}

} // namespace iso::workload
