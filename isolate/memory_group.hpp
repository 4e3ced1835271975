#pragma once

#include "common/result.hpp"

#include <cstdint>
#include <string>
#include <utility>

#include <sys/types.h>

namespace iso::jail {

/// Owns a group of the memory controller under the caller's own group, with a limit, made through
/// libcgroup (cgroup v1, v2 and hybrid). Removed at the end; should this process be killed, a
/// watching process of its own removes it.
class [[nodiscard]] MemoryGroup {
public:
    MemoryGroup() = default;
    MemoryGroup(MemoryGroup&& other) noexcept
        : name_(std::exchange(other.name_, {}))
        , directory_(std::exchange(other.directory_, {}))
        , v2_(other.v2_)
        , watcher_(std::exchange(other.watcher_, -1))
        , watcher_pipe_(std::exchange(other.watcher_pipe_, -1)) {}
    MemoryGroup& operator=(MemoryGroup&& other) noexcept {
        std::swap(name_, other.name_);
        std::swap(directory_, other.directory_);
        std::swap(v2_, other.v2_);
        std::swap(watcher_, other.watcher_);
        std::swap(watcher_pipe_, other.watcher_pipe_);
        return *this;
    }
    ~MemoryGroup() { (void)remove(); }

    /// Errors: no memory controller, or the caller may not make groups in it: then another means
    /// of limiting has to be taken.
    static Result<MemoryGroup> create(std::uint64_t limit_bytes);

    /// Moves a process (and what it forks from then on) into the group.
    Result<void> attach(pid_t pid) const;

    /// Times that the limit stopped an allocation, and the most memory held, in bytes.
    [[nodiscard]] std::uint64_t refusals() const;
    [[nodiscard]] std::uint64_t peak_bytes() const;

    /// Removes the group. Precondition: no process is left in it.
    Result<void> remove();

    [[nodiscard]] std::string const& name() const { return name_; }

private:
    Result<void> start_watcher();

    std::string name_;      ///< relative to the controller's mount point, as libcgroup wants it
    std::string directory_; ///< absolute
    bool v2_ = false;
    pid_t watcher_ = -1;
    int watcher_pipe_ = -1; ///< closed by our death, however that comes
};

} // namespace iso::jail
