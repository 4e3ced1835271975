#pragma once

#include "benchmarks/history/record.hpp"
#include "common/result.hpp"

#include <string>

namespace iso::bench::history {

/// What a person says of a result that is added.
struct Label {
    std::string commit; ///< may be empty
    std::string date;   ///< as utc_date() writes it; empty: the result's own
};

/// The id of a run: a hash of its samples as they were taken, so that the same measurement is known
/// again under any file name, whichever version of isobench wrote the file anew.
std::string run_id(Results const& results);

/// A result as a history of one run: a point for each deciding cell of each engine but native.
/// What failed or is void is a point without a number. Errors (exit status 2): counts instead of
/// times, a gate's run (which holds two versions), nothing that is compared with native.
Result<History> history_of(Results const& results, Label const& label);

/// The text without what a terminal would act on, and not longer than a line may be: text of a
/// result comes from programs. UTF-8 stays UTF-8.
std::string plain(std::string text);

/// Appends `more`'s parts that are not there yet. Precondition: what both have is the same.
void append(History& history, History const& more);

} // namespace iso::bench::history
