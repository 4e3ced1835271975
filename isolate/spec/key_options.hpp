#pragma once

#include "isolate/spec/keys.hpp"

#include <vector>

namespace CLI {
class App;
}

namespace iso::jail {

/// Declares every key of the table as an option --KEY of `command`, except those that it already
/// has. What is said is appended to `said`, in the order of the line; apply() takes it into a spec
/// once the jail file (--file) has been read. `said` must outlive the parsing.
void add_key_options(CLI::App& command, std::vector<KeyValue>& said);

} // namespace iso::jail
