#pragma once

#include "isolate/audit/outcome.hpp"

#include <string>
#include <vector>

namespace iso::jail {

struct AuditCount {
    unsigned held = 0, open = 0, asked_for = 0, not_applicable = 0, unknown = 0;
};
AuditCount count(std::vector<Outcome> const& outcomes);

/// For a person: a line for each attempt, by group. `explain`: and what the attempt is, what would
/// be had from it, and its source. `jail` says which jail it is.
std::string audit_table(std::vector<Outcome> const& outcomes, std::string const& jail,
                        bool explain);

/// The list of attempts as a table in Markdown: docs/audit.md.
std::string check_list();

/// What came of them as JSON, docs/audit.schema.json.
std::string audit_json(std::vector<Outcome> const& outcomes, std::string const& jail);

} // namespace iso::jail
