#pragma once

#include "benchmarks/harness/interrupt.hpp"
#include "benchmarks/harness/progress.hpp"
#include "common/result.hpp"
#include "common/temp_dir.hpp"

#include <string>

namespace iso::bench {

/// What `--base` or `--head` names.
struct Side {
    enum class Kind { file, tree, revision };
    Kind kind = Kind::file;
    std::string text;       ///< as typed
    std::string path;       ///< file: the file; tree: the folder with the engines' programs
    std::string workloads;  ///< tree: the folder with the workloads
    std::string commit;     ///< revision: its full name
    std::string repository; ///< revision: the top of the working tree that knows it

    [[nodiscard]] bool is_measured() const { return kind != Kind::file; }
};

/// A file; else a folder that holds engines (in itself, in bin/ or in build/bin/); else a git
/// revision of the repository around the current directory.
/// Errors (exit status 2): none of these.
Result<Side> resolve_side(std::string const& option, std::string const& text);

/// Exports the revision's files into `place` (a new folder is made there for it) and builds the
/// programs and workloads. Afterwards the side is a tree. A build that is there already is used.
/// Errors: git, CMake or the compiler failed; the message says where the log is.
Result<void> build_revision(Side& side, std::string const& place, Interrupts& interrupts,
                            Progress& progress);

} // namespace iso::bench
