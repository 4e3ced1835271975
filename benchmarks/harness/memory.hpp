#pragma once

#include <cstdint>
#include <optional>

namespace iso::bench {

/// What processes hold, bytes. Pages that several share count for each by its share in `pss`, and
/// not at all in `private_` (proc_pid_smaps(5)).
struct MemoryUse {
    std::uint64_t pss = 0;
    std::uint64_t private_ = 0;
};

/// Of every process below this one. Nothing when one of them may not be read.
std::optional<MemoryUse> memory_of_descendants();

} // namespace iso::bench
