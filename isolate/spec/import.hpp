#pragma once

#include "common/result.hpp"
#include "isolate/spec/spec.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace iso::jail {

/// Systems whose configuration isolate reads.
enum class ForeignSystem : std::uint8_t { freebsd_jail, solaris_zone, openvz, linux_vserver, oci };

/// "freebsd-jail" and so on, as --from has them; virtuozzo is read as openvz.
std::optional<ForeignSystem> foreign_system(std::string_view name);
char const* foreign_name(ForeignSystem system);
std::string foreign_names();

/// What became of one thing that the configuration says.
struct ImportLine {
    enum class Fate : std::uint8_t {
        kept,         ///< means the same here
        approximated, ///< something near to it; `why` says what differs
        lost,         ///< nothing here does that
    };
    Fate fate = Fate::lost;
    std::string where;  ///< "jail.conf:12"
    std::string said;   ///< "securelevel = 2"
    std::string became; ///< "root = /srv/web", of several the first
    std::string why;
    std::string source; ///< the manual that says what it means there: "jail(8)"
};

struct Imported {
    ForeignSystem system = ForeignSystem::oci;
    JailSpec spec;
    std::vector<ImportLine> lines;
};

/// Reads the configuration of another system from a file, or, for Linux-VServer, a directory.
/// The system is recognised when `from` is empty; `jail` names one of several in a jail.conf.
/// Errors: it cannot be read, is of no system known here, or is not well-formed; the place is
/// named.
Result<Imported> import_jail(std::string const& path, std::optional<ForeignSystem> from,
                             std::string const& jail);

/// What was kept, approximated and lost, line by line, as a table for a terminal.
std::string import_report(Imported const& imported);

} // namespace iso::jail
