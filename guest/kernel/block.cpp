#include "guest/kernel/block.hpp"

#include "guest/port/port.hpp"

namespace iso::guest {

void BlockBatch::add(u64 block, Gpa frame, u32 count) {
    if (count_ != 0) {
        BlockRun& last = runs_[count_ - 1];
        if (last.block + last.count == block && last.first + last.count * k_page == frame) {
            last.count += count;
            return;
        }
        if (count_ == k_runs) finish();
    }
    runs_[count_++] = {block, frame, count};
}

i64 BlockBatch::finish() {
    if (count_ != 0) {
        i64 const result = port::move_blocks(write_, runs_, count_);
        if (error_ == 0) error_ = result;
    }
    count_ = 0;
    return error_;
}

} // namespace iso::guest
