#pragma once

// What the boundary promises a kernel that runs threads and address spaces: attempts of the test
// kernel that must work, and what is left when user code or its kernel spoils them.
#include <stdint.h>

namespace iso::pv::hostile {

uint64_t thread_registers(uint64_t which);
uint64_t rights(uint64_t which);
uint64_t full_ring(uint64_t which);
uint64_t timers(uint64_t which);
uint64_t wild_registers(uint64_t which);
uint64_t wild_frames(uint64_t which);

} // namespace iso::pv::hostile
