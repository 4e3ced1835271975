#include "benchmarks/history/store.hpp"

#include "benchmarks/history/names.hpp"
#include "benchmarks/history/schema.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace iso::bench::history {

namespace {

using nlohmann::json;

tl::unexpected<Error> damaged(std::string const& path, std::string const& what,
                              std::source_location at = std::source_location::current()) {
    return tl::unexpected<Error>(Error{
        path, "the database is damaged: " + what,
        "an export of it: isobench history import FILE.json --db NEW.db", 0, exit_code::usage, at});
}

json parsed(std::string const& text) {
    return json::parse(text, nullptr, false);
}

Result<std::vector<Machine>> load_machines(Database& db) {
    std::vector<Machine> machines;
    Statement rows = TRY(db.prepare("SELECT id, facts FROM machine"));
    while (TRY(rows.step())) {
        auto facts = facts_of(parsed(rows.text(1)));
        if (!facts || machine_id(*facts) != rows.text(0))
            return damaged(db.path(), "the facts of machine " + rows.text(0));
        machines.push_back({rows.text(0), std::move(*facts)});
    }
    return machines;
}

Result<std::vector<Run>> load_runs(Database& db) {
    std::vector<Run> runs;
    Statement rows =
        TRY(db.prepare("SELECT id, machine, date, \"commit\", mode, seed, facts FROM run"));
    while (TRY(rows.step())) {
        auto const seed = number_of(rows.text(5));
        auto facts = facts_of(parsed(rows.text(6)));
        if (!seed || !facts) return damaged(db.path(), "the facts of run " + rows.text(0));
        runs.push_back({rows.text(0), rows.text(1), rows.text(2), rows.text(3), rows.text(4), *seed,
                        std::move(*facts)});
    }
    return runs;
}

Result<std::vector<Series>> load_series(Database& db, std::map<std::int64_t, std::size_t>& place) {
    std::vector<Series> series;
    Statement rows = TRY(db.prepare(
        "SELECT id, machine, workload, metric, engine, backend, sha256, arguments, ops, kind, "
        "comparison, unit FROM series"));
    while (TRY(rows.step())) {
        auto arguments = words_of(parsed(rows.text(7)));
        auto const ops = number_of(rows.text(8));
        auto const kind = kind_of(rows.text(9));
        auto const comparison = comparison_of(rows.text(10));
        if (!arguments || !ops || !kind || !comparison)
            return damaged(db.path(), fmt::format("series {}", rows.integer(0)));
        place[rows.integer(0)] = series.size();
        series.push_back(
            {{rows.text(1), rows.text(2), rows.text(3), rows.text(4), rows.text(5), rows.text(6),
              std::move(*arguments), *ops, *kind, *comparison, rows.text(11)},
             {}});
    }
    return series;
}

Result<void> load_points(Database& db, std::map<std::int64_t, std::size_t> const& place,
                         std::vector<Series>& series) {
    Statement rows = TRY(db.prepare(
        "SELECT series, run, status, reason, value, low, high, whole, n, emulated FROM point"));
    while (TRY(rows.step())) {
        auto const status = status_of(rows.text(2));
        auto const at = place.find(rows.integer(0));
        if (!status || at == place.end())
            return damaged(db.path(), "a point of run " + rows.text(1));
        series[at->second].points.push_back(
            {rows.text(1), *status, rows.text(3), rows.real(4), rows.real(5), rows.real(6),
             rows.real(7), static_cast<std::uint64_t>(rows.integer(8)), rows.integer(9) != 0});
    }
    return {};
}

/// Precondition: the schema was checked, within a transaction.
Result<History> load_all(Database& db) {
    History history;
    std::map<std::int64_t, std::size_t> place;
    history.machines = TRY(load_machines(db));
    history.runs = TRY(load_runs(db));
    history.series = TRY(load_series(db, place));
    TRY(load_points(db, place, history.series));
    history.sort();
    return history;
}

Result<void> insert_machine(Database& db, Machine const& machine) {
    Statement insert = TRY(db.prepare("INSERT OR IGNORE INTO machine VALUES (?, ?)"));
    TRY(insert.bind(1, machine.id));
    TRY(insert.bind(2, one_line(machine.facts)));
    return insert.run();
}

Result<void> insert_run(Database& db, Run const& run) {
    Statement insert = TRY(db.prepare("INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?)"));
    TRY(insert.bind(1, run.id));
    TRY(insert.bind(2, run.machine));
    TRY(insert.bind(3, run.date));
    TRY(insert.bind(4, run.commit));
    TRY(insert.bind(5, run.mode));
    TRY(insert.bind(6, std::to_string(run.seed)));
    TRY(insert.bind(7, one_line(run.facts)));
    return insert.run();
}

/// The row of a series, which is made when there is none yet.
Result<std::int64_t> row_of(Database& db, SeriesKey const& key) {
    constexpr char const* k_columns =
        "machine = ?1 AND workload = ?2 AND metric = ?3 AND engine = ?4 AND backend = ?5 AND "
        "sha256 = ?6 AND arguments = ?7 AND ops = ?8 AND kind = ?9 AND comparison = ?10 AND "
        "unit = ?11";
    std::string const values[] = {key.machine,
                                  key.workload,
                                  key.metric,
                                  key.engine,
                                  key.backend,
                                  key.sha256,
                                  one_line(key.arguments),
                                  std::to_string(key.ops),
                                  std::string(to_string(key.kind)),
                                  std::string(to_string(key.comparison)),
                                  key.unit};
    auto bind_all = [&](Statement& statement) -> Result<void> {
        for (int i = 0; i < static_cast<int>(std::size(values)); ++i)
            TRY(statement.bind(i + 1, values[i]));
        return {};
    };
    Statement find = TRY(db.prepare(fmt::format("SELECT id FROM series WHERE {}", k_columns)));
    TRY(bind_all(find));
    if (TRY(find.step())) return find.integer(0);
    Statement insert =
        TRY(db.prepare("INSERT INTO series VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
                       "?11)"));
    TRY(bind_all(insert));
    TRY(insert.run());
    return db.last_row();
}

Result<void> insert_points(Database& db, Series const& series,
                           std::vector<std::string> const& runs) {
    std::optional<std::int64_t> row;
    Statement insert = TRY(db.prepare("INSERT INTO point VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    for (Point const& point : series.points) {
        if (std::find(runs.begin(), runs.end(), point.run) == runs.end()) continue;
        if (!row) row = TRY(row_of(db, series.key));
        TRY(insert.bind(1, *row));
        TRY(insert.bind(2, point.run));
        TRY(insert.bind(3, to_string(point.status)));
        TRY(insert.bind(4, point.reason));
        TRY(insert.bind(5, point.value));
        TRY(insert.bind(6, point.low));
        TRY(insert.bind(7, point.high));
        TRY(insert.bind(8, point.whole));
        TRY(insert.bind(9, static_cast<std::int64_t>(point.n)));
        TRY(insert.bind(10, static_cast<std::int64_t>(point.emulated)));
        TRY(insert.run());
    }
    return {};
}

/// What a history says of one run, to be compared.
std::vector<std::pair<SeriesKey, Point>> points_of(History const& history, std::string const& run) {
    std::vector<std::pair<SeriesKey, Point>> found;
    for (Series const& series : history.series)
        for (Point const& point : series.points)
            if (point.run == run) found.emplace_back(series.key, point);
    std::sort(found.begin(), found.end(),
              [](auto const& a, auto const& b) { return a.first < b.first; });
    return found;
}

Result<void> require_same(std::string const& path, History const& here, History const& more,
                          Run const& run) {
    if (*here.run(run.id) == run && points_of(here, run.id) == points_of(more, run.id)) return {};
    return tl::unexpected<Error>(Error{
        path, fmt::format("run {} is in it, and the other file says something else of it", run.id),
        "isobench history remove " + run.id + ", then import again", 0, exit_code::usage});
}

/// Opens for writing, with the lock taken and the schema there.
Result<Transaction> begin_writing(Database& db) {
    Transaction transaction = TRY(Transaction::begin(db));
    if (TRY(is_empty(db)))
        TRY(create_schema(db));
    else
        TRY(check_schema(db));
    return transaction;
}

Result<std::string> one_run(std::string const& path, History const& history,
                            std::string const& text) {
    std::vector<std::string> found;
    for (Run const& run : history.runs)
        if (!text.empty() && run.id.starts_with(text)) found.push_back(run.id);
    if (found.size() == 1) return found.front();
    return tl::unexpected<Error>(
        Error{path, fmt::format("'{}' names {}", text, found.empty() ? "no run" : "several runs"),
              "isobench history list --db " + path, 0, exit_code::usage});
}

} // namespace

Result<History> load(std::string const& path) {
    Database db = TRY(Database::open(path, Database::Access::existing));
    TRY(db.execute("BEGIN")); // one state of the file for all that is read
    if (TRY(is_empty(db))) return History{};
    TRY(check_schema(db));
    return load_all(db);
}

Result<Merged> merge(std::string const& path, History const& more, Known known) {
    Database db = TRY(Database::open(path, Database::Access::create));
    Transaction transaction = TRY(begin_writing(db));
    History const here = TRY(load_all(db));
    Merged merged;
    for (Run const& run : more.runs) {
        if (here.run(run.id) != nullptr) {
            if (known == Known::compare) TRY(require_same(path, here, more, run));
            merged.known.push_back(run.id);
            continue;
        }
        TRY(insert_machine(db, *more.machine(run.machine)));
        TRY(insert_run(db, run));
        merged.added.push_back(run.id);
    }
    for (Series const& series : more.series)
        TRY(insert_points(db, series, merged.added));
    TRY(transaction.commit());
    return merged;
}

Result<std::vector<std::string>> remove(std::string const& path,
                                        std::vector<std::string> const& ids) {
    Database db = TRY(Database::open(path, Database::Access::existing));
    Transaction transaction = TRY(begin_writing(db));
    History const here = TRY(load_all(db));
    std::vector<std::string> removed;
    for (std::string const& text : ids) {
        std::string const id = TRY(one_run(path, here, text));
        if (std::find(removed.begin(), removed.end(), id) == removed.end()) removed.push_back(id);
    }
    Statement gone = TRY(db.prepare("DELETE FROM run WHERE id = ?"));
    for (std::string const& id : removed) {
        TRY(gone.bind(1, id));
        TRY(gone.run()); // its points go with it: foreign keys
    }
    TRY(db.execute("DELETE FROM series WHERE id NOT IN (SELECT series FROM point);"
                   "DELETE FROM machine WHERE id NOT IN (SELECT machine FROM run)"));
    TRY(transaction.commit());
    return removed;
}

} // namespace iso::bench::history
