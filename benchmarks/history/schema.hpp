#pragma once

#include "benchmarks/history/sqlite.hpp"

namespace iso::bench::history {

/// What tells that a database is a history: "isoH" in its header (PRAGMA application_id).
inline constexpr std::int64_t k_application_id = 0x69736f48;
/// The form of its tables (PRAGMA user_version). A change of them raises it.
inline constexpr std::int64_t k_schema_version = 1;

/// Makes the tables in an empty database. Precondition: within a transaction.
Result<void> create_schema(Database& db);

/// Whether it has no tables and belongs to nobody yet.
Result<bool> is_empty(Database& db);

/// Refuses (exit status 2) what is not a history, a newer or an older one, one with other tables,
/// one that is damaged or whose parts contradict each other. Changes nothing.
Result<void> check_schema(Database& db);

} // namespace iso::bench::history
