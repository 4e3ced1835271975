#pragma once

#include "benchmarks/history/record.hpp"
#include "benchmarks/history/sqlite.hpp"

#include <string>
#include <vector>

namespace iso::bench::history {

/// What became of the runs that were to be added.
struct Merged {
    std::vector<std::string> added;
    std::vector<std::string> known; ///< were there already
};

/// What to do with a run that is there already.
enum class Known {
    skip,    ///< the same measurement: nothing
    compare, ///< refuse it when what is said of it differs
};

/// A history in a file of SQLite.
///
/// Every writing function does all or nothing, in one transaction: a death at any moment leaves the
/// file as it was, and two writers at once wait for each other. Errors of all: the file is no
/// history, is damaged or is of a newer form (exit status 2, and it is not touched); it cannot be
/// read or written (1).

/// Everything that is in it, sorted. A file of no bytes, as a writer leaves that died before its
/// first run, holds nothing.
Result<History> load(std::string const& path);

/// Adds runs with their points. Makes the file when it is not there.
Result<Merged> merge(std::string const& path, History const& more, Known known);

/// Removes runs, and what is left without a point. `ids`: ids, or beginnings of them that name one.
/// Returns the ids. Errors (exit status 2): one that names none or several; then all are kept.
Result<std::vector<std::string>> remove(std::string const& path,
                                        std::vector<std::string> const& ids);

} // namespace iso::bench::history
