#include "common/json.hpp"
#include "isolate/life/verbs.hpp"
#include "isolate/limits/control_group.hpp"
#include "isolate/oci/tools.hpp"
#include "isolate/spec/json_text.hpp"
#include "isolate/spec/oci_config.hpp"
#include "isolate/spec/spec_json.hpp"

#include <charconv>

namespace iso::jail {

namespace {

using nlohmann::json;

/// Callers write 0 for what they do not mean to change.
void drop_zeros(json& in) {
    if (!in.is_object()) return;
    for (auto field = in.begin(); field != in.end();) {
        drop_zeros(*field);
        bool const nothing = (field->is_number() && *field == 0) || field->is_null() ||
                             (field->is_string() && field->empty()) ||
                             (field->is_string() && *field == "");
        field = nothing ? in.erase(field) : std::next(field);
    }
}

/// Reading a config.json, -1 is no limit at all: nothing is written. Here one may have to go.
void lift(json const& in, LimitSpec& limits) {
    auto const lifted = [&](char const* section, char const* field) {
        auto const part = in.find(section);
        if (part == in.end() || !part->is_object()) return false;
        auto const value = part->find(field);
        return value != part->end() && value->is_number() && *value < 0;
    };
    if (lifted("memory", "limit")) limits.memory = k_unlimited;
    if (lifted("memory", "swap")) limits.swap = k_unlimited;
    if (lifted("memory", "reservation")) limits.memory_low = 0;
    if (lifted("pids", "limit")) limits.tasks = k_unlimited;
    if (lifted("cpu", "quota")) limits.cpu_quota_us = k_unlimited;
}

Result<json> wanted_resources(std::string const& resources,
                              std::vector<ResourceChange> const& changes) {
    json wanted = json::object();
    if (!resources.empty()) wanted = TRY(parse_json(resources, "resources"));
    if (!wanted.is_object()) return error("resources", "not an object", "{\"pids\": {...}}");
    for (ResourceChange const& change : changes) {
        json& place = wanted[change.section][change.field];
        bool const list = change.field == "cpus" || change.field == "mems";
        std::int64_t number = 0;
        char const* const end = change.value.data() + change.value.size();
        auto const [stop, problem] = std::from_chars(change.value.data(), end, number);
        if (list)
            place = change.value;
        else if (problem == std::errc{} && stop == end)
            place = number;
        else
            return refused("update", "'" + change.value + "' is not a number",
                           "bytes, microseconds or a count; -1 for no limit");
    }
    drop_zeros(wanted);
    return wanted;
}

} // namespace

Result<void> update_limits(Store const& store, std::string const& name,
                           std::string const& resources,
                           std::vector<ResourceChange> const& changes) {
    json const in = TRY(wanted_resources(resources, changes));
    JailDirectory const jail = TRY(store.lock(name));
    Seen const seen = TRY(Store::look(jail));
    if (seen.record.status == Status::stopped) return wrong_status(seen, "update", "");
    if (seen.record.group.empty())
        return error("update of '" + name + "'", "it has no control group", "");
    std::string const text = in.dump();
    std::string const stored = TRY(jail.read("spec.json"));
    JailSpec spec = TRY(spec_from_json(stored, jail.path() + "/spec.json"));
    LimitSpec wanted;
    std::vector<std::string> notes;
    // Swap is written together with memory: what the memory is now is known here only.
    if (!in.contains("memory") || !in["memory"].contains("limit"))
        wanted.memory = spec.limits.memory;
    TRY(read_oci_resources(text, "resources", wanted, notes));
    TRY(read_oci_resources(text, "resources", spec.limits, notes));
    lift(in, wanted);
    ControlGroup group = TRY(ControlGroup::open(seen.record.group));
    TRY(group.change(wanted));
    return jail.write("spec.json", spec_to_json(spec));
}

} // namespace iso::jail
