// idle: says that it runs, and waits until it is told to end. What an instance costs while it does
// nothing, and what starting one more costs then, is taken from outside.
#include "benchmarks/workloads/runtime/text.hpp"
#include "benchmarks/workloads/runtime/workload.hpp"

namespace iso::workload {

namespace {

constinit Parameter g_seconds{"seconds", 1};

/// As the first process of a namespace it would not hear SIGTERM without a handler
/// (pid_namespaces(7)).
void end(int /*signal*/) {
    linux_call::exit_with(0);
}

/// The kernel's struct sigaction (arch/x86/include/uapi/asm/signal.h). The handler never returns,
/// so the restorer is never called; the flag has to be there all the same.
struct Action {
    void (*handler)(int) = end;
    unsigned long flags = 0x04000000; // SA_RESTORER
    void (*restorer)(int) = end;
    unsigned long mask = 0;
};

} // namespace

char const* const k_name = "idle";
Parameter* const k_parameters[] = {&g_seconds};
size_t const k_parameter_count = 1;

Outcome run() {
    using namespace linux_call;
    constexpr long sigterm = 15;
    Action const action;
    need("rt_sigaction", call(rt_sigaction, sigterm, address(&action), 0, sizeof action.mask));
    Text line;
    line.add("{\"workload\":\"idle\",\"entry_ns\":").add_decimal(monotonic_ns()).add("}\n");
    if (write_all(1, line.data(), line.size()) != 0) fail("cannot write");
    struct {
        int64_t seconds;
        int64_t nanoseconds;
    } wait{static_cast<int64_t>(g_seconds.value), 0};
    while (call(nanosleep, address(&wait), address(&wait)) == -k_eintr) {
    }
    exit_with(0);
}

} // namespace iso::workload
