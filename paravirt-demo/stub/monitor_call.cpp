// How K waits, wakes and asks: futexes between processes, and one request at a time to the monitor.

#include "paravirt-demo/stub/kernel_stub.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>

namespace iso::pv {

void futex_wait(uint32_t const* word, uint32_t value) {
    iso_gate_call(SYS_futex, reinterpret_cast<uint64_t>(word), FUTEX_WAIT, value, 0);
}

// Everybody, not one: guest user code may sleep on any word that it can read, and must not take the
// wake-up that was for its mapper.
void futex_wake(uint32_t const* word) {
    iso_gate_call(SYS_futex, reinterpret_cast<uint64_t>(word), FUTEX_WAKE, 0x7fff'ffff, 0);
}

int64_t ask_monitor(uint32_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e) {
    Control& shared = control();
    shared.request_number = number;
    uint64_t const arguments[5] = {a, b, c, d, e};
    for (unsigned i = 0; i < 5; ++i)
        shared.request_argument[i] = arguments[i];
    uint32_t const sequence = shared.request_seq + 1;
    __atomic_store_n(&shared.request_seq, sequence, __ATOMIC_RELEASE);
    static uint64_t const one = 1;
    iso_gate_call(SYS_write, k_bell_fd, reinterpret_cast<uint64_t>(&one), sizeof one, 0);
    for (;;) {
        uint32_t const answered = __atomic_load_n(&shared.answer_seq, __ATOMIC_ACQUIRE);
        if (answered == sequence) return shared.answer;
        futex_wait(&shared.answer_seq, answered);
    }
}

} // namespace iso::pv
