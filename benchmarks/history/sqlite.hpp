#pragma once

#include "common/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace iso::bench::history {

/// A prepared statement of SQLite. Columns count from 0, parameters from 1, as SQLite's do.
class [[nodiscard]] Statement {
public:
    Statement(Statement&& other) noexcept;
    Statement& operator=(Statement&&) = delete;
    ~Statement();

    Result<void> bind(int parameter, std::string_view text);
    Result<void> bind(int parameter, std::int64_t number);
    Result<void> bind(int parameter, std::optional<double> number);

    /// True: a row is there. False: the end.
    Result<bool> step();
    /// Runs it to its end and makes it ready to be bound anew.
    Result<void> run();

    [[nodiscard]] std::string text(int column) const;
    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] std::optional<double> real(int column) const; ///< nothing when NULL

private:
    friend class Database;
    Statement(sqlite3* db, sqlite3_stmt* statement, std::string const* path)
        : db_(db)
        , statement_(statement)
        , path_(path) {}
    sqlite3* db_;
    sqlite3_stmt* statement_;
    std::string const* path_;
};

/// A database file of SQLite, or one in memory. Errors name the file; exit status 2 where it is no
/// database or not whole, else 1.
class [[nodiscard]] Database {
public:
    enum class Access {
        existing, ///< the file has to be there
        create,   ///< is made when it is not there
    };
    static Result<Database> open(std::string const& path, Access access);
    static Result<Database> in_memory();
    Database(Database&& other) noexcept;
    Database& operator=(Database&&) = delete;
    ~Database();

    /// Runs statements that return nothing.
    Result<void> execute(std::string const& sql);
    Result<Statement> prepare(std::string_view sql);
    /// The first column of the first row.
    Result<std::int64_t> number(std::string_view sql);

    [[nodiscard]] std::int64_t last_row() const;
    [[nodiscard]] std::string const& path() const { return *path_; }

private:
    Database(sqlite3* db, std::string path);
    sqlite3* db_;
    std::string* path_; ///< on the heap: statements keep its address
};

/// Everything until commit() happens, or nothing does, whatever dies in between.
class [[nodiscard]] Transaction {
public:
    /// Takes the database's only writing lock at once: waits for another writer, up to the limit of
    /// Database::open(). Errors: somebody else keeps it.
    static Result<Transaction> begin(Database& db);
    Transaction(Transaction&& other) noexcept
        : db_(std::exchange(other.db_, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    Result<void> commit();

private:
    explicit Transaction(Database& db)
        : db_(&db) {}
    Database* db_;
};

} // namespace iso::bench::history
