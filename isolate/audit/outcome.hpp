#pragma once

#include "common/result.hpp"
#include "isolate/audit/check.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace iso::jail {

/// What came of one attempt, and whether the jail's options asked for it.
struct Outcome {
    Check const* check = nullptr;
    State state = State::unknown;
    By by = By::nothing;
    std::string detail;
    std::string asked_for; ///< the option that opens it; only of what is open
};

/// The most that the battery can have to say.
inline constexpr std::size_t k_max_answer_bytes = std::size_t{64} << 10U;

/// Reads what the battery wrote: it ran where anybody may have written in its place, so nothing of
/// it is believed but its form. One outcome for each check, in the order of checks().
/// Errors: a line of another form, an id that is none or comes twice, an attempt that is missing.
Result<std::vector<Outcome>> read_outcomes(std::string_view text);

/// What a process of the host said of itself (`battery stay`), as words for the battery.
/// Errors: they are not KEY=VALUE.
Result<std::vector<std::string>> read_facts(std::string_view line);

} // namespace iso::jail
