#include "guest/kernel/thread.hpp"

#include "guest/kernel/frame.hpp"
#include "guest/kernel/memory.hpp"
#include "guest/kernel/scheduler.hpp"
#include "guest/port/port.hpp"

#include <new>

namespace iso::guest {

namespace {

constinit u32 thread_count = 1; // the image's own

constexpr u64 k_stack_bytes = Thread::k_stack_frames * k_page;

u32 fpu_frames() {
    static u32 const count = static_cast<u32>(page_up(port::fpu_bytes()) >> k_page_bits);
    return count;
}

} // namespace

bool Thread::make_fpu_room() {
    if (fpu != nullptr) return true;
    fpu_frame = frames.take_contiguous(fpu_frames());
    if (fpu_frame == 0) return false;
    fpu = linear(fpu_frame);
    return true;
}

Thread* Thread::create() {
    if (thread_count == k_threads_max) return nullptr;
    Gpa const place = frames.take_contiguous(k_stack_frames);
    if (place == 0) return nullptr;
    auto* const thread = ::new (linear(place)) Thread;
    thread->stack_top = reinterpret_cast<u64>(linear(place)) + k_stack_bytes;
    if (thread->make_fpu_room()) {
        ++thread_count;
        return thread;
    }
    frames.release(place, k_stack_frames);
    return nullptr;
}

void Thread::start_at(TrapFrame const& frame) {
    auto* const on_stack = reinterpret_cast<TrapFrame*>(stack_top) - 1;
    *on_stack = frame;
    // What switch_stack() expects: six registers, and where to go on.
    u64* const bottom = reinterpret_cast<u64*>(on_stack) - 8;
    bottom[6] = reinterpret_cast<u64>(&start_thread);
    kernel_stack_pointer = reinterpret_cast<u64>(bottom);
}

Result Thread::go_on_with(Result (*call)(u64 const (&argument)[4]), u64 a, u64 b, u64 c, u64 d) {
    remainder = {call, {a, b, c, d}};
    return -k_restart_remainder;
}

// The image's own thread is never given back: the machine ends with its process.
void bury(Thread* thread) {
    --thread_count;
    if (thread->fpu != nullptr) frames.release(thread->fpu_frame, fpu_frames());
    frames.release(gpa_of(thread), Thread::k_stack_frames);
}

} // namespace iso::guest
