// The disk under the hypervisor: the front end of a split driver. Requests go into a ring, the
// event channel says so; the answers are there when that returns.
#include "guest/kernel/frame.hpp"
#include "guest/kernel/memory.hpp"
#include "guest/port/port.hpp"

namespace iso::guest::port {

using pv::hypercall;

namespace {

constexpr i64 k_eio = -5;
constexpr u32 k_ring_pages = static_cast<u32>(page_up(sizeof(iso_block_ring)) >> k_page_bits);

iso_block_ring* ring_page = nullptr;
u32 consumed = 0; // answers
bool dead = false;

iso_block_request& next_request(u32 ahead) {
    return ring_page->slot[(ring_page->request_producer + ahead) % ISO_BLOCK_SLOTS].request;
}

// The event is what the answers are in the ring for: nobody waits for it.
void take_event() {
    iso_shared_info& shared = pv::shared_info();
    __atomic_fetch_and(&shared.pending[0], ~(1u << ISO_EVENT_DISK), __ATOMIC_SEQ_CST);
    __atomic_store_n(&shared.upcall_pending, 0u, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&shared.pending[0], __ATOMIC_SEQ_CST) != 0)
        __atomic_store_n(&shared.upcall_pending, 1u, __ATOMIC_SEQ_CST);
}

// Hands `count` requests over and takes their answers.
i64 submit(u32 count) {
    if (count == 0) return 0;
    u32 const target = ring_page->request_producer + count;
    __atomic_store_n(&ring_page->request_producer, target, __ATOMIC_RELEASE);
    hypercall(ISO_HC_EVENT_CHANNEL_OP, ISO_EVTCHN_SEND, ISO_EVENT_DISK);
    take_event();
    if (__atomic_load_n(&ring_page->response_producer, __ATOMIC_ACQUIRE) != target) dead = true;
    i64 result = dead ? k_eio : 0;
    for (; consumed != target; ++consumed)
        if (ring_page->slot[consumed % ISO_BLOCK_SLOTS].response.status != 0) result = k_eio;
    return result;
}

// Fills one request with runs of neighbouring blocks; how many.
u32 fill(iso_block_request& request, bool write, BlockRun const* runs, u32 count) {
    request.operation = write ? ISO_BLOCK_WRITE : ISO_BLOCK_READ;
    request.sector = runs->block * k_block_sectors;
    u32 taken = 0;
    do {
        request.segment[taken] = {runs[taken].first, runs[taken].count * k_page};
        ++taken;
    } while (taken < count && taken < ISO_BLOCK_SEGMENTS &&
             runs[taken - 1].block + runs[taken - 1].count == runs[taken].block);
    return request.segment_count = taken;
}

} // namespace

bool start_disk() {
    Gpa const place = frames.take_contiguous(k_ring_pages);
    if (place == 0) return false;
    zero(place, k_ring_pages * k_page);
    ring_page = linear<iso_block_ring>(place);
    return hypercall(ISO_HC_BLOCK_OP, ISO_BLOCK_CONNECT, place) == 0;
}

i64 move_blocks(bool write, BlockRun const* runs, u32 count) {
    i64 result = 0;
    u32 waiting = 0;
    while (count != 0 && !dead) {
        if (waiting == ISO_BLOCK_SLOTS) {
            if (submit(waiting) != 0) result = k_eio;
            waiting = 0;
        }
        u32 const taken = fill(next_request(waiting++), write, runs, count);
        runs += taken;
        count -= taken;
    }
    if (submit(waiting) != 0) result = k_eio;
    return dead ? k_eio : result;
}

i64 flush_disk() {
    if (dead) return k_eio;
    iso_block_request& request = next_request(0);
    request.operation = ISO_BLOCK_FLUSH;
    request.segment_count = 0;
    return submit(1);
}

} // namespace iso::guest::port
