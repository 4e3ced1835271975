#pragma once

#include "common/result.hpp"

#include <string>
#include <vector>

namespace iso::jail {

/// One thing to make in the jail's root so that it shows what --root holds.
struct RootEntry {
    enum class Kind {
        tree,      ///< bind this directory with all below it
        file,      ///< bind this file
        directory, ///< make a directory: its entries follow one by one
        link,      ///< make a symbolic link to `target`
    };
    Kind kind;
    std::string path; ///< absolute, inside
    std::string target;
};

struct RootLayout {
    std::string directory; ///< --root, resolved
    std::vector<RootEntry> entries;
};

/// Works out how to show `directory` read-only while some paths of it are the jail's own.
///
/// A directory is bound as a whole unless one of `own` has to be made in it; then it is made anew
/// and its entries are bound one by one. Symbolic links are read, never followed.
/// Errors: the directory cannot be read; one of `own` would have to be made behind a symbolic link.
Result<RootLayout> lay_out_root(std::string const& directory, std::vector<std::string> const& own);

} // namespace iso::jail
