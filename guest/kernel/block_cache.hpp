#pragma once

#include "guest/kernel/errno.hpp"
#include "guest/kernel/frame.hpp"

// Blocks of the disk in memory: contents of files as well as what they are found by. A block of a
// file is mapped into programs as it lies here; its frame then has more than one reference.

namespace iso::guest {

struct Buffer {
    u32 block = 0;
    u16 pins = 0;        // somebody uses it across something that may take memory
    bool dirty = false;  // the disk has something else
    bool shared = false; // a program can write to it without the kernel seeing it
    bool recent = false; // it was used since the last look
    Gpa frame = 0;
    Buffer* chain = nullptr;                     // same bucket
    Buffer *next = nullptr, *previous = nullptr; // all of them, in a circle
    Buffer *next_dirty = nullptr, *previous_dirty = nullptr;
};

namespace block_cache {

/// False: no memory. Once, before anything else.
bool start();
/// How many blocks it holds if others leave it that much.
u32 limit();
u32 dirty_count();
Buffer* first_dirty();

/// The block if it is here.
Buffer* find(u32 block);
/// The block, read if need be. -EIO, -ENOMEM.
Result get(u32 block, Buffer*& buffer);
/// A block that is new: zeros. -ENOMEM.
Result make(u32 block, Buffer*& buffer);
/// Makes sure that the next `count` calls of add() do not fail, whatever is read in between to find
/// a place in a file; false: no memory.
bool prepare(u32 count = 1);
/// Takes the frame over as the block's content; nullptr when there is no memory.
Buffer* add(u32 block, Gpa frame);
/// A run of frames for new blocks, with any content; count 0 when there is no memory.
FrameRun take_frames(u32 want);
/// Somebody uses it: it must not be dropped.
bool is_pinned(u32 block);
/// Forgets a block whose content does not matter any more. True: a program has it mapped.
bool drop(u32 block);
/// The same content under another number.
void rename(Buffer& buffer, u32 block);
void set_dirty(Buffer& buffer);
/// The disk has it. One that a program can write to unseen stays dirty.
void set_clean(Buffer& buffer);
/// Gives up blocks that were not used lately until `pages` more have room, as far as possible.
void make_room(u32 pages);
/// Gives up some blocks, for a program that would have to end otherwise; false: there is none that
/// can go.
bool give_back();
/// Forgets everything; nothing is pinned or mapped. For tests.
void clear();

} // namespace block_cache

/// Keeps a buffer where it is.
class Pin {
public:
    explicit Pin(Buffer* buffer)
        : buffer_(buffer) {
        if (buffer_ != nullptr) ++buffer_->pins;
    }
    ~Pin() {
        if (buffer_ != nullptr) --buffer_->pins;
    }
    Pin(Pin const&) = delete;
    Pin& operator=(Pin const&) = delete;
    void set(Buffer* buffer) {
        if (buffer != nullptr) ++buffer->pins;
        if (buffer_ != nullptr) --buffer_->pins;
        buffer_ = buffer;
    }

private:
    Buffer* buffer_;
};

} // namespace iso::guest
