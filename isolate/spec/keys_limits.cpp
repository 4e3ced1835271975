#include "isolate/spec/key_tables.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace iso::jail::tables {

namespace {

constexpr char const* k_limits = "Limits";

using Amount = std::optional<std::uint64_t>;

Values write_amount(Amount const& amount) {
    return amount ? Values{std::to_string(*amount)} : Values{};
}
template <Amount LimitSpec::*member>
Result<void> read_size(JailSpec& spec, std::string_view value, std::string const&) {
    spec.limits.*member = TRY(form::size(value));
    return {};
}
template <Amount LimitSpec::*member>
Values write_member(JailSpec const& spec) {
    return write_amount(spec.limits.*member);
}
/// A number in a range, or "unlimited".
template <Amount LimitSpec::*member, std::uint64_t least, std::uint64_t most>
Result<void> read_number(JailSpec& spec, std::string_view value, std::string const&) {
    if (value == "unlimited")
        (spec.limits.*member).reset();
    else
        spec.limits.*member = TRY(form::whole(value, least, most));
    return {};
}

/// A list as cpuset(7) has it, "List format": "0-1,3".
Result<std::string> id_list(std::string_view value) {
    std::string list = TRY(form::text(value));
    if (list.find_first_not_of("0123456789-,") == list.npos) return list;
    return form::wrong(value, "is no list of numbers", "numbers and ranges at commas like 0-1,3");
}

/// So many processors' time: a quota in the usual period of 100 ms.
Result<void> read_cpus(JailSpec& spec, std::string_view value) {
    constexpr double period_us = 100'000;
    std::string const text = TRY(form::text(value));
    char* end = nullptr;
    double const cpus = std::strtod(text.c_str(), &end);
    bool const plain = text.find_first_not_of("0123456789.") == text.npos;
    if (!plain || *end != '\0' || !(cpus >= 0.01) || cpus > 8192)
        return form::wrong(value, "is no count of processors", "a number like 0.5, from 0.01 on");
    spec.limits.cpu_quota_us = static_cast<std::uint64_t>(std::lround(cpus * period_us));
    spec.limits.cpu_period_us = static_cast<std::uint64_t>(period_us);
    return {};
}

/// "8:0" of a device, or "8:*" where all are allowed.
Result<void> read_device_numbers(std::string_view value, Amount& major, Amount& minor, bool all) {
    auto const colon = value.find(':');
    if (colon == value.npos)
        return form::wrong(value, "is no device", all ? "MAJOR:MINOR, * for all" : "MAJOR:MINOR");
    auto part = [&](std::string_view text, Amount& out) -> Result<void> {
        if (all && text == "*")
            out.reset();
        else
            out = TRY(form::whole(text, 0, 0xffffffff));
        return {};
    };
    TRY(part(value.substr(0, colon), major));
    return part(value.substr(colon + 1), minor);
}

struct IoPart {
    char const* name;
    Amount IoLimit::*member;
};
constexpr IoPart k_io_parts[] = {{"read-bytes", &IoLimit::read_bytes},
                                 {"write-bytes", &IoLimit::write_bytes},
                                 {"read-operations", &IoLimit::read_operations},
                                 {"write-operations", &IoLimit::write_operations}};

Result<void> read_io(JailSpec& spec, std::string_view value) {
    IoLimit limit;
    bool device = false;
    for (form::Part const& part : TRY(form::parts(value))) {
        if (!part.value) {
            Amount major, minor;
            TRY(read_device_numbers(part.name, major, minor, false));
            limit.major = static_cast<std::int64_t>(*major);
            limit.minor = static_cast<std::int64_t>(*minor);
            device = true;
            continue;
        }
        bool known = false;
        for (IoPart const& each : k_io_parts)
            if (part.name == each.name) {
                limit.*each.member = TRY(form::size(*part.value));
                known = true;
            }
        if (!known)
            return form::wrong(part.name, "is no limit of a block device",
                               "read-bytes, write-bytes, read-operations, write-operations");
    }
    if (!device)
        return form::wrong(value, "says no device", "MAJOR:MINOR,read-bytes=SIZE, each per second");
    spec.limits.io.push_back(limit);
    return {};
}

Values write_io(JailSpec const& spec) {
    Values values;
    for (IoLimit const& limit : spec.limits.io) {
        form::PartWriter writer;
        writer.add(fmt::format("{}:{}", limit.major, limit.minor));
        for (IoPart const& each : k_io_parts)
            if (Amount const& amount = limit.*each.member)
                writer.add(each.name, std::to_string(*amount));
        values.push_back(writer.take());
    }
    return values;
}

/// "allow,c,1:3,rwm": what the device controller lets through; the last rule that fits decides.
Result<void> read_device_rule(JailSpec& spec, std::string_view value) {
    auto const parts = TRY(form::parts(value));
    char const* const wanted = "allow or deny, a, b or c, MAJOR:MINOR with * for all, some of rwm: "
                               "allow,c,1:3,rwm";
    bool good = parts.size() == 4;
    for (form::Part const& part : parts)
        good = good && !part.value;
    if (!good || (parts[0].name != "allow" && parts[0].name != "deny") ||
        (parts[1].name != "a" && parts[1].name != "b" && parts[1].name != "c") ||
        parts[3].name.find_first_not_of("rwm") != std::string::npos)
        return form::wrong(value, "is no rule about devices", wanted);
    DeviceRule rule;
    rule.allow = parts[0].name == "allow";
    rule.type = parts[1].name.front();
    Amount major, minor;
    TRY(read_device_numbers(parts[2].name, major, minor, true));
    if (major) rule.major = static_cast<std::int64_t>(*major);
    if (minor) rule.minor = static_cast<std::int64_t>(*minor);
    rule.access = parts[3].name;
    spec.limits.devices.push_back(std::move(rule));
    return {};
}

Values write_device_rules(JailSpec const& spec) {
    auto number = [](std::optional<std::int64_t> const& value) {
        return value ? std::to_string(*value) : std::string("*");
    };
    Values values;
    for (DeviceRule const& rule : spec.limits.devices)
        values.push_back(fmt::format("{},{},{}:{},{}", rule.allow ? "allow" : "deny", rule.type,
                                     number(rule.major), number(rule.minor), rule.access));
    return values;
}

constexpr std::uint64_t k_any = std::numeric_limits<std::uint64_t>::max();

using Kind = Key::Kind;
using Text = std::string_view;
using Base = std::string const&;
using L = LimitSpec;

constexpr Key k_limit_keys[] = {
    {"memory", "SIZE", k_limits, "The most memory that the jail may have, for example 64M", "64M",
     Kind::one, read_size<&L::memory>, write_member<&L::memory>},
    {"memory-low", "SIZE", k_limits, "Memory that is left to the jail as long as there is other",
     "32M", Kind::one, read_size<&L::memory_low>, write_member<&L::memory_low>},
    {"swap", "SIZE", k_limits, "The most swap that the jail may have, beside its memory", "0",
     Kind::one, read_size<&L::swap>, write_member<&L::swap>},
    {"pids", "N", k_limits, "The most processes and threads inside", "100", Kind::one,
     read_number<&L::tasks, 2, 4194304>, write_member<&L::tasks>},
    {"cpus", "N", k_limits, "So many processors' time at most, for example 0.5", "0.5", Kind::one,
     [](JailSpec& s, Text v, Base) { return read_cpus(s, v); },
     [](JailSpec const&) { return Values{}; }},
    {"cpu-shares", "N", k_limits,
     "Its share of a busy machine against other groups: 2 to 262144, usual 1024", "512", Kind::one,
     read_number<&L::cpu_shares, 2, 262144>, write_member<&L::cpu_shares>},
    {"cpu-quota", "MICROSECONDS", k_limits, "Processor time in each cpu-period", "50000", Kind::one,
     read_number<&L::cpu_quota_us, 1000, k_any / 1000>, write_member<&L::cpu_quota_us>},
    {"cpu-period", "MICROSECONDS", k_limits, "What cpu-quota is a part of: 1000 to 1000000",
     "100000", Kind::one, read_number<&L::cpu_period_us, 1000, 1'000'000>,
     write_member<&L::cpu_period_us>},
    {"cpuset", "LIST", k_limits, "The processors that the jail may use", "0-1,3", Kind::one,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.limits.cpus = TRY(id_list(v));
         return {};
     },
     [](JailSpec const& s) { return unless(s.limits.cpus.empty(), s.limits.cpus); }},
    {"memory-nodes", "LIST", k_limits, "The memory nodes that the jail may use", "0", Kind::one,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.limits.memory_nodes = TRY(id_list(v));
         return {};
     },
     [](JailSpec const& s) {
         return unless(s.limits.memory_nodes.empty(), s.limits.memory_nodes);
     }},
    {"io-weight", "N", k_limits, "Its share of busy disks against other groups: 10 to 1000", "100",
     Kind::one, read_number<&L::io_weight, 10, 1000>, write_member<&L::io_weight>},
    {"io-limit", "MAJOR:MINOR,...", k_limits,
     "The most that a block device does for the jail in a second: read-bytes=, write-bytes=, "
     "read-operations=, write-operations=",
     "8:0,read-bytes=1M,write-operations=100", Kind::list,
     [](JailSpec& s, Text v, Base) { return read_io(s, v); }, write_io},
    {"device-rule", "allow|deny,TYPE,MAJOR:MINOR,ACCESS", k_limits,
     "What may be done with device nodes; the last rule that fits decides", "allow,c,1:3,rwm",
     Kind::list, [](JailSpec& s, Text v, Base) { return read_device_rule(s, v); },
     write_device_rules},
    {"cgroup-file", "NAME=VALUE", k_limits, "A file of control groups version 2, written as it is",
     "memory.high=32M", Kind::list,
     [](JailSpec& s, Text v, Base) { return add_pair(s.limits.unified, v); },
     [](JailSpec const& s) { return pairs(s.limits.unified); }},
    {"cgroup-path", "PATH", k_limits, "The control group, as OCI's linux.cgroupsPath has it",
     "/machine/web", Kind::one,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.cgroup_path = TRY(form::text(v));
         if (("/" + s.cgroup_path + "/").find("/../") != s.cgroup_path.npos)
             return form::wrong(v, "has a '..' in it", "a path without it");
         return {};
     },
     [](JailSpec const& s) { return unless(s.cgroup_path.empty(), s.cgroup_path); }},
    {"require-limits", "yes|no", k_limits,
     "Whether a limit that cannot be enforced here is an error (no: it is said)", "yes", Kind::flag,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.limits.required = TRY(form::yes_no(v));
         return {};
     },
     [](JailSpec const& s) { return unless(!s.limits.required, "yes"); }},
};

} // namespace

std::span<Key const> limit_keys() {
    return k_limit_keys;
}

} // namespace iso::jail::tables
