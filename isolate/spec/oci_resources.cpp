#include "isolate/spec/oci_parts.hpp"

// config-linux.md, "Control groups".

namespace iso::jail::oci {

namespace {

using OciNotes = std::vector<std::string>;
using Amount = std::optional<std::uint64_t>;
constexpr std::int64_t k_most = std::numeric_limits<std::int64_t>::max();

/// A number of which everything below `least` means no limit.
Result<void> take_amount(Amount& out, Value const& value, std::int64_t least) {
    if (!value) return {};
    std::int64_t const number = TRY(value.number(-1, k_most));
    out.reset();
    if (number >= least) out = static_cast<std::uint64_t>(number);
    return {};
}

Result<void> read_memory(LimitSpec& limits, Value const& value, OciNotes& notes) {
    Object in = TRY(Object::create(value, notes));
    TRY(take_amount(limits.memory, in["limit"], 0));
    TRY(take_amount(limits.memory_low, in["reservation"], 0));
    // OCI counts memory and swap together, as version 1 does.
    if (Value const both = in["swap"]) {
        std::int64_t const sum = TRY(both.number(-1, k_most));
        limits.swap.reset();
        if (sum > 0) {
            if (!limits.memory)
                return error(both.place(), "needs linux.resources.memory.limit beside it",
                             "both, or neither");
            if (static_cast<std::uint64_t>(sum) < *limits.memory)
                return wrong(both.place(), both.raw(), "at least memory.limit, which it includes");
            limits.swap = static_cast<std::uint64_t>(sum) - *limits.memory;
        }
    }
    for (char const* name : {"kernel", "kernelTCP"})
        if (Value const field = in[name]; field && TRY(field.number(-1, k_most)) > 0)
            return unsupported(field.place(), "kernel memory is part of memory.limit");
    TRY(in.refuse({"disableOOMKiller"}));
    if (Value const swappiness = in["swappiness"]) return unsupported(swappiness.place());
    // Both are how isolate does it: groups below are counted in, and limits never cut off usage.
    if (Value const hierarchy = in["useHierarchy"]; hierarchy && !TRY(hierarchy.flag()))
        return unsupported(hierarchy.place(), "groups below always count");
    if (Value const check = in["checkBeforeUpdate"]) TRY(check.flag());
    in.note_unknown();
    return {};
}

Result<void> read_cpu(LimitSpec& limits, Value const& value, OciNotes& notes) {
    Object in = TRY(Object::create(value, notes));
    if (Value const shares = in["shares"]; shares.says_something())
        limits.cpu_shares = static_cast<std::uint64_t>(TRY(shares.number(2, 262144)));
    TRY(take_amount(limits.cpu_quota_us, in["quota"], 1));
    TRY(take_amount(limits.cpu_period_us, in["period"], 1));
    for (auto const& [name, out] :
         {std::pair{"cpus", &limits.cpus}, std::pair{"mems", &limits.memory_nodes}})
        if (Value const list = in[name]; list.says_something()) {
            *out = TRY(list.text());
            if (out->find_first_not_of("0123456789-,") != std::string::npos)
                return wrong(list.place(), list.raw(), "a list like 0-1,3 (cpuset(7))");
        }
    TRY(in.refuse({"burst", "realtimeRuntime", "realtimePeriod", "idle"}));
    in.note_unknown();
    return {};
}

IoLimit& io_limit(LimitSpec& limits, std::int64_t major, std::int64_t minor) {
    for (IoLimit& each : limits.io)
        if (each.major == major && each.minor == minor) return each;
    IoLimit& added = limits.io.emplace_back();
    added.major = major;
    added.minor = minor;
    return added;
}

Result<void> read_block_io(LimitSpec& limits, Value const& value, OciNotes& notes) {
    Object in = TRY(Object::create(value, notes));
    if (Value const weight = in["weight"]; weight.says_something())
        limits.io_weight = static_cast<std::uint64_t>(TRY(weight.number(10, 1000)));
    for (Throttle const& throttle : k_oci_throttles)
        for (Value const& each : TRY(in[throttle.name].list())) {
            Object device = TRY(Object::create(each, notes));
            std::int64_t const major = TRY(device["major"].number(0, 0xffffffff));
            std::int64_t const minor = TRY(device["minor"].number(0, 0xffffffff));
            io_limit(limits, major, minor).*throttle.member = TRY(device["rate"].amount());
            device.note_unknown();
        }
    TRY(in.refuse({"leafWeight", "weightDevice"}));
    in.note_unknown();
    return {};
}

Result<void> read_device_rules(LimitSpec& limits, Value const& value, OciNotes& notes) {
    for (Value const& each : TRY(value.list())) {
        Object in = TRY(Object::create(each, notes));
        DeviceRule rule;
        rule.allow = TRY(in["allow"].flag());
        if (Value const type = in["type"]; type.says_something()) {
            std::string const text = TRY(type.text());
            if (text != "a" && text != "b" && text != "c")
                return wrong(type.place(), type.raw(), "a, b or c");
            rule.type = text.front();
        }
        for (auto const& [name, out] :
             {std::pair{"major", &rule.major}, std::pair{"minor", &rule.minor}})
            if (Value const number = in[name]) {
                std::int64_t const n = TRY(number.number(-1, 0xffffffff));
                if (n >= 0) *out = n;
            }
        if (Value const access = in["access"]; access.says_something()) {
            rule.access = TRY(access.text());
            if (rule.access.find_first_not_of("rwm") != std::string::npos)
                return wrong(access.place(), access.raw(), "some of r, w and m");
        }
        in.note_unknown();
        limits.devices.push_back(std::move(rule));
    }
    return {};
}

} // namespace

Result<void> read_resources(LimitSpec& limits, Value const& value, OciNotes& notes) {
    Object in = TRY(Object::create(value, notes));
    TRY(read_device_rules(limits, in["devices"], notes));
    TRY(read_memory(limits, in["memory"], notes));
    TRY(read_cpu(limits, in["cpu"], notes));
    Object pids = TRY(Object::create(in["pids"], notes));
    TRY(take_amount(limits.tasks, pids["limit"], 1));
    pids.note_unknown();
    TRY(read_block_io(limits, in["blockIO"], notes));
    for (auto const& [name, text] : TRY(in["unified"].text_map()))
        limits.unified[name] = text;
    TRY(in.refuse({"hugepageLimits", "network", "rdma"}));
    in.note_unknown();
    return {};
}

} // namespace iso::jail::oci
