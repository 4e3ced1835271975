#pragma once

#include "benchmarks/history/trend.hpp"
#include "common/result.hpp"

#include <string>
#include <vector>

namespace iso::bench {

/// `isobench history`: results over time, in a file.
struct HistoryOptions {
    std::string verb; ///< "add", "list", "show", "changes", "export", "import", "remove"
    std::string db = "history.db";
    std::vector<std::string> files; ///< of add and import
    std::vector<std::string> runs;  ///< of remove
    std::string commit;
    std::string date;
    std::vector<std::string> engines;
    std::vector<std::string> workloads;
    std::string machine;
    bool superseded = false;
    history::TrendRule rule;
    std::string format = "table";
    std::string output; ///< instead of stdout
};

/// Returns the exit status: 0 done; 1 the answer is no (of add: not everything in a result ran; of
/// changes: something got dearer), or not written; of changes 3: too few runs to say.
/// Errors of what was given: exit status 2.
Result<int> verb_history(HistoryOptions const& options);

} // namespace iso::bench
