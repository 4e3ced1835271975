#pragma once

#include "isolate/limits/backend.hpp"

#include <vector>

namespace iso::jail {

/// What a guardian is told when the group is gone, or stays on purpose.
inline constexpr char k_guardian_done = 'd';

/// The life of the process that outlives a killed launcher: waits for an order through `pipe` or
/// for the end of `launcher`, a pidfd (a pipe's end would not do: what the launcher starts may hold
/// it open). Then it ends what is in the places and removes them. It was forked before they were
/// made, so there is no moment at which nobody knows of them.
[[noreturn]] void guard(int pipe, int launcher, std::vector<GroupPlace> const& places,
                        std::vector<std::string> const& made_above);

} // namespace iso::jail
