#include "paravirt-demo/stub/spaces.hpp"

#include "paravirt-demo/stub/host_frame.hpp"

namespace iso::pv {

namespace {

Space g_spaces[k_max_slots];
bool g_live[k_max_slots];
unsigned g_current = 0;
uint64_t g_handlers[64];
uint64_t g_kernel_stack = 0;

constexpr int64_t k_einval = -22;

/// Puts the frame on the kernel stack and enters the handler of `vector`.
[[noreturn]] void deliver(iso_pv_frame const& frame, unsigned vector) {
    if (vector >= 64 || g_handlers[vector] == 0) {
        ask_monitor(k_request_crash, vector, frame.error, frame.rip, shared_info().fault_address,
                    0);
        for (;;) {
        }
    }
    ++control().events[vector];
    auto* const on_stack = reinterpret_cast<iso_pv_frame*>(g_kernel_stack) - 1;
    *on_stack = frame;
    iso_enter_handler(on_stack, g_handlers[vector], vector);
}

/// Waits for U's next event: a little while spinning, where the other core answers at once.
void await_event(Space const& space, uint32_t answered) {
    EventPage const& event = space.event();
    for (uint32_t spin = control().spin; spin != 0; --spin) {
        if (__atomic_load_n(&event.event_seq, __ATOMIC_ACQUIRE) != answered) return;
        asm volatile("pause");
    }
    uint32_t& asleep = space.command().kernel_asleep;
    while (__atomic_load_n(&event.event_seq, __ATOMIC_ACQUIRE) == answered && !space.dead()) {
        // Say so first, then look again: an event that comes in between sees who sleeps.
        __atomic_store_n(&asleep, 1U, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&event.event_seq, __ATOMIC_SEQ_CST) == answered && !space.dead())
            futex_wait(&event.event_seq, answered);
        __atomic_store_n(&asleep, 0U, __ATOMIC_RELAXED);
    }
}

/// Lets the virtual CPU go on from the event. User code could write `asleep`, but does not run now.
void answer(EventPage& event, uint32_t answered) {
    __atomic_store_n(&event.go, answered, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&event.asleep, __ATOMIC_SEQ_CST) != 0) futex_wake(&event.go);
}

} // namespace

Space* find_space(uint64_t identifier) {
    return identifier < k_max_slots && g_live[identifier] ? &g_spaces[identifier] : nullptr;
}

Space& current_space() {
    return g_spaces[g_current];
}

int64_t new_space() {
    int64_t const slot = ask_monitor(ISO_HC_MMUEXT_OP, ISO_MMUEXT_NEW_SPACE);
    if (slot < 0 || slot >= static_cast<int64_t>(k_max_slots)) return slot < 0 ? slot : k_einval;
    g_spaces[slot].reset(static_cast<unsigned>(slot));
    g_live[slot] = true;
    return slot;
}

int64_t forget_space(uint64_t identifier) {
    Space* const space = find_space(identifier);
    if (space == nullptr) return k_einval;
    space->unmap_all();
    space->barrier();
    return 0;
}

int64_t free_space(uint64_t identifier) {
    // The monitor does not wait for the process to end, and until then it may still run: what it
    // could reach is taken away here, unless the kernel did that already.
    if (forget_space(identifier) != 0) return k_einval;
    g_live[identifier] = false;
    return ask_monitor(ISO_HC_MMUEXT_OP, ISO_MMUEXT_FREE_SPACE, identifier);
}

// A new process announces itself with a first event, which every later answer builds on. Not told
// by the number: user code can make its next event any number, 0 too.
void settle(Space& space) {
    if (space.announced) return;
    space.announced = true;
    await_event(space, 0);
    space.last_event = __atomic_load_n(&space.event().event_seq, __ATOMIC_ACQUIRE);
}

int64_t select_space(uint64_t identifier) {
    if (find_space(identifier) == nullptr) return k_einval;
    g_current = static_cast<unsigned>(identifier);
    return 0;
}

void set_handler(unsigned vector, uint64_t address) {
    if (vector < 64) g_handlers[vector] = address;
}

void set_kernel_stack(uint64_t top) {
    g_kernel_stack = top & ~uint64_t{15};
}

bool upcall_pending() {
    return __atomic_load_n(&shared_info().upcall_pending, __ATOMIC_SEQ_CST) != 0;
}

void enter_user(iso_pv_frame const& frame) {
    Space& space = current_space();
    EventPage& event = space.event();
    settle(space);
    // A loop and no recursion: user code chooses how often it goes round, and the stack is the
    // guest kernel's.
    for (iso_pv_frame current = frame;;) {
        // First say that user code runs, then look for events: the monitor first sets them pending,
        // then looks whether user code runs. One of the two always sees the other.
        __atomic_store_n(&control().running, space.slot() + 1, __ATOMIC_SEQ_CST);
        if (upcall_pending() && g_handlers[k_event_tick] != 0) {
            __atomic_store_n(&control().running, 0U, __ATOMIC_SEQ_CST);
            deliver(current, k_event_tick);
        }
        if (!space.dead()) {
            put_registers(space, current);
            uint32_t const answered = space.last_event;
            if (space.has_queued()) {
                space.resume_after_commands(answered);
            } else {
                answer(event, answered);
            }
            await_event(space, answered);
            space.last_event = __atomic_load_n(&event.event_seq, __ATOMIC_ACQUIRE);
        }
        __atomic_store_n(&control().running, 0U, __ATOMIC_SEQ_CST);
        if (space.dead()) {
            current.error = 0; // no errno: the host ended it
            deliver(current, ISO_VECTOR_SPACE_DEAD);
        }
        unsigned const vector = take_registers(space, current);
        if (uint32_t const failed = event.map_error; failed != 0) {
            current.error = failed; // the host has no more mappings for it
            deliver(current, ISO_VECTOR_SPACE_DEAD);
        }
        // A tick that was latched, and whose event has been taken since, says nothing new.
        if (vector != k_event_tick || upcall_pending()) deliver(current, vector);
    }
}

} // namespace iso::pv
