#pragma once

#include "common/result.hpp"

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

/// realpath(3). Errors: it does not exist.
Result<std::string> absolute_path(std::string const& path);

/// A file; else a folder that holds engines (in itself, in bin/ or in build/bin/); else a git
/// revision of the repository around the current directory.
/// Errors (exit status 2): none of these; git cannot say.
Result<Side> resolve_side(std::string const& option, std::string const& text);

/// A revision that is checked out is easily taken for the files that are there.
/// Errors (exit status 2): it is, and files that git tracks were changed.
Result<void> check_committed(std::string const& option, Side const& side);

} // namespace iso::bench
