#pragma once

#include "common/result.hpp"

#include <string>

namespace iso::bench::history {

/// A moment in UTC, "2026-01-02T03:04:05Z", from that form, from a date alone, or with an offset
/// from UTC instead of the Z, as `git log --format=%cI` prints it (ISO 8601).
/// Errors (exit status 2): anything else, or a date that no calendar has.
Result<std::string> utc_date(std::string const& text);

} // namespace iso::bench::history
