// Patterns of mmap, munmap, mprotect, mremap, madvise and brk; says what comes of each.
#include "sys.hpp"

namespace {

constexpr u64 k_page = 4096;

u64 map(u64 bytes, u64 protection = 3, u64 address = 0, u64 flags = 0x22) {
    return static_cast<u64>(sys(__NR_mmap, address, bytes, protection, flags, ~0ul));
}

char volatile& byte(u64 address) {
    return *reinterpret_cast<char volatile*>(address);
}

// Can the page be read? Asks the kernel, which must say EFAULT.
long readable(u64 address) {
    long const result = sys(__NR_access, address, 0); // the bytes are no path that exists
    return result == -14 ? 0 : 1;
}

long writable(u64 address) {
    return sys(__NR_clock_getres, 1, address) == 0 ? 1 : 0;
}

void zeros_and_order() {
    u64 const area = map(64 * k_page);
    long sum = 0;
    for (u64 i = 0; i < 64 * k_page; i += 512)
        sum += byte(area + i);
    line("fresh-sum", sum);
    for (u64 i = 0; i < 64; ++i)
        byte(area + i * k_page) = static_cast<char>(i);
    for (u64 i = 64; i-- > 0;)
        sum += byte(area + i * k_page);
    line("written-sum", sum);
    line("munmap", sys(__NR_munmap, area, 64 * k_page));
    u64 const again = map(64 * k_page);
    sum = 0;
    for (u64 i = 0; i < 64 * k_page; i += 64)
        sum += byte(again + i);
    line("recycled-sum", sum); // a recycled frame must not show the old bytes
    sys(__NR_munmap, again, 64 * k_page);
}

void holes() {
    u64 const area = map(9 * k_page);
    for (u64 i = 0; i < 9; ++i)
        byte(area + i * k_page) = static_cast<char>('a' + i);
    for (u64 i = 1; i < 9; i += 2)
        sys(__NR_munmap, area + i * k_page, k_page);
    for (u64 i = 0; i < 9; ++i)
        line("hole", readable(area + i * k_page));
    line("munmap-again", sys(__NR_munmap, area, 9 * k_page));
    line("munmap-nothing", sys(__NR_munmap, area, 9 * k_page));
    line("munmap-odd", sys(__NR_munmap, area + 1, k_page));
    line("munmap-zero", sys(__NR_munmap, area, 0));
}

void protections() {
    u64 const area = map(5 * k_page);
    for (u64 i = 0; i < 5; ++i)
        byte(area + i * k_page) = 7;
    line("mprotect-none", sys(__NR_mprotect, area + k_page, 3 * k_page, 0));
    line("mprotect-read", sys(__NR_mprotect, area + 2 * k_page, k_page, 1));
    for (u64 i = 0; i < 5; ++i) {
        line("readable", readable(area + i * k_page));
        line("writable", writable(area + i * k_page + 16));
    }
    line("mprotect-back", sys(__NR_mprotect, area, 5 * k_page, 3));
    long sum = 0;
    for (u64 i = 0; i < 5; ++i)
        sum += byte(area + i * k_page);
    line("kept-sum", sum);
    line("mprotect-hole", sys(__NR_mprotect, area, 5 * k_page + (1ul << 40), 1));
    line("mprotect-odd", sys(__NR_mprotect, area + 1, k_page, 1));
    line("mprotect-bad", sys(__NR_mprotect, area, k_page, 0x100));
    // Data that become code.
    u64 const code = map(k_page);
    unsigned char const program[] = {0xb8, 42, 0, 0, 0, 0xc3}; // mov $42, %eax; ret
    for (u64 i = 0; i < sizeof program; ++i)
        byte(code + i) = static_cast<char>(program[i]);
    sys(__NR_mprotect, code, k_page, 5);
    line("run", reinterpret_cast<int (*)()>(code)());
}

void fixed() {
    u64 const area = map(4 * k_page);
    byte(area + k_page) = 9;
    line("fixed-over", map(k_page, 3, area + k_page, 0x32) == area + k_page);
    line("fixed-zero", byte(area + k_page));
    line("noreplace", static_cast<long>(map(k_page, 3, area, 0x100022)));
    line("fixed-odd", static_cast<long>(map(k_page, 3, area + 1, 0x32)));
    line("hint", map(k_page, 3, area + (64ul << 20), 0x22) != 0);
    line("zero-length", static_cast<long>(map(0)));
    line("huge", static_cast<long>(map(~0ul)));
    line("no-type", static_cast<long>(map(k_page, 3, 0, 0x20)));
    line("bad-fd", sys(__NR_mmap, 0, k_page, 1, 2, 77));
    line("kernel-half", static_cast<long>(map(k_page, 3, 0xffff800000000000, 0x32)));
}

void moves() {
    u64 const area = map(2 * k_page);
    u64 const wall = map(k_page, 3, area + 2 * k_page, 0x32); // so that it cannot grow in place
    byte(area) = 1;
    byte(area + k_page) = 2;
    line("wall", wall == area + 2 * k_page);
    line("mremap-stay", sys(__NR_mremap, area, 2 * k_page, 64 * k_page, 0));
    u64 const moved = static_cast<u64>(sys(__NR_mremap, area, 2 * k_page, 64 * k_page, 1));
    line("mremap-moved", moved != area);
    line("moved-sum", byte(moved) + byte(moved + k_page) + byte(moved + 63 * k_page));
    line("old-gone", readable(area));
    line("mremap-shrink",
         sys(__NR_mremap, moved, 64 * k_page, k_page, 0) == static_cast<long>(moved));
    line("shrunk", readable(moved + k_page));
    line("mremap-nothing", sys(__NR_mremap, 0x123456789000, k_page, 2 * k_page, 1));
    line("mremap-zero", sys(__NR_mremap, moved, k_page, 0, 1));
}

void advice() {
    u64 const area = map(4 * k_page);
    for (u64 i = 0; i < 4; ++i)
        byte(area + i * k_page) = 5;
    line("dontneed", sys(__NR_madvise, area, 2 * k_page, 4));
    line("forgotten", byte(area) + byte(area + k_page) + byte(area + 2 * k_page));
    line("advice-bad", sys(__NR_madvise, area, k_page, 12345));
    line("advice-hole", sys(__NR_madvise, 0x123456789000, k_page, 4));
}

void heap() {
    u64 const start = static_cast<u64>(sys(__NR_brk, 0));
    line("brk-grow",
         sys(__NR_brk, start + 10 * k_page + 5) == static_cast<long>(start + 10 * k_page + 5));
    byte(start + 10 * k_page) = 3;
    line("brk-shrink", sys(__NR_brk, start + 1) == static_cast<long>(start + 1));
    line("brk-again", sys(__NR_brk, start + 20 * k_page) == static_cast<long>(start + 20 * k_page));
    line("brk-zeroed", byte(start + 10 * k_page));
    line("brk-below", sys(__NR_brk, 0x1000) == static_cast<long>(start + 20 * k_page));
    line("brk-absurd", sys(__NR_brk, ~0ul) == static_cast<long>(start + 20 * k_page));
}

void files() {
    u64 const fd = static_cast<u64>(sys(__NR_open, at("/proc/self/exe"), 0));
    u64 const view = static_cast<u64>(sys(__NR_mmap, 0, k_page, 3, 2, fd));
    line("magic", byte(view + 1));
    byte(view + 1) = 'x'; // private: the file does not change
    char start[4] = {};
    sys(__NR_pread64, fd, at(start), 4, 0);
    line("file-kept", start[1]);
    line("view-changed", byte(view + 1));
    line("shared-write", sys(__NR_mmap, 0, k_page, 3, 1, fd));
    line("odd-offset", sys(__NR_mmap, 0, k_page, 1, 2, fd, 1));
    long const size = sys(__NR_lseek, fd, 0, 2);
    line("seek-end", size > 0);
    line("read-at-end", sys(__NR_read, fd, at(start), 4));
    line("seek-bad", sys(__NR_lseek, fd, ~0ul, 0));
    line("seek-pipe", sys(__NR_lseek, 1, 0, 0));
    line("close", sys(__NR_close, fd));
    line("close-again", sys(__NR_close, fd));
    line("view-stays", byte(view + 2));
}

long deep(int depth) {
    char volatile frame[2000];
    frame[0] = static_cast<char>(depth);
    frame[1999] = 1;
    return depth == 0 ? 0 : deep(depth - 1) + frame[1999];
}

void many() {
    // Every second page of a range with its own protection: an area for each.
    constexpr u64 count = 2000;
    u64 const area = map(count * k_page);
    long failed = 0;
    for (u64 i = 0; i < count; i += 2)
        failed += sys(__NR_mprotect, area + i * k_page, k_page, 1) != 0;
    line("split-failed", failed);
    long sum = 0;
    for (u64 i = 0; i < count; i += 97)
        sum += byte(area + i * k_page) + writable(area + i * k_page);
    line("split-writable", sum);
    line("split-munmap", sys(__NR_munmap, area, count * k_page));
    line("split-gone", readable(area + 1000 * k_page));
}

} // namespace

int main(int, char**) {
    zeros_and_order();
    holes();
    protections();
    fixed();
    moves();
    advice();
    heap();
    files();
    many();
    line("deep", deep(3000)); // six MiB of stack
    return 0;
}
