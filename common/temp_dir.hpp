#pragma once

#include "common/fd.hpp"

#include <functional>
#include <string>
#include <utility>

namespace iso {

/// Owns a temporary directory, removed with its contents at the end.
class [[nodiscard]] TempDir {
public:
    TempDir() = default;
    TempDir(TempDir&& other) noexcept
        : path_(std::exchange(other.path_, {}))
        , hold_(std::move(other.hold_)) {}
    TempDir& operator=(TempDir&& other) noexcept {
        std::swap(path_, other.path_);
        std::swap(hold_, other.hold_);
        return *this;
    }
    ~TempDir();

    /// Where they are made: $TMPDIR, or /tmp.
    static std::string place();
    /// Makes $TMPDIR/PREFIX.XXXXXX (or /tmp), mode 0700.
    static Result<TempDir> create(std::string const& prefix);
    /// The same, and holds it by flock(2) for as long as this process lives: when nobody holds one,
    /// its owner was killed.
    static Result<TempDir> create_held(std::string const& prefix);
    /// Removes those of this user, made by create_held() with this prefix, whose owners are dead.
    /// What is mounted there is unmounted; where that is refused the directory stays.
    /// `before` is called with each first, while what is in it is still there.
    static void remove_abandoned(std::string const& prefix,
                                 std::function<void(std::string const&)> const& before = {});

    [[nodiscard]] std::string const& path() const { return path_; }
    /// By which create_held() holds it; else -1.
    [[nodiscard]] int hold_fd() const { return hold_.get(); }

private:
    std::string path_;
    Fd hold_;
};

} // namespace iso
