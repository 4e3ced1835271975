#include "benchmarks/history/schema.hpp"

#include <fmt/format.h>

namespace iso::bench::history {

namespace {

// STRICT and CHECK hold the data to what the program may meet, wherever the file has been.
constexpr char const* k_tables = R"(
CREATE TABLE machine (
    id TEXT PRIMARY KEY,
    facts TEXT NOT NULL  -- JSON: what makes it this machine
) STRICT, WITHOUT ROWID;
CREATE TABLE run (
    id TEXT PRIMARY KEY, -- of the samples: the same measurement is the same run
    machine TEXT NOT NULL REFERENCES machine (id),
    date TEXT NOT NULL,  -- UTC, ISO 8601
    "commit" TEXT NOT NULL,
    mode TEXT NOT NULL,
    seed TEXT NOT NULL,  -- 64 bits without a sign, in decimal
    facts TEXT NOT NULL  -- JSON: what may differ on one machine
) STRICT, WITHOUT ROWID;
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    machine TEXT NOT NULL REFERENCES machine (id),
    workload TEXT NOT NULL,
    metric TEXT NOT NULL,
    engine TEXT NOT NULL,
    backend TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    arguments TEXT NOT NULL, -- JSON: a list of texts
    ops TEXT NOT NULL,       -- as the seed
    kind TEXT NOT NULL CHECK (kind IN ('compute', 'latency', 'start-up', 'density', 'program')),
    comparison TEXT NOT NULL CHECK (comparison IN ('ratio', 'added')),
    unit TEXT NOT NULL,
    UNIQUE (machine, workload, metric, engine, backend, sha256, arguments, ops, kind, comparison, unit)
) STRICT;
CREATE TABLE point (
    series INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    status TEXT NOT NULL CHECK (status IN ('ok', 'failed', 'void', 'incomplete', 'inconclusive',
                                           'unavailable')),
    reason TEXT NOT NULL,
    value REAL CHECK ((value IS NULL) = (status <> 'ok')),
    low REAL,
    high REAL CHECK ((low IS NULL) = (high IS NULL)),
    whole REAL,
    n INTEGER NOT NULL CHECK (n >= 0),
    emulated INTEGER NOT NULL CHECK (emulated IN (0, 1)),
    CHECK (status = 'ok' OR (low IS NULL AND whole IS NULL)),
    PRIMARY KEY (series, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX point_of_run ON point (run);
)";

Result<std::string> tables_of(Database& db) {
    Statement rows =
        TRY(db.prepare("SELECT type, name, coalesce(sql, '') FROM sqlite_schema ORDER BY 1, 2"));
    std::string text;
    while (TRY(rows.step()))
        text += fmt::format("{} {}: {}\n", rows.text(0), rows.text(1), rows.text(2));
    return text;
}

tl::unexpected<Error> refused(Database const& db, std::string cause, std::string hint) {
    return tl::unexpected<Error>(
        Error{db.path(), std::move(cause), std::move(hint), 0, exit_code::usage});
}

constexpr char const* k_other_file = "a file that isobench history add made: --db FILE";

} // namespace

Result<void> create_schema(Database& db) {
    TRY(db.execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};",
                               k_application_id, k_schema_version)));
    return db.execute(k_tables);
}

Result<bool> is_empty(Database& db) {
    return TRY(db.number("PRAGMA application_id")) == 0 &&
           TRY(db.number("PRAGMA user_version")) == 0 &&
           TRY(db.number("SELECT count(*) FROM sqlite_schema")) == 0;
}

Result<void> check_schema(Database& db) {
    if (TRY(db.number("PRAGMA application_id")) != k_application_id)
        return refused(db, "a database, but not a history of isobench", k_other_file);
    std::int64_t const version = TRY(db.number("PRAGMA user_version"));
    if (version > k_schema_version)
        return refused(db,
                       fmt::format("made by a newer isobench: its form is {}, known here is {}",
                                   version, k_schema_version),
                       "that isobench, or its export");
    if (version < k_schema_version)
        return refused(db, fmt::format("no history has the form {}", version), k_other_file);
    Database model = TRY(Database::in_memory());
    TRY(create_schema(model));
    if (TRY(tables_of(db)) != TRY(tables_of(model)))
        return refused(db, "its tables are not those of a history", k_other_file);
    Statement check = TRY(db.prepare("PRAGMA integrity_check(1)"));
    if (!TRY(check.step()) || check.text(0) != "ok")
        return refused(db, "the database is damaged: " + check.text(0),
                       "an export of it: isobench history import FILE.json --db NEW.db");
    Statement references = TRY(db.prepare("PRAGMA foreign_key_check"));
    if (TRY(references.step()))
        return refused(db, "the database is damaged: a row refers to nothing",
                       "an export of it: isobench history import FILE.json --db NEW.db");
    return {};
}

} // namespace iso::bench::history
