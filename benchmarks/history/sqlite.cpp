#include "benchmarks/history/sqlite.hpp"

#include <sqlite3.h>

#include <sys/stat.h>

namespace iso::bench::history {

namespace {

/// How long one writer waits for another. An add takes milliseconds.
constexpr int k_busy_ms = 20'000;

/// SQLite's result as an error of ours (its manual: "Result and Error Codes").
tl::unexpected<Error> failure(sqlite3* db, std::string const& path,
                              std::source_location at = std::source_location::current()) {
    int const code = sqlite3_errcode(db) & 0xff; // the primary code
    Error problem;
    problem.op = path;
    problem.cause = sqlite3_errmsg(db);
    problem.exit_status = exit_code::no;
    problem.at = at;
    switch (code) {
    case SQLITE_NOTADB:
        problem.cause = "not a database";
        problem.hint = "a file that isobench history add made";
        problem.exit_status = exit_code::usage;
        break;
    case SQLITE_CORRUPT:
        problem.cause = "the database is damaged: " + problem.cause;
        problem.hint = "an export of it: isobench history import FILE.json --db NEW.db";
        problem.exit_status = exit_code::usage;
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        problem.cause = "another program keeps it locked";
        problem.hint = "again when that is done";
        break;
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_FULL:
    case SQLITE_IOERR:
        problem.hint = "a place that can be written, with room: --db FILE";
        break;
    default:
        break;
    }
    return tl::unexpected<Error>(std::move(problem));
}

Result<sqlite3*> open_handle(std::string const& name, std::string const& path, int flags) {
    sqlite3* db = nullptr;
    if (sqlite3_open_v2(name.c_str(), &db, flags, nullptr) != SQLITE_OK) {
        auto problem = failure(db, path);
        sqlite3_close(db);
        return problem;
    }
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, k_busy_ms);
    // A file from elsewhere must not bring anything that runs.
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
    return db;
}

} // namespace

Statement::Statement(Statement&& other) noexcept
    : db_(other.db_)
    , statement_(std::exchange(other.statement_, nullptr))
    , path_(other.path_) {}

Statement::~Statement() {
    sqlite3_finalize(statement_);
}

Result<void> Statement::bind(int parameter, std::string_view text) {
    if (sqlite3_bind_text64(statement_, parameter, text.data(), text.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8) != SQLITE_OK)
        return failure(db_, *path_);
    return {};
}

Result<void> Statement::bind(int parameter, std::int64_t number) {
    if (sqlite3_bind_int64(statement_, parameter, number) != SQLITE_OK) return failure(db_, *path_);
    return {};
}

Result<void> Statement::bind(int parameter, std::optional<double> number) {
    int const code = number ? sqlite3_bind_double(statement_, parameter, *number)
                            : sqlite3_bind_null(statement_, parameter);
    if (code != SQLITE_OK) return failure(db_, *path_);
    return {};
}

Result<bool> Statement::step() {
    int const code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return failure(db_, *path_);
}

Result<void> Statement::run() {
    while (TRY(step())) {
    }
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
    return {};
}

std::string Statement::text(int column) const {
    auto const* const bytes = sqlite3_column_text(statement_, column);
    if (bytes == nullptr) return {};
    auto const size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return {reinterpret_cast<char const*>(bytes), size};
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

std::optional<double> Statement::real(int column) const {
    if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return {};
    return sqlite3_column_double(statement_, column);
}

Database::Database(sqlite3* db, std::string path)
    : db_(db)
    , path_(new std::string(std::move(path))) {}

Database::Database(Database&& other) noexcept
    : db_(std::exchange(other.db_, nullptr))
    , path_(std::exchange(other.path_, nullptr)) {}

Database::~Database() {
    sqlite3_close(db_);
    delete path_;
}

Result<Database> Database::open(std::string const& path, Access access) {
    struct stat info {};
    bool const there = ::stat(path.c_str(), &info) == 0;
    if (!there && (access == Access::existing || errno != ENOENT))
        return tl::unexpected<Error>(
            std::move(
                sys_error(path, "isobench history add FILE --db " + path + " makes one").value())
                .with_exit(exit_code::usage));
    if (there && !S_ISREG(info.st_mode)) // a pipe would be waited for
        return tl::unexpected<Error>(
            Error{path, "not a regular file", "another place: --db FILE", 0, exit_code::usage});
    // ":memory:" and "file:..." mean something to SQLite; "./file:..." is a name.
    std::string const name = path.starts_with('/') ? path : "./" + path;
    int flags = SQLITE_OPEN_READWRITE; // a reader may have to roll back what a dead writer began
    if (access == Access::create) flags |= SQLITE_OPEN_CREATE;
    sqlite3* const db = TRY(open_handle(name, path, flags));
    return Database(db, path);
}

Result<Database> Database::in_memory() {
    sqlite3* const db =
        TRY(open_handle(":memory:", "memory", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
    return Database(db, "memory");
}

Result<void> Database::execute(std::string const& sql) {
    if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        return failure(db_, *path_);
    return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr) !=
        SQLITE_OK)
        return failure(db_, *path_);
    return Statement(db_, statement, path_);
}

Result<std::int64_t> Database::number(std::string_view sql) {
    Statement statement = TRY(prepare(sql));
    if (!TRY(statement.step())) return error(*path_, "no answer to " + std::string(sql));
    return statement.integer(0);
}

std::int64_t Database::last_row() const {
    return sqlite3_last_insert_rowid(db_);
}

Result<Transaction> Transaction::begin(Database& db) {
    TRY(db.execute("BEGIN IMMEDIATE"));
    return Transaction(db);
}

Transaction::~Transaction() {
    if (db_ != nullptr) (void)db_->execute("ROLLBACK");
}

Result<void> Transaction::commit() {
    TRY(db_->execute("COMMIT"));
    db_ = nullptr;
    return {};
}

} // namespace iso::bench::history
