#include "isolate/life/cleanup.hpp"

#include "isolate/image/image.hpp"
#include "isolate/limits/control_group.hpp"

#include <csignal>

namespace iso::jail {

namespace {
/// What a killed process may take to be gone: its memory has to be freed, its mounts undone.
constexpr std::uint64_t k_end_ns = 20'000'000'000;
} // namespace

Result<void> end_jail(Record const& record) {
    if (record.boot != boot_id()) return {};
    if (auto init = open_process(record.init)) {
        TRY(init->send(SIGKILL));
        // Version 1 delivers no signal to what is frozen.
        if (auto group = ControlGroup::open(record.group); group && !record.group.empty())
            (void)group->thaw();
        if (!TRY(wait_for_end(*init, k_end_ns)))
            return error("kill(process 1 of '" + record.name + "')", "it does not end",
                         "isolate ps " + record.name);
    }
    if (auto keeper = open_process(record.keeper)) {
        // It notes the end and goes by itself. One that does not is stuck, and of no more use.
        if (!TRY(wait_for_end(*keeper, k_end_ns))) TRY(keeper->send(SIGKILL));
        TRY(wait_for_end(*keeper, k_end_ns));
    }
    return {};
}

Result<void> clean_up(Record const& record) {
    if (record.boot != boot_id()) return {};
    TRY(end_jail(record));
    remove_abandoned_roots();
    if (record.group.empty()) return {};
    // Its guardian does the same; whoever comes second finds nothing.
    auto group = ControlGroup::open(record.group);
    if (!group) return {};
    (void)group->kill_all();
    return group->remove();
}

} // namespace iso::jail
