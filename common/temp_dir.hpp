#pragma once

#include "common/result.hpp"

#include <string>
#include <utility>

namespace iso {

/// Owns a temporary directory, removed with its contents at the end.
class [[nodiscard]] TempDir {
public:
    TempDir() = default;
    TempDir(TempDir&& other) noexcept
        : path_(std::exchange(other.path_, {})) {}
    TempDir& operator=(TempDir&& other) noexcept {
        std::swap(path_, other.path_);
        return *this;
    }
    ~TempDir();

    /// Makes $TMPDIR/PREFIX.XXXXXX (or /tmp), mode 0700.
    static Result<TempDir> create(std::string const& prefix);

    [[nodiscard]] std::string const& path() const { return path_; }

private:
    std::string path_;
};

} // namespace iso
