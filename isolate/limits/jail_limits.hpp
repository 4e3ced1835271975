#pragma once

#include "common/report.hpp"
#include "isolate/limits/control_group.hpp"
#include "isolate/spec/spec.hpp"

#include <string>
#include <vector>

namespace iso::jail {

/// The limits of one jail on its way to start: decides by what they are enforced, makes its control
/// group, and moves its first process in. A jail without limits costs nothing here.
class JailLimits {
public:
    /// `options.path` is taken from the spec. Errors: limits.required and something is not
    /// enforced; a value or a path that cannot be meant; a group that cannot be made although it
    /// should be.
    Result<void> prepare(JailSpec const& spec, GroupOptions options);

    /// What is not enforced as asked, a line each, to be said before the program starts.
    [[nodiscard]] std::vector<std::string> const& warnings() const { return warnings_; }
    /// Process 1 has to wait until join() has put it into the group.
    [[nodiscard]] bool joins() const { return group_.valid(); }
    /// Memory is limited by RLIMIT_AS, for each process: there is no group for it.
    [[nodiscard]] bool address_space() const { return address_space_; }
    /// How memory is limited, in words; empty: not at all.
    [[nodiscard]] std::string const& memory_text() const { return memory_text_; }
    /// What was made and written, and what it cost: for --explain. Empty without a group.
    [[nodiscard]] std::vector<std::string> const& explained() const { return explained_; }

    /// Moves process 1 into the group. `born_inside`: clone(2) did so where it can.
    Result<void> join(pid_t pid, bool born_inside);

    /// Facts and counters of the group, before it is removed.
    void tell(RunReport& report) const;

    [[nodiscard]] ControlGroup& group() { return group_; }
    [[nodiscard]] ControlGroup const& group() const { return group_; }

private:
    ControlGroup group_;
    std::vector<std::string> warnings_;
    std::vector<std::string> explained_;
    std::string memory_text_;
    bool address_space_ = false;
    std::uint64_t make_ns_ = 0;
    std::uint64_t join_ns_ = 0;
};

} // namespace iso::jail
