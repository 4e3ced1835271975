#include "guest/kernel/scheduler.hpp"

#include "guest/kernel/clock.hpp"
#include "guest/kernel/console.hpp"
#include "guest/kernel/log.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/usercopy.hpp"
#include "guest/port/port.hpp"

extern "C" void iso_switch_stack(iso::guest::u64* keep, iso::guest::u64 to);

namespace iso::guest {

namespace {

bool anybody_ready() {
    return this_cpu.ready_first != nullptr;
}

// Nobody can run: lets the engine sleep until a timer is due or input is there.
void idle_until_ready() {
    for (;;) {
        timers.expire();
        if (anybody_ready()) return;
        if (clock::sleep_until(timers.earliest(), !console::input_queue.empty()))
            console::input_queue.wake_all();
    }
}

Thread& next_in_line() {
    if (!anybody_ready()) idle_until_ready();
    Thread& thread = *this_cpu.ready_first;
    this_cpu.ready_first = thread.next_ready;
    if (this_cpu.ready_first == nullptr) this_cpu.ready_last = nullptr;
    return thread;
}

// The floating-point registers of the space (or processor) become `thread`'s.
void own_registers(Thread& thread) {
    Thread*& holder = port::k_fpu_per_space ? thread.space->registers_of : this_cpu.registers_of;
    if (holder == &thread) return;
    if (holder != nullptr) port::fpu_save(holder->fpu);
    if (thread.fpu != nullptr) port::fpu_restore(thread.fpu);
    holder = &thread;
}

void bury_ended() {
    Thread* const ended = this_cpu.ended;
    if (ended == nullptr) return;
    this_cpu.ended = nullptr;
    bury(ended);
}

// Makes `next` the thread that runs, all but its stack.
void become(Thread& next) {
    Thread& previous = this_thread();
    if (previous.stack_guard != Thread::k_intact) panic("a kernel stack overflowed");
    u64 const now = port::cycles();
    previous.cycles += now - previous.cycles_at_start;
    next.cycles_at_start = now;
    this_cpu.thread = &next;
    this_cpu.process = next.process;
    if (this_cpu.space != next.space) {
        this_cpu.space = next.space;
        port::switch_space(next.space->table);
        if (this_cpu.dropped != nullptr) free_space(this_cpu.dropped);
        this_cpu.dropped = nullptr;
    }
    own_registers(next);
    port::set_kernel_stack(next.stack_top);
}

void switch_to(Thread& next) {
    Thread& previous = this_thread();
    if (&next == &previous) return;
    become(next);
    iso_switch_stack(&previous.kernel_stack_pointer, next.kernel_stack_pointer);
    // This thread again.
    bury_ended();
    if (signals_due(previous) || previous.process->state == ProcessState::stopped)
        iso_work_pending = 1;
}

} // namespace

constinit Cpu this_cpu = {
    .thread = &first_thread,
    .process = &first_process,
    .space = &first_space,
    .ready_first = nullptr,
    .ready_last = nullptr,
    .registers_of = &first_thread,
    .ended = nullptr,
    .dropped = nullptr,
    .alarm = 0,
    .turn_ends = false,
    .give_way = false,
};

void start_thread() {
    bury_ended();
    Thread& thread = this_thread();
    if (thread.thread_pointer != 0) port::set_fs_base(thread.thread_pointer);
    if (thread.set_on_start != 0) put_user(thread.set_on_start, thread.tid);
    auto* const frame = reinterpret_cast<TrapFrame*>(thread.stack_top) - 1;
    iso_user_work(frame);
    port::enter_user(*frame);
}

namespace scheduler {

void make_ready(Thread& thread) {
    thread.state = ThreadState::ready;
    thread.next_ready = nullptr;
    (this_cpu.ready_last != nullptr ? this_cpu.ready_last->next_ready : this_cpu.ready_first) =
        &thread;
    this_cpu.ready_last = &thread;
    if (!this_cpu.turn_ends) iso_work_pending = 1; // the running thread's time is limited now
}

void wake(Thread& thread, Woken why) {
    if (thread.state != ThreadState::blocked) return;
    thread.woken = why;
    make_ready(thread);
}

void yield() {
    this_cpu.give_way = false;
    if (!anybody_ready()) return;
    make_ready(this_thread());
    switch_to(next_in_line());
}

void wait() {
    this_thread().state = ThreadState::blocked;
    switch_to(next_in_line());
}

void leave() {
    Thread& thread = this_thread();
    thread.state = ThreadState::ended;
    Thread& next = next_in_line();
    become(next);
    this_cpu.ended = &thread;
    u64 nobody;
    iso_switch_stack(&nobody, next.kernel_stack_pointer);
    __builtin_unreachable();
}

void settle() {
    if (this_cpu.give_way) yield();
    u64 needed = timers.earliest();
    if (anybody_ready()) {
        if (this_cpu.turn_ends && this_cpu.alarm <= needed) return;
        this_cpu.turn_ends = true;
        needed = smaller(needed, clock::monotonic_ns() + k_slice_ns);
    }
    if (needed == k_never || (this_cpu.alarm != 0 && this_cpu.alarm <= needed)) return;
    this_cpu.alarm = needed;
    port::set_timer(needed);
}

void tick() {
    this_cpu.alarm = 0;
    this_cpu.turn_ends = false;
    timers.expire();
    this_cpu.give_way = anybody_ready();
    iso_work_pending = 1;
}

} // namespace scheduler

} // namespace iso::guest

void iso_timer_tick() {
    iso::guest::scheduler::tick();
}
