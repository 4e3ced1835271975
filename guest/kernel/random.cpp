#include "guest/kernel/random.hpp"

#include "guest/kernel/memory.hpp"
#include "guest/kernel/usercopy.hpp"
#include "guest/port/port.hpp"

namespace iso::guest {

Result random_bytes(void* to, u64 bytes) {
    iso_doorbell& page = port::request();
    page.range_count = 1;
    page.ranges[0] = {gpa_of(to), bytes};
    return port::ring(ISO_OP_RANDOM);
}

Result random_out(UserAddr to, u64 bytes) {
    static iso_range ranges[ISO_DOORBELL_RANGES];
    u64 done = 0;
    while (done < bytes) {
        u32 count = 0;
        Result const covered =
            gather(ranges, count, ISO_DOORBELL_RANGES, to + done, bytes - done, Access::write);
        if (covered < 0) return done != 0 ? static_cast<Result>(done) : covered;
        iso_doorbell& page = port::request();
        copy_small(page.ranges, ranges, count * sizeof(iso_range));
        page.range_count = count;
        if (i64 const result = port::ring(ISO_OP_RANDOM); result < 0) return result;
        done += static_cast<u64>(covered);
    }
    return static_cast<Result>(done);
}

} // namespace iso::guest
