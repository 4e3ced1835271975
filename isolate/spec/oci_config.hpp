#pragma once

#include "common/result.hpp"
#include "isolate/spec/spec.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace iso::jail {

/// What a config.json said.
struct OciConfig {
    JailSpec spec;
    /// Warnings for a log, one a line: unknown fields, which the specification forbids to be
    /// errors, and capabilities that this kernel's headers do not have.
    std::vector<std::string> notes;
};

/// Reads a config.json of the OCI runtime specification, 1.0 to 1.3, for Linux. Relative paths are
/// relative to `bundle`. Every field is honoured or refused by its full name; the exceptions are
/// in the notes.
/// Errors: op is "WHERE: linux.resources.memory.limit", WHERE as given.
Result<OciConfig> read_oci_config(std::string_view text, std::string const& bundle,
                                  std::string const& where);

/// Reads a `process` object alone, as `exec --process FILE` gets it.
Result<ProcessSpec> read_oci_process(std::string_view text, std::string const& where,
                                     std::vector<std::string>& notes);

/// Reads a `linux.resources` object alone, as `update --resources FILE` gets it. What it does not
/// name stays as it is in `limits`.
Result<void> read_oci_resources(std::string_view text, std::string const& where, LimitSpec& limits,
                                std::vector<std::string>& notes);

/// The jail as a config.json. Errors: something that the specification has no words for.
Result<std::string> write_oci_config(JailSpec const& spec);

/// What `isolate spec` writes to begin with: a shell in ./rootfs. Without root (`rootless`) in a
/// user namespace that maps the one caller.
JailSpec usual_oci_jail(bool rootless, std::uint32_t uid, std::uint32_t gid);

} // namespace iso::jail
