#include "common/report.hpp"

#include "common/fd.hpp"
#include "common/json.hpp"

#include <algorithm>

namespace iso {

namespace {

using nlohmann::json;

constexpr std::pair<Ended, char const*> k_ended[] = {{Ended::exited, "exited"},
                                                     {Ended::signalled, "signalled"},
                                                     {Ended::timeout, "timeout"},
                                                     {Ended::killed, "killed"},
                                                     {Ended::engine_failed, "engine-failed"}};

using PhaseField = std::optional<std::uint64_t> Phases::*;
constexpr std::pair<char const*, PhaseField> k_phases[] = {{"create", &Phases::create},
                                                           {"load", &Phases::load},
                                                           {"enter", &Phases::enter},
                                                           {"exit", &Phases::exit},
                                                           {"destroy", &Phases::destroy}};

/// True for an object of whole numbers. nlohmann's get() would turn -1 and 1.5 into one silently.
bool holds_whole_numbers(json const& object) {
    return object.is_object() && std::all_of(object.begin(), object.end(), [](json const& value) {
               return value.is_number_unsigned();
           });
}

} // namespace

char const* to_string(Ended ended) {
    for (auto const& [value, name] : k_ended)
        if (value == ended) return name;
    return "engine-failed";
}

int RunReport::exit_status() const {
    switch (ended) {
    case Ended::exited:
        return status;
    case Ended::signalled:
    case Ended::killed:
        return exit_code::from_signal(signal);
    case Ended::timeout:
        return exit_code::timed_out;
    case Ended::engine_failed:
        break;
    }
    return failure ? failure->exit_status : exit_code::engine_failed;
}

std::string to_json(RunReport const& report) {
    json phases = json::object();
    for (auto const& [name, field] : k_phases)
        if (auto const& value = report.phases.*field) phases[name] = *value;
    json out = {{"schema", RunReport::schema},
                {"engine", report.engine},
                {"backend", report.backend},
                {"ended", to_string(report.ended)},
                {"phases", phases},
                {"counters", report.counters},
                {"facts", report.facts},
                {"exit_status", report.exit_status()}};
    if (report.ended == Ended::exited) out["status"] = report.status;
    if (report.ended == Ended::signalled || report.ended == Ended::killed)
        out["signal"] = report.signal;
    if (report.failure)
        out["failure"] = {{"op", report.failure->op},
                          {"cause", report.failure->cause},
                          {"hint", report.failure->hint},
                          {"code", report.failure->code},
                          {"exit_status", report.failure->exit_status}};
    return out.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<RunReport> parse_report(std::string const& text) {
    json const in = json::parse(text, nullptr, false);
    if (!in.is_object()) return error("report", "not a JSON object");
    try {
        if (in.at("schema") != RunReport::schema)
            return error("report", "another schema: " + in.at("schema").dump());
        RunReport report;
        report.engine = in.at("engine").get<std::string>();
        report.backend = in.at("backend").get<std::string>();
        std::string const ended = in.at("ended").get<std::string>();
        bool known = false;
        for (auto const& [value, name] : k_ended)
            if (ended == name) {
                report.ended = value;
                known = true;
            }
        if (!known) return error("report", "unknown end '" + ended + "'");
        for (char const* name : {"phases", "counters"})
            if (!holds_whole_numbers(in.at(name)))
                return error("report", std::string(name) + " are not whole numbers");
        report.status = in.value("status", 0);
        report.signal = in.value("signal", 0);
        for (auto const& [name, field] : k_phases)
            if (in.at("phases").contains(name))
                report.phases.*field = in.at("phases").at(name).get<std::uint64_t>();
        report.counters = in.at("counters").get<std::map<std::string, std::uint64_t>>();
        report.facts = in.at("facts").get<std::map<std::string, std::string>>();
        if (in.contains("failure")) {
            json const& f = in.at("failure");
            report.failure = Error{f.at("op").get<std::string>(), f.at("cause").get<std::string>(),
                                   f.at("hint").get<std::string>(), f.at("code").get<int>(),
                                   f.at("exit_status").get<int>()};
        }
        return report;
    } catch (json::exception const& problem) {
        return error("report", problem.what());
    }
}

Result<void> write_report(int fd, RunReport const& report) {
    if (fd < 0) return {};
    auto written = write_all(fd, to_json(report));
    if (!written) written.error().op = "write(--report-fd=" + std::to_string(fd) + ")";
    return written;
}

} // namespace iso
