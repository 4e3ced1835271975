// The verbs that act through a jail's control group.
#include "isolate/life/verbs.hpp"
#include "isolate/limits/control_group.hpp"
#include "isolate/limits/statistics.hpp"
#include "isolate/spec/keys.hpp"
#include "isolate/spec/spec_json.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace iso::jail {

namespace {

Result<ControlGroup> group_of(Seen const& seen) {
    std::string const op = "control group of '" + seen.record.name + "'";
    if (seen.record.status == Status::stopped)
        return error(op, "the jail has ended", "isolate list");
    if (seen.record.group.empty())
        return error(op, "it has none: this user may not make any here",
                     "root, or a user to whom control groups are delegated");
    return ControlGroup::open(seen.record.group);
}

} // namespace

Result<void> pause_jail(Store const& store, std::string const& name) {
    JailDirectory const jail = TRY(store.lock(name));
    Seen seen = TRY(Store::look(jail));
    if (seen.record.status != Status::running)
        return wrong_status(seen, "pause",
                            seen.record.status == Status::created ? "isolate start " + name : "");
    ControlGroup group = TRY(group_of(seen));
    // Written first: killed in between, we leave a jail that `resume` brings back.
    seen.record.status = Status::paused;
    TRY(jail.write_record(seen.record));
    auto frozen = group.freeze();
    if (!frozen) {
        seen.record.status = Status::running;
        TRY(jail.write_record(seen.record));
    }
    return frozen;
}

Result<void> resume_jail(Store const& store, std::string const& name) {
    JailDirectory const jail = TRY(store.lock(name));
    Seen seen = TRY(Store::look(jail));
    if (seen.record.status != Status::paused) return wrong_status(seen, "resume", "");
    ControlGroup group = TRY(group_of(seen));
    TRY(group.thaw());
    seen.record.status = Status::running;
    return jail.write_record(seen.record);
}

Result<void> set_limits(Store const& store, std::string const& name,
                        std::vector<std::string> const& changes) {
    if (changes.empty()) return refused("set", "no limit is named", "isolate set NAME memory=64M");
    JailDirectory const jail = TRY(store.lock(name));
    Seen const seen = TRY(Store::look(jail));
    ControlGroup group = TRY(group_of(seen));
    std::string const text = TRY(jail.read("spec.json"));
    JailSpec spec = TRY(spec_from_json(text, jail.path() + "/spec.json"));
    JailSpec wanted; // what is said and nothing else
    std::vector<KeyValue> said;
    for (std::string const& change : changes) {
        auto const equals = change.find('=');
        std::string const key = change.substr(0, equals);
        Key const* const known = find_key(key);
        bool const is_limit =
            known != nullptr && std::string_view(known->group) == find_key("memory")->group;
        if (equals == std::string::npos || !is_limit)
            return refused("set " + change, "no limit of this name",
                           "memory=64M, pids=100, cpus=0.5");
        said.push_back({known, change.substr(equals + 1)});
    }
    TRY(apply(said, wanted, "/"));
    TRY(apply(said, spec, "/"));
    TRY(group.change(wanted.limits));
    return jail.write("spec.json", spec_to_json(spec));
}

Result<void> print_limits(Store const& store, std::string const& name) {
    Seen const seen = TRY(store.look(name));
    ControlGroup const group = TRY(group_of(seen));
    std::string const table = limits_table(group.statistics().rows());
    std::fwrite(table.data(), 1, table.size(), stdout);
    return {};
}

} // namespace iso::jail
