#include "benchmarks/history/archive.hpp"

#include "benchmarks/history/date.hpp"
#include "benchmarks/history/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace iso::bench::history {

namespace {

using nlohmann::json;

constexpr char const* k_schema = "isolab.history/1";

json nullable(std::optional<double> const& value) {
    return value ? json(*value) : json();
}

json to_json_of(Point const& point) {
    json out = {{"run", point.run}, {"n", point.n}};
    if (point.status == Status::ok) {
        out["value"] = nullable(point.value);
        out["low"] = nullable(point.low);
        out["high"] = nullable(point.high);
        out["whole"] = nullable(point.whole);
    } else {
        out["status"] = to_string(point.status);
        out["reason"] = point.reason;
    }
    if (point.emulated) out["emulated"] = true;
    return out;
}

json to_json_of(Run const& run) {
    return {{"id", run.id},         {"machine", run.machine}, {"date", run.date},
            {"commit", run.commit}, {"mode", run.mode},       {"seed", run.seed},
            {"facts", run.facts}};
}

json to_json_of(SeriesKey const& key) {
    return {{"machine", key.machine},
            {"workload", key.workload},
            {"metric", key.metric},
            {"engine", key.engine},
            {"backend", key.backend},
            {"sha256", key.sha256},
            {"arguments", key.arguments},
            {"ops", key.ops},
            {"kind", to_string(key.kind)},
            {"comparison", to_string(key.comparison)},
            {"unit", key.unit}};
}

template <typename T, typename Line>
std::string list(std::vector<T> const& items, std::string const& indent, Line line) {
    std::string text = "[";
    for (std::size_t i = 0; i < items.size(); ++i)
        text += (i == 0 ? "\n" : ",\n") + indent + " " + line(items[i]);
    return text + (items.empty() ? "]" : "\n" + indent + "]");
}

/// Reads one part of the document; the first thing that is wrong is kept, and ends the reading.
class Reader {
public:
    Reader(json const& in, std::string what)
        : in_(in)
        , what_(std::move(what)) {
        if (!in_.is_object()) fail("is no object");
    }

    std::string text(char const* key, bool may_be_empty = false) {
        json const* const value = find(key);
        if (value == nullptr) return {};
        if (!value->is_string()) return fail(fmt::format("'{}' is no text", key)), "";
        auto found = value->get<std::string>();
        bool const clean = std::none_of(found.begin(), found.end(), [](char c) {
            return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        });
        if (found.size() > 4096 || !clean || (found.empty() && !may_be_empty))
            fail(fmt::format("'{}' is empty, too long, or has control characters", key));
        return found;
    }

    std::uint64_t whole_number(char const* key) {
        json const* const value = find(key);
        if (value == nullptr) return 0;
        if (!value->is_number_unsigned()) return fail(fmt::format("'{}' is no number", key)), 0;
        return value->get<std::uint64_t>();
    }

    std::optional<double> real(char const* key) {
        json const* const value = find(key);
        if (value == nullptr || value->is_null()) return {};
        if (!value->is_number() || !std::isfinite(value->get<double>()))
            return fail(fmt::format("'{}' is no number", key)), std::nullopt;
        return value->get<double>();
    }

    bool flag(char const* key) {
        if (!in_.is_object() || !in_.contains(key)) return false;
        if (!in_.at(key).is_boolean()) fail(fmt::format("'{}' is neither true nor false", key));
        return in_.at(key) == true;
    }

    template <typename T>
    T one_of(char const* key, std::optional<T> (*read)(std::string_view), T otherwise) {
        auto const found = read(text(key));
        if (!found) fail(fmt::format("'{}' is unknown", key));
        return found.value_or(otherwise);
    }

    template <typename T>
    T made(char const* key, std::optional<T> (*read)(json const&)) {
        json const* const value = find(key);
        if (value == nullptr) return {};
        auto found = read(*value);
        if (!found) fail(fmt::format("'{}' holds something else than text", key));
        return found.value_or(T{});
    }

    [[nodiscard]] bool has(char const* key) const { return in_.is_object() && in_.contains(key); }
    void fail(std::string const& cause) {
        if (problem_.empty()) problem_ = what_ + ": " + cause;
    }
    [[nodiscard]] Result<void> verdict() const {
        if (problem_.empty()) return {};
        return tl::unexpected<Error>(Error{"history", problem_,
                                           "the file as isobench history export wrote it", 0,
                                           exit_code::usage});
    }

private:
    json const* find(char const* key) {
        if (has(key)) return &in_.at(key);
        fail(fmt::format("'{}' is missing", key));
        return nullptr;
    }

    json const& in_;
    std::string what_;
    std::string problem_;
};

bool is_hex(std::string const& text, std::size_t digits) {
    return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Result<Machine> read_machine(json const& in) {
    Reader reader(in, "a machine");
    Machine machine;
    machine.id = reader.text("id");
    machine.facts = reader.made("facts", facts_of);
    if (machine_id(machine.facts) != machine.id)
        reader.fail("'" + machine.id + "' is not the id of its facts");
    TRY(reader.verdict());
    return machine;
}

Result<Run> read_run(json const& in, History const& history) {
    Reader reader(in, "a run");
    Run run;
    run.id = reader.text("id");
    run.machine = reader.text("machine");
    run.date = reader.text("date");
    run.commit = reader.text("commit", true);
    run.mode = reader.text("mode", true);
    run.seed = reader.whole_number("seed");
    run.facts = reader.made("facts", facts_of);
    if (!is_hex(run.id, 32)) reader.fail("'" + run.id + "' is no id of a run");
    auto const date = utc_date(run.date);
    if (!date || *date != run.date) reader.fail("its date is not like 2026-01-02T03:04:05Z");
    if (history.machine(run.machine) == nullptr) reader.fail("its machine is not in the file");
    TRY(reader.verdict());
    return run;
}

Result<Point> read_point(json const& in, SeriesKey const& key, std::set<std::string> const& runs) {
    Reader reader(in, fmt::format("a point of {} in {}", key.workload, key.engine));
    Point point;
    point.run = reader.text("run");
    point.n = reader.whole_number("n");
    point.emulated = reader.flag("emulated");
    if (reader.has("status")) {
        point.status = reader.one_of("status", status_of, Status::failed);
        point.reason = reader.text("reason", true);
        if (point.status == Status::ok) reader.fail("a number is missing");
        if (reader.has("value")) reader.fail("it has a number and says why there is none");
    } else {
        point.status = Status::ok;
        point.value = reader.real("value");
        point.low = reader.real("low");
        point.high = reader.real("high");
        point.whole = reader.real("whole");
        if (!point.value) reader.fail("'value' is null");
        if (point.value && key.comparison == Comparison::ratio && *point.value <= 0)
            reader.fail("a ratio that is not above 0");
        if (point.low.has_value() != point.high.has_value() ||
            (point.low && *point.low > *point.high))
            reader.fail("its interval has no two ends in order");
    }
    if (point.n > 1'000'000'000) reader.fail("'n' is too large");
    if (!runs.contains(point.run)) reader.fail("its run is not in the file");
    TRY(reader.verdict());
    return point;
}

Result<Series> read_series(json const& in, History const& history,
                           std::set<std::string> const& runs) {
    Reader reader(in, "a series");
    Series series;
    SeriesKey& key = series.key;
    key.machine = reader.text("machine");
    key.workload = reader.text("workload");
    key.metric = reader.text("metric");
    key.engine = reader.text("engine");
    key.backend = reader.text("backend", true);
    key.sha256 = reader.text("sha256", true);
    key.arguments = reader.made("arguments", words_of);
    key.ops = reader.whole_number("ops");
    key.kind = reader.one_of("kind", kind_of, Kind::compute);
    key.comparison = reader.one_of("comparison", comparison_of, Comparison::ratio);
    key.unit = reader.text("unit", true);
    if (history.machine(key.machine) == nullptr) reader.fail("its machine is not in the file");
    if (!reader.has("points") || !in.at("points").is_array() || in.at("points").empty())
        reader.fail("it has no points");
    TRY(reader.verdict());
    std::set<std::string> seen;
    for (json const& one : in.at("points")) {
        series.points.push_back(TRY(read_point(one, key, runs)));
        std::string const& run = series.points.back().run;
        if (history.run(run)->machine != key.machine) reader.fail("a run of another machine");
        if (!seen.insert(run).second) reader.fail("two points of one run");
        TRY(reader.verdict());
    }
    return series;
}

template <typename T, typename Same>
bool has_twice(std::vector<T> const& sorted, Same same) {
    return std::adjacent_find(sorted.begin(), sorted.end(), same) != sorted.end();
}

} // namespace

std::string export_json(History const& history) {
    std::string text = fmt::format("{{\n \"schema\": \"{}\",\n", k_schema);
    text += " \"machines\": " + list(history.machines, " ", [](Machine const& machine) {
                return one_line({{"id", machine.id}, {"facts", machine.facts}});
            });
    text += ",\n \"runs\": " +
            list(history.runs, " ", [](Run const& run) { return one_line(to_json_of(run)); });
    text += ",\n \"series\": " + list(history.series, " ", [](Series const& series) {
                std::string const key = one_line(to_json_of(series.key));
                return key.substr(0, key.size() - 1) + ",\n   \"points\": " +
                       list(series.points, "   ",
                            [](Point const& point) { return one_line(to_json_of(point)); }) +
                       "}";
            });
    return text + "\n}\n";
}

Result<History> parse_export(std::string const& text) {
    json const in = json::parse(text, nullptr, false);
    Reader reader(in, "the document");
    if (!in.is_object())
        return tl::unexpected<Error>(
            Error{"history", "not one JSON object: truncated, or no export",
                  "isobench history export -o FILE.json writes one", 0, exit_code::usage});
    if (std::string const schema = reader.text("schema"); schema != k_schema)
        reader.fail("another schema: '" + schema + "'");
    for (char const* const key : {"machines", "runs", "series"})
        if (!reader.has(key) || !in.at(key).is_array())
            reader.fail(fmt::format("'{}' is no list", key));
    TRY(reader.verdict());
    History history;
    for (json const& one : in.at("machines"))
        history.machines.push_back(TRY(read_machine(one)));
    std::set<std::string> runs;
    for (json const& one : in.at("runs")) {
        history.runs.push_back(TRY(read_run(one, history)));
        if (!runs.insert(history.runs.back().id).second)
            reader.fail("two runs " + history.runs.back().id);
    }
    for (json const& one : in.at("series"))
        history.series.push_back(TRY(read_series(one, history, runs)));
    history.sort();
    if (has_twice(history.machines, [](auto const& a, auto const& b) { return a.id == b.id; }))
        reader.fail("a machine is there twice");
    if (has_twice(history.series, [](auto const& a, auto const& b) { return a.key == b.key; }))
        reader.fail("a series is there twice");
    TRY(reader.verdict());
    return history;
}

} // namespace iso::bench::history
