#include "benchmarks/harness/beside.hpp"

#include "benchmarks/harness/instance.hpp"
#include "benchmarks/harness/strays.hpp"
#include "common/clock.hpp"
#include "common/scope_exit.hpp"

namespace iso::bench {

namespace {

/// Why the neighbour does not do what it is there for; neither: it does.
struct Trouble {
    std::string failure;
    std::string not_available;
    bool interrupted = false;

    [[nodiscard]] bool any() const {
        return interrupted || !failure.empty() || !not_available.empty();
    }
};

Trouble await_neighbour(Instance& neighbour, std::uint64_t deadline_ns, Interrupts& interrupts) {
    Instance::Heard const heard = neighbour.wait_for_line(deadline_ns, interrupts);
    if (heard == Instance::Heard::interruption) return {"interrupted", {}, true};
    if (heard != Instance::Heard::line) return {"the neighbour " + neighbour.why_not(heard), {}};
    auto const line = neighbour.line();
    if (!line) return {"the neighbour: " + line.error().cause, {}};
    if (!line->not_available.empty()) return {{}, "its neighbour cannot: " + line->not_available};
    return {};
}

} // namespace

Result<Taken> take_beside(SampleRequest const& request, SampleRequest const& neighbour,
                          Interrupts& interrupts) {
    std::vector<Instance> others;
    ScopeExit const end([&] { end_instances(others, *neighbour.engine); });
    others.push_back(TRY(Instance::start(neighbour)));
    std::uint64_t const deadline =
        monotonic_ns() + (neighbour.timeout_ns != 0 ? neighbour.timeout_ns : 60'000'000'000);
    Trouble const trouble = await_neighbour(others.front(), deadline, interrupts);
    if (trouble.any()) {
        Taken none;
        none.sample.arm = request.engine->name();
        none.sample.at_ns = others.front().spawn_ns();
        none.sample.wall_ns = monotonic_ns() - none.sample.at_ns;
        none.sample.failure = trouble.failure;
        none.sample.not_available = trouble.not_available;
        none.raw.interrupted = trouble.interrupted;
        return none;
    }
    KeptChildren const kept; // what belongs to the neighbour is not the sample's to leave behind
    Taken taken = TRY(take_sample(request, interrupts));
    if (taken.sample.good() && others.front().ended())
        taken.sample.failure = "the neighbour ended before the sample did";
    return taken;
}

} // namespace iso::bench
