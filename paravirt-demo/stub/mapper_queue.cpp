#include "paravirt-demo/stub/mapper_queue.hpp"

#include "common/abi/guest_abi.h"

#include <sys/syscall.h>

namespace iso::pv {

namespace {
constexpr uint64_t k_shared_fixed_populate = 0x01 | 0x10 | 0x8000;
constexpr uint64_t k_max_command_bytes = uint64_t{1}
                                         << 31U; // the mapper's filter takes 32-bit lengths
} // namespace

void Space::reset(unsigned slot) {
    *this = Space();
    slot_ = slot;
}

MapperCommand& Space::append() {
    // The slot of the ring may still be read: the mapper's progress is known only by its
    // acknowledgement, because every other word of U can be forged by guest user code.
    if (tail_ - acknowledged_ == k_mapper_ring - 2) barrier();
    queued_ = true;
    return command().ring[tail_++ % k_mapper_ring];
}

void Space::map(uint64_t va, uint64_t offset, uint64_t bytes, uint32_t protection) {
    gather({va, bytes, offset, protection, Change::map});
}

void Space::unmap(uint64_t va, uint64_t bytes) {
    gather({va, bytes, 0, 0, Change::unmap});
}

void Space::protect(uint64_t va, uint64_t bytes, uint32_t protection) {
    gather({va, bytes, 0, protection, Change::protect});
}

void Space::unmap_all() {
    pending_.bytes = 0; // whatever it was, this undoes it
    if (!mapped_) return;
    mapped_ = false;
    gather({ISO_USER_LOW, ISO_USER_HIGH - ISO_USER_LOW, 0, 0, Change::unmap});
}

void Space::gather(Pending const& next) {
    bool const continues =
        pending_.bytes != 0 && next.change == pending_.change &&
        next.va == pending_.va + pending_.bytes && next.protection == pending_.protection &&
        pending_.bytes + next.bytes <= k_max_command_bytes &&
        (next.change != Change::map || next.offset == pending_.offset + pending_.bytes);
    if (continues) {
        pending_.bytes += next.bytes;
        return;
    }
    flush_pending();
    pending_ = next;
}

void Space::flush_pending() {
    if (pending_.bytes == 0) return;
    Pending const now = pending_;
    pending_.bytes = 0;
    MapperCommand& entry = append();
    entry.kind = k_mapper_call;
    uint64_t const arguments[6] = {now.va,   now.bytes, now.protection, k_shared_fixed_populate,
                                   k_ram_fd, now.offset};
    for (unsigned i = 0; i < 6; ++i)
        entry.argument[i] = arguments[i];
    switch (now.change) {
    case Change::map:
        entry.number = SYS_mmap;
        mapped_ = true;
        ++control().map_commands;
        control().map_pages += now.bytes / k_page;
        break;
    case Change::unmap:
        entry.number = SYS_munmap;
        ++control().unmap_commands;
        break;
    case Change::protect:
        entry.number = SYS_mprotect;
        ++control().protect_commands;
        break;
    }
}

void Space::publish() {
    flush_pending();
    if (!queued_) return;
    queued_ = false;
    __atomic_store_n(&command().tail, tail_, __ATOMIC_RELEASE);
    futex_wake(&command().tail);
}

void Space::read_acknowledgement() {
    uint64_t count = 0;
    while (!dead() && iso_gate_call(SYS_read, k_ack_fd, reinterpret_cast<uint64_t>(&count),
                                    sizeof count, 0) != sizeof count) {
    }
}

void Space::barrier() {
    flush_pending();
    if (tail_ == acknowledged_) return;
    MapperCommand& entry = command().ring[tail_++ % k_mapper_ring];
    entry.kind = k_mapper_ack;
    queued_ = true;
    publish();
    // A mapper that died cannot acknowledge; the monitor then does it in its place, if it sees that
    // somebody waits. Say so first, then look whether it is dead: one of the two sees the other.
    __atomic_store_n(&control().awaits_ack, slot_ + 1, __ATOMIC_SEQ_CST);
    read_acknowledgement();
    __atomic_store_n(&control().awaits_ack, 0U, __ATOMIC_SEQ_CST);
    if (dead()) {
        // Then one acknowledgement too many may have been given: left there, it would end the next
        // wait, for another address space, before its time. One read takes all of them.
        ask_monitor(k_request_acknowledge);
        uint64_t count = 0;
        iso_gate_call(SYS_read, k_ack_fd, reinterpret_cast<uint64_t>(&count), sizeof count, 0);
    }
    acknowledged_ = tail_;
    ++control().mapper_barriers;
}

void Space::resume_after_commands(uint32_t event) {
    flush_pending();
    MapperCommand& entry = append();
    entry.kind = k_mapper_resume;
    entry.argument[0] = event;
    publish();
}

} // namespace iso::pv
