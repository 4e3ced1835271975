#pragma once

#include "common/result.hpp"
#include "isolate/spec/spec.hpp"

#include <string>

#include <sys/types.h>

namespace iso::jail {

/// Whether there are hooks for a moment, by OCI's name of it.
[[nodiscard]] bool has_hooks(JailSpec const& spec, char const* moment);

/// Runs the hooks of a moment in order, each to its end: OCI's config.md, "POSIX-platform Hooks".
/// `state`: what each finds on its stdin. `inside`: process 1 of the jail, in whose namespaces they
/// are found and run; 0: ours.
/// Errors: one that cannot be started, ended with another status than 0, or took longer than its
/// timeout and was ended; those after it do not run.
Result<void> run_hooks(JailSpec const& spec, char const* moment, std::string const& state,
                       pid_t inside = 0);

/// The same where OCI asks for a warning instead of an error, and for those after it to run.
void run_late_hooks(JailSpec const& spec, char const* moment, std::string const& state);

} // namespace iso::jail
