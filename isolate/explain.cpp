#include "isolate/explain.hpp"

#include "isolate/seccomp_profile.hpp"

#include <fmt/format.h>

#include <iterator>

namespace iso::jail {

namespace {

double microseconds(std::uint64_t from, std::uint64_t to) {
    return to > from ? static_cast<double>(to - from) / 1000.0 : 0;
}

struct Row {
    char const* what;
    std::string how;
    char const* without;
};

std::string filter_text(JailPlan const& plan) {
    return fmt::format(
        "a filter of {} instructions refuses {} calls, unknown ones, and the i386 and x32 tables",
        plan.filter.size(), denied_calls().size());
}

std::string memory_text(MemoryLimit memory, RunReport const& report) {
    auto const text = report.facts.find("memory.limit");
    return memory == MemoryLimit::none || text == report.facts.end() ? "not limited (--memory)"
                                                                     : text->second;
}

} // namespace

std::string explain(JailPlan const& plan, Shared const& shared, RunReport const& report,
                    MemoryLimit memory) {
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
        fmt::format_to(out,
                       "  {:>8.1f}  {:<58} a process in eight new namespaces: user, mount, pid, "
                       "net, ipc, uts, cgroup, time\n",
                       static_cast<double>(clone_ns) / 1000.0,
                       "clone3(CLONE_NEWUSER|NEWNS|NEWPID|NEWNET|NEWIPC|NEWUTS|NEWCGROUP|NEWTIME)");
    };
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
        if (i == plan.parent_steps) tell_clone();
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

    bool const has_sys = !report.facts.contains("refused");
    Row const rows[] = {
        {"processes", "a pid namespace: the program sees its own tree, below process 1",
         "every process of the host"},
        {"files",
         "an empty read-only root with the program, /proc, /dev, /tmp; the host's tree is "
         "unmounted",
         "every file you may read"},
        {"/proc, /sys",
         has_sys ? "its own, read-only, dangerous parts masked"
                 : "its own /proc, read-only; /sys is empty: the kernel refused a new one",
         "kernel settings, other people's processes"},
        {"network", "its own, with nothing but lo",
         "every network and abstract socket of the host"},
        {"users", fmt::format("uid 0 inside is {} outside; no other id exists", plan.ids.host_uid),
         "your own rights, set-user-id programs"},
        {"capabilities",
         "none, and none to be had: bounding set empty, no_new_privs, securebits locked",
         "what you have (root: all)"},
        {"system calls", filter_text(plan), "all of them"},
        {"shared memory", "its own System V and POSIX queues",
         "other programs' queues and segments"},
        {"host name", "its own", "the host's"},
        {"control groups", "a cgroup namespace, no cgroup file system",
         "the names of the groups it is in"},
        {"time",
         "a time namespace with zero offsets: CLOCK_MONOTONIC stays the host's, so times compare",
         "the same clock"},
        {"memory", memory_text(memory, report), "all memory of the machine"},
        {"descriptors", "0, 1 and 2", "whatever the caller left open"},
    };
    fmt::format_to(out, "  isolated:\n");
    for (Row const& row : rows)
        fmt::format_to(out, "    {:<15} {}\n{:20}without it: {}\n", row.what, row.how, "",
                       row.without);
    fmt::format_to(out, "  shared: the kernel itself, the processors and their caches, the page "
                        "cache, the wall clock\n");
    return text;
}

} // namespace iso::jail
