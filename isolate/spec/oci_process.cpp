#include "isolate/spec/names.hpp"
#include "isolate/spec/oci_parts.hpp"

namespace iso::jail::oci {

namespace {

Result<void> read_capabilities(CapabilitySpec& sets, Value const& value,
                               std::vector<std::string>& notes) {
    Object lists = TRY(Object::create(value, notes));
    for (CapabilityList const& each : k_oci_capabilities)
        for (Value const& name : TRY(lists[each.name].list())) {
            std::string const text = TRY(name.text());
            auto const number = capability_number(text);
            // config.md, "Linux Process": a name that cannot be mapped is a warning, no error.
            if (number && text.starts_with("CAP_"))
                sets.*each.member |= std::uint64_t{1} << *number;
            else
                notes.push_back(name.place() + ": " +
                                name.raw().dump(-1, ' ', true, json::error_handler_t::replace) +
                                " is no capability that isolate knows: not granted");
        }
    lists.note_unknown();
    return {};
}

Result<void> read_user(ProcessSpec& process, Value const& value, std::vector<std::string>& notes) {
    Object user = TRY(Object::create(value, notes));
    if (Value const uid = user["uid"]) process.uid = TRY(uid.id());
    if (Value const gid = user["gid"]) process.gid = TRY(gid.id());
    if (Value const mask = user["umask"])
        process.umask = static_cast<std::uint32_t>(TRY(mask.number(0, 07777)));
    for (Value const& group : TRY(user["additionalGids"].list()))
        process.groups.push_back(TRY(group.id()));
    TRY(user.refuse({"username"}, "it is for another platform"));
    user.note_unknown();
    return {};
}

Result<void> read_rlimits(ProcessSpec& process, Value const& value,
                          std::vector<std::string>& notes) {
    for (Value const& each : TRY(value.list())) {
        Object in = TRY(Object::create(each, notes));
        Value const type = in["type"];
        std::string const name = TRY(type.text());
        auto const resource = name.starts_with("RLIMIT_") ? rlimit_number(name) : std::nullopt;
        if (!resource) return wrong(type.place(), type.raw(), "a resource of getrlimit(2)");
        ResourceLimit limit;
        limit.resource = *resource;
        limit.soft = TRY(in["soft"].amount());
        limit.hard = TRY(in["hard"].amount());
        if (limit.soft > limit.hard)
            return error(each.place() + ".soft", "above the hard limit", "at most the hard limit");
        for (ResourceLimit const& known : process.rlimits)
            if (known.resource == limit.resource)
                return error(type.place(), name + " stands twice", "one entry for each type");
        in.note_unknown();
        process.rlimits.push_back(limit);
    }
    return {};
}

} // namespace

Result<ProcessSpec> read_process(Value const& value, std::vector<std::string>& notes) {
    Object in = TRY(Object::create(value, notes));
    ProcessSpec process;
    process.no_new_privileges = false;
    Value const arguments = in["args"];
    TRY(arguments.there());
    process.arguments = TRY(arguments.texts());
    if (process.arguments.empty() || process.arguments.front().empty())
        return wrong(arguments.place(), arguments.raw(), "a list that begins with a program");
    for (Value const& variable : TRY(in["env"].list())) {
        std::string text = TRY(variable.text());
        auto const equals = text.find('=');
        if (equals == text.npos || equals == 0)
            return wrong(variable.place(), variable.raw(), "NAME=VALUE");
        process.environment.push_back(std::move(text));
    }
    process.directory = TRY(in["cwd"].inside());
    TRY(read_user(process, in["user"], notes));
    if (Value const terminal = in["terminal"]) process.terminal = TRY(terminal.flag());
    Object size = TRY(Object::create(in["consoleSize"], notes));
    if (Value const rows = size["height"])
        process.rows = static_cast<std::uint16_t>(TRY(rows.number(0, 65535)));
    if (Value const columns = size["width"])
        process.columns = static_cast<std::uint16_t>(TRY(columns.number(0, 65535)));
    size.note_unknown();
    TRY(read_capabilities(process.capabilities, in["capabilities"], notes));
    TRY(read_rlimits(process, in["rlimits"], notes));
    if (Value const none = in["noNewPrivileges"]) process.no_new_privileges = TRY(none.flag());
    if (Value const score = in["oomScoreAdj"])
        process.oom_score_adjust = static_cast<int>(TRY(score.number(-1000, 1000)));
    if (Value const profile = in["apparmorProfile"];
        profile.says_something() && TRY(profile.text()) != "unconfined")
        return unsupported(profile.place(), "it has no AppArmor");
    TRY(in.refuse({"selinuxLabel"}, "it has no SELinux"));
    TRY(in.refuse({"scheduler", "ioPriority", "execCPUAffinity"}));
    TRY(in.refuse({"commandLine"}, "it is for another platform"));
    in.note_unknown();
    return process;
}

} // namespace iso::jail::oci
