#include "isolate/explain.hpp"

#include "isolate/summary.hpp"

#include <fmt/format.h>

#include <bit>
#include <iterator>

namespace iso::jail {

namespace {

double microseconds(std::uint64_t from, std::uint64_t to) {
    return to > from ? static_cast<double>(to - from) / 1000.0 : 0;
}

constexpr char const* k_why_clone = "a process in new namespaces";

std::string clone_text(JailPlan const& plan) {
    return "clone3(" + describe_namespaces(plan.clone_flags) + ")";
}

} // namespace

std::string explain(JailPlan const& plan, JailSpec const& spec, Shared const& shared,
                    RunReport const& report, MemoryLimit memory) {
    std::string text;
    auto const out = std::back_inserter(text);
    std::uint64_t before = shared.parent_ns;
    fmt::format_to(
        out,
        "isolate: how this jail was made (backend {}); times in microseconds, waiting included\n",
        report.backend);
    fmt::format_to(out,
                   "  {:>8.1f}  {:<58} the plan below, made before the child exists: it only "
                   "makes calls\n",
                   microseconds(report.phases.create.value_or(0), shared.parent_ns), "plan");
    auto tell_clone = [&] {
        before = shared.start_ns;
        if (!report.counters.contains("jail.clone_ns")) return;
        std::uint64_t const clone_ns = report.counters.at("jail.clone_ns");
        fmt::format_to(out, "  {:>8.1f}  {:<58} {}\n", static_cast<double>(clone_ns) / 1000.0,
                       clone_text(plan), k_why_clone);
    };
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
        if (i == plan.door_steps) tell_clone();
        Step const& step = plan.steps[i];
        std::uint64_t const end = step.op == Op::execute ? 0 : shared.step_end_ns[i];
        bool const reached = end != 0 || (step.op == Op::execute && shared.enter_ns != 0);
        if (!reached) continue;
        // The program's own steps happen inside its clone, which returns to process 1 only at
        // execve.
        if (step.op == Op::execute || step.op == Op::start_program) {
            fmt::format_to(out, "  {:>8}  {:<58} {}\n", "", describe(step), step.why);
        } else {
            fmt::format_to(out, "  {:>8.1f}  {:<58} {}\n", microseconds(before, end),
                           describe(step), step.why);
        }
        if (step.op == Op::start_program) {
            before = shared.load_ns;
        } else if (end != 0) {
            before = end;
        }
    }
    if (shared.enter_ns != 0)
        fmt::format_to(out, "  {:>8.1f}  in all, from the start of isolate to execve\n",
                       microseconds(report.phases.create.value_or(0), shared.enter_ns));
    return text + summary(plan, spec, report, memory);
}

std::string explain_plan(JailPlan const& plan, JailSpec const& spec, RunReport const& report,
                         MemoryLimit memory) {
    std::string text;
    auto const out = std::back_inserter(text);
    fmt::format_to(out, "isolate: how this jail would be made (backend {}); nothing was done\n",
                   report.backend);
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
        if (i == plan.door_steps)
            fmt::format_to(out, "  {:<58} {}\n", clone_text(plan), k_why_clone);
        fmt::format_to(out, "  {:<58} {}\n", describe(plan.steps[i]), plan.steps[i].why);
    }
    return text + summary(plan, spec, report, memory);
}

} // namespace iso::jail
