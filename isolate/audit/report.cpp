#include "isolate/audit/report.hpp"

#include "common/json.hpp"

#include <fmt/format.h>

#include <string_view>

namespace iso::jail {

namespace {

char const* name_of(State state) {
    return k_state_names[static_cast<std::size_t>(state)];
}
char const* name_of(By by) {
    return k_by_names[static_cast<std::size_t>(by)];
}

/// What stands in the table's second column: what nobody asked for is the one in capitals.
std::string shown_state(Outcome const& outcome) {
    if (outcome.state == State::open) return outcome.asked_for.empty() ? "OPEN" : "open";
    if (outcome.state == State::unknown) return "UNKNOWN";
    return outcome.state == State::held ? "held" : "-";
}

std::string shown_reason(Outcome const& outcome) {
    std::string text;
    if (outcome.by != By::nothing) text = std::string(name_of(outcome.by)) + ": ";
    text += outcome.detail;
    if (!outcome.asked_for.empty()) text += fmt::format(" (asked for: {})", outcome.asked_for);
    return text;
}

} // namespace

AuditCount count(std::vector<Outcome> const& outcomes) {
    AuditCount all;
    for (Outcome const& outcome : outcomes)
        ++(outcome.state == State::held             ? all.held
           : outcome.state == State::not_applicable ? all.not_applicable
           : outcome.state == State::unknown        ? all.unknown
           : outcome.asked_for.empty()              ? all.open
                                                    : all.asked_for);
    return all;
}

std::string audit_table(std::vector<Outcome> const& outcomes, std::string const& jail,
                        bool explain) {
    std::string out = fmt::format("What a program can reach from inside of {}\n", jail);
    std::string_view group;
    for (Outcome const& outcome : outcomes) {
        Check const& check = *outcome.check;
        if (group != check.group) {
            group = check.group;
            out += fmt::format("\n{}\n", group);
        }
        out += fmt::format("  {:<46} {:<8} {}\n", check.title, shown_state(outcome),
                           shown_reason(outcome));
        if (!explain) continue;
        out += fmt::format("      attempt: {}\n      gives:   {}\n      source:  {}\n",
                           check.attempt, check.gain, check.source);
    }
    AuditCount const all = count(outcomes);
    out += fmt::format("\n{} attempts: {} held, {} open", outcomes.size(), all.held, all.open);
    if (all.asked_for != 0) out += fmt::format(", {} open as asked for", all.asked_for);
    if (all.unknown != 0) out += fmt::format(", {} without an answer", all.unknown);
    out += fmt::format(", {} not applicable here\n", all.not_applicable);
    return out;
}

std::string check_list() {
    std::string out =
        "| attempt | what is done | what would be had | known from | options that open it |\n"
        "|---|---|---|---|---|\n";
    for (Check const& check : checks()) {
        std::string options;
        for (unsigned bit = 0; bit < k_openings; ++bit)
            if ((check.openings >> bit & 1U) != 0)
                options += (options.empty() ? "`" : " `") + std::string(k_opening_names[bit]) + "`";
        out +=
            fmt::format("| `{}` {} | {} | {} | {} | {} |\n", check.id, check.title, check.attempt,
                        check.gain, check.source, options.empty() ? "none" : options);
    }
    return out;
}

std::string audit_json(std::vector<Outcome> const& outcomes, std::string const& jail) {
    AuditCount const all = count(outcomes);
    nlohmann::ordered_json json;
    json["schema"] = "isolab.audit/1";
    json["jail"] = jail;
    json["summary"] = {{"attempts", outcomes.size()},
                       {"held", all.held},
                       {"open", all.open},
                       {"open_as_asked_for", all.asked_for},
                       {"unknown", all.unknown},
                       {"not_applicable", all.not_applicable}};
    auto& list = json["checks"] = nlohmann::ordered_json::array();
    for (Outcome const& outcome : outcomes) {
        nlohmann::ordered_json each{{"id", outcome.check->id},
                                    {"group", outcome.check->group},
                                    {"title", outcome.check->title},
                                    {"state", name_of(outcome.state)}};
        if (outcome.by != By::nothing) each["held_by"] = name_of(outcome.by);
        each["detail"] = outcome.detail;
        if (!outcome.asked_for.empty()) each["asked_for"] = outcome.asked_for;
        each["attempt"] = outcome.check->attempt;
        each["gain"] = outcome.check->gain;
        each["source"] = outcome.check->source;
        list.push_back(std::move(each));
    }
    return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

} // namespace iso::jail
