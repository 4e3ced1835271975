#pragma once

#include "common/result.hpp"

#include <string>
#include <vector>

namespace iso::bench {

/// `isobench report`: result files as one page.
struct ReportOptions {
    std::vector<std::string> files;
    std::string history;                ///< a file of `isobench history`; empty: none
    std::string output = "report.html"; ///< "-" is stdout
};

/// Returns 0, or 1 when a result has cells that failed or are void: the page says which.
Result<int> verb_report(ReportOptions const& options);

} // namespace iso::bench
