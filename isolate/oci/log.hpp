#pragma once

#include "common/result.hpp"

#include <string>
#include <string_view>

namespace iso::jail {

/// --log, --log-format and --debug, as container engines give them.
struct LogLine {
    std::string file; ///< empty: none
    bool json = false;
    bool debug = false; ///< also what is of interest only when looking for a fault
};

/// From now on each error that is printed goes to the log as well, and log_line() to it.
Result<void> open_engine_log(LogLine const& log);

/// A line of "debug" or "warning". Without a log, warnings go to stderr.
void log_line(std::string_view level, std::string const& message);

} // namespace iso::jail
