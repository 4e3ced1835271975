#pragma once

#include "isolate/seccomp_compiler.hpp"
#include "isolate/spec/spec.hpp"

#include <string>
#include <vector>

namespace iso::jail {

/// A profile as Docker, Podman and OCI's linux.seccomp write it, ready for the compiler.
struct SeccompProfile {
    std::vector<ArchitecturePolicy> architectures;
    unsigned flags = 0; ///< SECCOMP_FILTER_FLAG_*
};

/// Reads a profile for a jail with these capabilities (a bit mask): Docker's "includes" and
/// "excludes" ask for them.
///
/// Errors: no such JSON, an unknown member, action, operator or flag, by its name; an unknown
/// system call unless `ignore_unknown`.
Result<SeccompProfile> read_profile(std::string const& text, std::uint64_t capabilities,
                                    bool ignore_unknown);

struct CompiledProfile {
    SeccompProgram program;
    unsigned flags = 0;
};

/// Reads the file or text that a spec names and compiles it.
Result<CompiledProfile> compile_profile(SeccompSpec const& spec, std::uint64_t capabilities);

} // namespace iso::jail
