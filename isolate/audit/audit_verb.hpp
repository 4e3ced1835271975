#pragma once

#include "isolate/jail.hpp"
#include "isolate/spec/keys.hpp"

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace iso::jail {

/// What the command line of `isolate audit` says beside the options of `run`.
struct AuditLine {
    std::string name;    ///< of a living jail
    std::string battery; ///< write the battery to this file
    std::string format = "table";
    bool strict = false;
    bool list = false; ///< only tell which attempts there are
};

void add_audit_options(CLI::App& command, AuditLine& line);

/// Whether the line describes a jail although it names one that lives already.
bool contradicts(CLI::App const& command, AuditLine const& line);

/// Audits the jail that `options` describe. `said`: what the line says by keys; `state`: where
/// jails with names are; `run`: makes a jail and tells how it went. Returns the exit status.
int audit_verb(AuditLine const& line, std::string const& state, JailOptions options,
               std::vector<KeyValue> const& said,
               std::function<int(JailOptions const&)> const& run);

} // namespace iso::jail
