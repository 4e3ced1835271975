#include "isolate/oci/arrange.hpp"

#include "isolate/launch.hpp"

#include <algorithm>

namespace iso::jail {

namespace {

using Steps = std::vector<Step>;

Step make_step(Op op, char const* why) {
    return Step{.op = op, .why = why, .path = {}, .text = {}};
}

/// Before pivot_root(2): the place at which OCI's runtime hooks run (runtime.md, "Lifecycle").
void wait_for_hooks(JailPlan& plan) {
    auto const at = std::find_if(plan.steps.begin(), plan.steps.end(), [](Step const& step) {
        return step.op == Op::enter_root || step.op == Op::change_root;
    });
    auto const told = plan.steps.insert(at, make_step(Op::tell_parent, "the hooks can run now"));
    plan.steps.insert(told + 1, make_step(Op::await_parent, "isolate runs the hooks meanwhile"));
    plan.program_step += 2;
}

/// Takes the steps of a kind away, those from `from` on.
void drop_steps(JailPlan& plan, Op op, std::size_t from) {
    for (std::size_t i = from; i < plan.steps.size();) {
        if (plan.steps[i].op != op) {
            ++i;
            continue;
        }
        plan.steps.erase(plan.steps.begin() + static_cast<std::ptrdiff_t>(i));
        if (i < plan.program_step) --plan.program_step;
    }
}

} // namespace

void arrange_container(JailPlan& plan, Arrangement const& wanted) {
    if (wanted.terminal) add_terminal(plan);
    if (wanted.hooks) wait_for_hooks(plan);
    if (!wanted.new_keyring) drop_steps(plan, Op::new_keyring, 0);

    // A filter that is not ours may come first of all rights, and may refuse what the wait needs.
    auto const program = plan.steps.begin() + static_cast<std::ptrdiff_t>(plan.program_step);
    auto const at = std::find_if(plan.steps.begin(), program, [](Step const& step) {
        return step.op == Op::filter_calls || step.op == Op::drop_bounding;
    });
    Steps wait;
    wait.push_back(
        make_step(Op::place_directory, "a working directory, as other runtimes make it"));
    wait.back().path = wanted.directory;
    wait.back().number = 0755;
    wait.push_back(make_step(Op::find_program, "one that is missing is better known now"));
    wait.back().path = wanted.directory;
    wait.back().text = plan.program;
    wait.push_back(make_step(Op::own_streams, "the program may open its own streams anew"));
    wait.back().number = wanted.terminal ? 1 : 0;
    wait.push_back(make_step(Op::not_dumpable, "who waits cannot be traced from inside"));
    if (wanted.outlives)
        wait.push_back(make_step(Op::outlive_parent, "isolate ends when the container is created"));
    wait.push_back(make_step(Op::await_start, "created: it goes on when somebody starts it"));
    std::size_t const rest = static_cast<std::size_t>(at - plan.steps.begin()) + wait.size();
    plan.steps.insert(at, wait.begin(), wait.end());
    plan.program_step += wait.size();
    if (wanted.outlives) drop_steps(plan, Op::die_with_parent, rest);
}

} // namespace iso::jail
