#pragma once

#include "common/result.hpp"

#include <string>

namespace iso::bench {

/// A file that is there complete or not at all: written beside its place and renamed into it.
///
/// A path that exists and is no regular file (a pipe, a device) is written to directly.
class [[nodiscard]] OutputFile {
public:
    OutputFile() = default;

    /// Finds out now whether it can be written, before anyone waits for what is to be in it.
    /// Leaves nothing behind. Errors: exit status 1.
    static Result<OutputFile> prepare(std::string const& path);

    /// Writes it. Errors: exit status 1, and no part of it is left; a former file is untouched.
    Result<void> commit(std::string const& contents) const;

    explicit operator bool() const { return !path_.empty(); }
    /// What a symbolic link names, when the path is one.
    [[nodiscard]] std::string const& path() const { return path_; }
    /// Whether there can be files beside it: it is a regular file, or will be.
    [[nodiscard]] bool regular() const { return !path_.empty() && !direct_; }

private:
    [[nodiscard]] std::string temporary() const;
    std::string path_;
    bool direct_ = false;
};

} // namespace iso::bench
