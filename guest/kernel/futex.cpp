// futex(2): waiting for a word of the program's memory to change.
#include "guest/kernel/futex.hpp"

#include "guest/kernel/clock.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/scheduler.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/usercopy.hpp"

#include <linux/futex.h>

namespace iso::guest {

namespace {

/// Which word: by address in a space, or by the memory behind it when that is shared.
struct Key {
    u64 where;
    AddressSpace const* space; // nullptr: `where` is guest-physical

    bool operator==(Key const&) const = default;
};

/// One that waits; on its thread's stack.
struct Sleeper {
    Key key;
    u32 bits;
    WaitQueue queue; // it alone
    bool woken = false;
    Sleeper* next = nullptr;
};

// Few wait at a time; in the order in which they came.
constinit Sleeper* first_sleeper = nullptr;

Result key_of(UserAddr address, Key& key) {
    if (address % 4 != 0) return -EINVAL;
    Gpa const gpa = user_page(address, Access::read);
    if (gpa == 0) return bad_pointer();
    AddressSpace& memory = current().memory();
    Vma* const area = memory.area_at(address);
    if (area != nullptr && area->shared)
        key = {gpa, nullptr};
    else
        key = {address, &memory};
    return 0;
}

void append(Sleeper& sleeper) {
    Sleeper** link = &first_sleeper;
    while (*link != nullptr)
        link = &(*link)->next;
    sleeper.next = nullptr;
    *link = &sleeper;
}

void remove(Sleeper& sleeper) {
    for (Sleeper** link = &first_sleeper; *link != nullptr; link = &(*link)->next)
        if (*link == &sleeper) {
            *link = sleeper.next;
            return;
        }
}

// Wakes up to `most`, moves up to `moved` of the others to `target`. How many both were.
u32 wake(Key const& key, u32 most, u32 bits, u32 moved = 0, Key const* target = nullptr) {
    u32 count = 0;
    for (Sleeper* sleeper = first_sleeper; sleeper != nullptr;) {
        Sleeper& each = *sleeper;
        sleeper = each.next;
        if (!(each.key == key) || (each.bits & bits) == 0) continue;
        if (most != 0) {
            --most;
            remove(each);
            each.woken = true;
            each.queue.wake_all();
        } else if (moved != 0) {
            --moved;
            each.key = *target;
        } else {
            break;
        }
        ++count;
    }
    return count;
}

Result wait(UserAddr address, u32 value, u64 deadline, u32 bits);

Result wait_again(u64 const (&argument)[4]) {
    return wait(argument[0], static_cast<u32>(argument[1]), argument[2],
                static_cast<u32>(argument[3]));
}

Result wait(UserAddr address, u32 value, u64 deadline, u32 bits) {
    if (bits == 0) return -EINVAL;
    Sleeper sleeper;
    sleeper.bits = bits;
    if (Result const result = key_of(address, sleeper.key); result != 0) return result;
    u32 now = 0;
    if (Result const result = get_user(now, address); result != 0) return result;
    if (now != value) return -EAGAIN;
    append(sleeper);
    while (!sleeper.woken) {
        Woken const why = block(sleeper.queue, deadline);
        if (sleeper.woken || why == Woken::event) continue;
        remove(sleeper);
        if (why == Woken::timeout) return -ETIMEDOUT;
        if (deadline == k_never) return -k_restart;
        return this_thread().go_on_with(wait_again, address, value, deadline, bits);
    }
    return 0;
}

Result wake_op(u64 address, u32 most, u32 most2, UserAddr other, u32 encoded) {
    Key first, second;
    if (Result const result = key_of(address, first); result != 0) return result;
    if (Result const result = key_of(other, second); result != 0) return result;
    u32 old = 0;
    if (Result const result = get_user(old, other); result != 0) return result;
    u32 const operation = encoded >> 28 & 7;
    u32 operand = encoded >> 12 & 0xfff;
    if ((encoded >> 28 & FUTEX_OP_OPARG_SHIFT) != 0) operand = 1u << (operand & 31);
    u32 const against = encoded & 0xfff;
    u32 value = 0;
    switch (operation) {
    case FUTEX_OP_SET:
        value = operand;
        break;
    case FUTEX_OP_ADD:
        value = old + operand;
        break;
    case FUTEX_OP_OR:
        value = old | operand;
        break;
    case FUTEX_OP_ANDN:
        value = old & ~operand;
        break;
    case FUTEX_OP_XOR:
        value = old ^ operand;
        break;
    default:
        return -ENOSYS;
    }
    if (Result const result = put_user(other, value); result != 0) return result;
    auto const is = static_cast<int>(old), than = static_cast<int>(against);
    bool holds = false;
    switch (encoded >> 24 & 15) {
    case FUTEX_OP_CMP_EQ:
        holds = is == than;
        break;
    case FUTEX_OP_CMP_NE:
        holds = is != than;
        break;
    case FUTEX_OP_CMP_LT:
        holds = is < than;
        break;
    case FUTEX_OP_CMP_LE:
        holds = is <= than;
        break;
    case FUTEX_OP_CMP_GT:
        holds = is > than;
        break;
    case FUTEX_OP_CMP_GE:
        holds = is >= than;
        break;
    default:
        return -ENOSYS;
    }
    u32 woken = wake(first, most, ~0u);
    if (holds) woken += wake(second, most2, ~0u);
    return woken;
}

// FUTEX_WAIT counts from now, the others name a time.
Result deadline_of(u64 operation, u64 flags, UserAddr timeout, u64& deadline) {
    deadline = k_never;
    if (timeout == 0) return 0;
    return deadline_in(timeout, operation != FUTEX_WAIT, (flags & FUTEX_CLOCK_REALTIME) != 0,
                       deadline);
}

} // namespace

Result sys_futex(u64 address, u64 operation, u64 value, u64 timeout, u64 other, u64 value3) {
    u64 const flags = operation & (FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
    u64 const command = operation & FUTEX_CMD_MASK;
    auto const number = static_cast<u32>(value);
    Key key, target;
    switch (command) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET: {
        u64 deadline = 0;
        if (Result const result = deadline_of(command, flags, timeout, deadline); result != 0)
            return result;
        return wait(address, number, deadline,
                    command == FUTEX_WAIT ? ~0u : static_cast<u32>(value3));
    }
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
        if (Result const result = key_of(address, key); result != 0) return result;
        if (command == FUTEX_WAKE_BITSET && static_cast<u32>(value3) == 0) return -EINVAL;
        return wake(key, number, command == FUTEX_WAKE ? ~0u : static_cast<u32>(value3));
    case FUTEX_CMP_REQUEUE: {
        u32 now = 0;
        if (Result const result = get_user(now, address); result != 0) return result;
        if (now != static_cast<u32>(value3)) return -EAGAIN;
        [[fallthrough]];
    }
    case FUTEX_REQUEUE:
        if (Result const result = key_of(address, key); result != 0) return result;
        if (Result const result = key_of(other, target); result != 0) return result;
        return wake(key, number, ~0u, static_cast<u32>(timeout), &target);
    case FUTEX_WAKE_OP:
        return wake_op(address, number, static_cast<u32>(timeout), other, static_cast<u32>(value3));
    default:
        return -ENOSYS; // priority inheritance
    }
}

namespace {

// A robust mutex whose owner is gone (set_robust_list(2), and the kernel's robust-futex-ABI).
void hand_on(UserAddr word, u32 owner) {
    u32 value = 0;
    if (get_user(value, word) != 0 || (value & FUTEX_TID_MASK) != owner) return;
    put_user(word, (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED);
    Key key;
    if ((value & FUTEX_WAITERS) != 0 && key_of(word, key) == 0) wake(key, 1, ~0u);
}

void hand_on_all(Thread const& thread) {
    constexpr u32 k_most = 2048; // as Linux: the list may be a ring
    robust_list_head head;
    if (get_user(head, thread.robust_list) != 0) return;
    auto entry = reinterpret_cast<UserAddr>(head.list.next);
    auto const offset = static_cast<u64>(head.futex_offset);
    for (u32 i = 0; i < k_most && entry != thread.robust_list; ++i) {
        UserAddr next = 0;
        bool const good = get_user(next, entry & ~1ull) == 0;
        hand_on((entry & ~1ull) + offset, thread.tid);
        if (!good) return;
        entry = next;
    }
    if (head.list_op_pending != nullptr)
        hand_on((reinterpret_cast<UserAddr>(head.list_op_pending) & ~1ull) + offset, thread.tid);
}

} // namespace

void leave_futexes(Thread& thread) {
    if (thread.robust_list != 0) hand_on_all(thread);
    if (thread.clear_on_exit == 0 || current().memory().users + current().thread_count <= 2) return;
    Key key;
    if (put_user(thread.clear_on_exit, u32{0}) == 0 && key_of(thread.clear_on_exit, key) == 0)
        wake(key, 1, ~0u);
}

} // namespace iso::guest
