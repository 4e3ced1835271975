#include "isolate/life/record.hpp"

#include "common/json.hpp"
#include "isolate/life/name.hpp"

namespace iso::jail {

namespace {

using nlohmann::json;

constexpr char const* k_record_schema = "isolab.jail/1";

constexpr std::pair<Status, char const*> k_status[] = {{Status::creating, "creating"},
                                                       {Status::created, "created"},
                                                       {Status::running, "running"},
                                                       {Status::paused, "paused"},
                                                       {Status::stopped, "stopped"}};

json process_json(ProcessId const& process) {
    return {{"pid", process.pid}, {"start_time", process.start_time}};
}

ProcessId process_from(json const& in) {
    return {in.at("pid").get<pid_t>(), in.at("start_time").get<std::uint64_t>()};
}

} // namespace

char const* to_string(Status status) {
    for (auto const& [value, name] : k_status)
        if (value == status) return name;
    return "?";
}

std::string to_json(Record const& record) {
    json const out = {{"schema", k_record_schema},
                      {"name", record.name},
                      {"status", to_string(record.status)},
                      {"init", process_json(record.init)},
                      {"keeper", process_json(record.keeper)},
                      {"boot", record.boot},
                      {"created_at", record.created_at},
                      {"bundle", record.bundle},
                      {"root", record.root},
                      {"command", record.command},
                      {"annotations", record.annotations},
                      {"group", record.group},
                      {"uid", record.uid},
                      {"detached", record.detached},
                      {"temporary", record.temporary},
                      {"own_init", record.own_init},
                      {"terminal", record.terminal},
                      {"has_network", record.has_network},
                      {"timeout_ns", record.timeout_ns}};
    return out.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<Record> parse_record(std::string const& text) {
    json const in = json::parse(text, nullptr, false);
    if (!in.is_object()) return error("state of the jail", "not a JSON object");
    try {
        if (in.at("schema") != k_record_schema)
            return error("state of the jail", "another schema: " + in.at("schema").dump(),
                         "the isolate that made this jail");
        Record record;
        record.name = in.at("name").get<std::string>();
        TRY(check_name(record.name));
        std::string const status = in.at("status").get<std::string>();
        bool known = false;
        for (auto const& [value, name] : k_status)
            if (status == name) {
                record.status = value;
                known = true;
            }
        if (!known) return error("state of the jail", "unknown status '" + status + "'");
        record.init = process_from(in.at("init"));
        record.keeper = process_from(in.at("keeper"));
        record.boot = in.at("boot").get<std::string>();
        record.created_at = in.at("created_at").get<std::uint64_t>();
        record.bundle = in.at("bundle").get<std::string>();
        record.root = in.at("root").get<std::string>();
        record.command = in.at("command").get<std::vector<std::string>>();
        record.annotations = in.at("annotations").get<std::map<std::string, std::string>>();
        record.group = in.at("group").get<std::string>();
        record.uid = in.at("uid").get<std::uint32_t>();
        record.detached = in.at("detached").get<bool>();
        record.temporary = in.at("temporary").get<bool>();
        record.own_init = in.at("own_init").get<bool>();
        record.terminal = in.at("terminal").get<bool>();
        record.has_network = in.at("has_network").get<bool>();
        record.timeout_ns = in.at("timeout_ns").get<std::uint64_t>();
        return record;
    } catch (json::exception const& problem) {
        return error("state of the jail", problem.what());
    }
}

std::string to_json(Ending const& ending) {
    json const out = {{"exit_status", ending.exit_status}, {"how", ending.how}, {"at", ending.at}};
    return out.dump() + "\n";
}

Result<Ending> parse_ending(std::string const& text) {
    json const in = json::parse(text, nullptr, false);
    if (!in.is_object()) return error("end of the jail", "not a JSON object");
    try {
        return Ending{in.at("exit_status").get<int>(), in.at("how").get<std::string>(),
                      in.at("at").get<std::uint64_t>()};
    } catch (json::exception const& problem) {
        return error("end of the jail", problem.what());
    }
}

} // namespace iso::jail
