#pragma once

#include "benchmarks/gate/side.hpp"
#include "benchmarks/harness/interrupt.hpp"
#include "benchmarks/harness/progress.hpp"

#include <string>
#include <vector>

namespace iso::bench {

/// Builds a revision in `place`, in a folder named by its commit: the files as they were committed,
/// and of what can be built from them only the programs of these engines and the workloads.
/// Afterwards the side is a tree. What an earlier build left there is used; the repository and its
/// working tree are only read.
///
/// An engine that the revision does not have yet is left out. Errors (exit status 2): git, CMake or
/// the build failed; the message has the first error of the compiler.
Result<void> build_revision(Side& side, std::vector<std::string> const& engines,
                            std::string const& place, Interrupts& interrupts, Progress& progress);

/// The line of a build's output that says why it failed.
std::string cause_of_failure(std::string const& log);

} // namespace iso::bench
