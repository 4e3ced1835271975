#include "guest/kernel/console.hpp"

#include "guest/kernel/memory.hpp"
#include "guest/kernel/usercopy.hpp"
#include "guest/port/port.hpp"

namespace iso::guest::console {

namespace {

constexpr u64 k_gathered_bytes = 512; // larger writes are not worth the copy

iso_console& ring() {
    return *linear<iso_console>(ISO_CONSOLE_GPA);
}

// Is there a newline among the bytes? Looking through many costs more than an early crossing, so
// those count as if there were.
bool holds_line(u8 const* data, u64 bytes) {
    constexpr u64 k_worth_scanning = 128;
    if (bytes > k_worth_scanning || data[bytes - 1] == '\n') return true;
    for (u64 i = 0; i + 1 < bytes; ++i)
        if (data[i] == '\n') return true;
    return false;
}

Result gather_small(iso_console& console, u32 descriptor, UserAddr from, u64 bytes) {
    u32 const start = console.tail % ISO_CONSOLE_DATA_BYTES;
    u64 const first = smaller<u64>(bytes, ISO_CONSOLE_DATA_BYTES - start); // the rest wraps round
    if (Result const result = copy_in(&console.data[start], from, first); result != 0)
        return result;
    if (first < bytes)
        if (Result const result = copy_in(console.data, from + first, bytes - first); result != 0)
            return result;
    console.descriptor = descriptor;
    console.tail += static_cast<u32>(bytes);
    bool const line = holds_line(&console.data[start], first) ||
                      (first < bytes && holds_line(console.data, bytes - first));
    if (line)
        if (Result const result = flush(); result < 0) return result;
    return static_cast<Result>(bytes);
}

} // namespace

constinit WaitQueue input_queue;

Result flush() {
    iso_console const& console = ring();
    if (console.head == console.tail) return 0;
    return port::ring(ISO_OP_FLUSH);
}

Result write(u32 descriptor, UserAddr from, u64 bytes) {
    if (bytes == 0) return 0;
    iso_console& console = ring();
    bool const waiting = console.head != console.tail;
    if (bytes <= k_gathered_bytes) {
        bool const other = waiting && console.descriptor != descriptor;
        bool const full = console.tail - console.head + bytes > ISO_CONSOLE_DATA_BYTES;
        if (other || (waiting && full))
            if (Result const result = flush(); result < 0) return result;
        Result const result = gather_small(console, descriptor, from, bytes);
        // As write(2): what lies before the bad address is written.
        u64 const before = page_up(from) - from;
        if (result != -EFAULT || before == 0 || before >= bytes) return result;
        return gather_small(console, descriptor, from, before);
    }
    iso_doorbell& page = port::request();
    u32 count = 0;
    // Copies may cross the request page while pages are brought in: gather first, then fill in.
    static iso_range ranges[ISO_DOORBELL_RANGES];
    Result const covered = gather(ranges, count, ISO_DOORBELL_RANGES, from, bytes, Access::read);
    if (covered < 0) return covered;
    copy_small(page.ranges, ranges, count * sizeof(iso_range));
    page.range_count = count;
    page.argument[0] = descriptor;
    return port::ring(ISO_OP_WRITE);
}

Result read(UserAddr to, u64 bytes) {
    if (bytes == 0) return 0;
    u32 count = 0;
    static iso_range ranges[ISO_DOORBELL_RANGES];
    Result const covered = gather(ranges, count, ISO_DOORBELL_RANGES, to, bytes, Access::write);
    if (covered < 0) return covered;
    iso_doorbell& page = port::request();
    copy_small(page.ranges, ranges, count * sizeof(iso_range));
    page.range_count = count;
    page.argument[0] = 0;
    page.argument[0] = 1; // do not block: the machine may have something else to do
    return port::ring(ISO_OP_READ);
}

bool has_input() {
    iso_doorbell& page = port::request();
    page.argument[0] = 0; // a moment that is past
    page.argument[1] = 1; // or until there is input
    return port::ring(ISO_OP_SLEEP) == 1;
}

} // namespace iso::guest::console
