// What a guest does on a processor that virtualizes in hardware without its hypervisor.
#include "tests/conformance/arena.hpp"

#include <algorithm>

namespace {

using namespace iso::test;
using Counters = std::map<std::string, std::uint64_t>;

struct Operation {
    char const* workload;
    std::vector<std::string> arguments;
    std::uint64_t few, many; ///< operations
};

iso::RunReport report_of(Arena const& arena, Operation const& operation, std::uint64_t ops) {
    Job job;
    job.program = workload(operation.workload);
    job.arguments = operation.arguments;
    job.arguments.push_back("ops=" + std::to_string(ops));
    Ran const ran = arena.run(job);
    INFO(ran.err);
    REQUIRE(ran.status == 0);
    return Arena::report(ran);
}

/// All exits but those for the host's own interrupts, which come with time and not with work.
std::uint64_t exits(Counters const& counters) {
    auto const count = [&](char const* name) {
        auto const found = counters.find(name);
        return found == counters.end() ? 0 : found->second;
    };
    return count("kvm.exits") - count("kvm.irq_exits");
}

} // namespace

// The guest's own clock interrupts it a few times a second, which are exits too: an operation that
// took one would show ten times over what is allowed here.
TEST_CASE("vmm-mini: null calls, page faults and context switches take no exit on hardware",
          "[vmm-mini][hardware]") {
    with_engine("vmm-mini", "kvm", [](Arena const& arena) {
        for (Operation const& operation : {
                 Operation{"syscall-null", {}, 100, 20'100},
                 Operation{"page-fault", {"pages=64"}, 64, 6'464},
                 Operation{"pipe-pingpong", {}, 10, 1'010},
                 Operation{"futex-pingpong", {}, 10, 1'010},
             }) {
            INFO(operation.workload);
            iso::RunReport const few = report_of(arena, operation, operation.few);
            if (few.backend == "kvm_pvm")
                ISO_SKIP("kvm-hw", "kvm_pvm emulates the guest's ring 0; the test VM has kvm_amd");
            iso::RunReport const many = report_of(arena, operation, operation.many);
            REQUIRE(exits(few.counters) > 0); // it was counted
            std::uint64_t const more =
                exits(many.counters) - std::min(exits(few.counters), exits(many.counters));
            INFO(more << " exits more for " << operation.many - operation.few << " operations");
            CHECK(more * 10 < operation.many - operation.few);
        }
    });
}
