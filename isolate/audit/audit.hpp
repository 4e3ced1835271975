#pragma once

#include "isolate/audit/outcome.hpp"

#include <functional>
#include <string>
#include <vector>

namespace iso::jail {

/// Runs a program from a descriptor with these words as its arguments, to its end, in the jail that
/// is audited, and says how that went, as `isolate run` does. Called in a process of its own.
using RunInside = std::function<int(int program, std::vector<std::string> const& words)>;

/// What came of it: the outcomes, or, where no jail could be made, the exit status of who tried,
/// which has said why.
struct Audited {
    std::vector<Outcome> outcomes;
    int failed = 0;
};

/// Makes every attempt from inside of a jail. `facts`: words for the battery beside those about the
/// host.
Result<Audited> audit(RunInside const& run_inside, std::vector<std::string> facts);

} // namespace iso::jail
