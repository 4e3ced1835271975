#pragma once

#include "guest/kernel/types.hpp"

namespace iso::guest {

inline constexpr u64 k_sector = 512;
inline constexpr u64 k_block_sectors = k_page / k_sector;

/// Neighbouring blocks of the disk, of a page each, and the neighbouring frames that they go to or
/// come from.
struct BlockRun {
    u64 block;
    Gpa first;
    u32 count;
};

/// Gathers blocks that are to be moved into runs, and moves them many at a time: crossing to the
/// engine is the dear part.
class BlockBatch {
public:
    explicit BlockBatch(bool write)
        : write_(write) {}

    void add(u64 block, Gpa frame, u32 count = 1);
    /// Moves what is left. 0, or the first error of all: -EIO.
    i64 finish();

private:
    static constexpr u32 k_runs = 32;
    bool write_;
    u32 count_ = 0;
    i64 error_ = 0;
    BlockRun runs_[k_runs];
};

} // namespace iso::guest
