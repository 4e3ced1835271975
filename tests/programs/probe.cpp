// Calls that a kernel must refuse, with the errno that Linux gives. Each prints one line; the
// test compares the lines with those of a native run.
#include "tests/programs/behave.hpp"

namespace iso::behave {

using namespace linux_call;

namespace {

constexpr long k_unmapped = 0x10'0000;                              // below the program
constexpr long k_kernel = static_cast<long>(0xffff'8000'0000'0000); // the host's kernel half
constexpr long k_guest_kernel = 0x6000'0020'0000;                   // our guest kernel
constexpr long k_noncanonical = static_cast<long>(0x8000'0000'0000'0000);
constexpr long k_last_page = static_cast<long>(0xffff'ffff'ffff'f000);

char const g_constant[16] = "constant";

struct BadAddress {
    char const* name;
    long address;
};

constexpr BadAddress k_bad[] = {
    {"null", 0},
    {"unmapped", k_unmapped},
    {"kernel", k_kernel},
    {"guest-kernel", k_guest_kernel},
    {"noncanonical", k_noncanonical},
    {"last-page", k_last_page},
};

void say_bad(char const* call_name, char const* where, long result) {
    Text name;
    name.add(call_name).add(" ").add(where).add("\0", 1);
    say_result(name.data(), result);
}

} // namespace

int bad_pointers() {
    for (BadAddress const& bad : k_bad) {
        say_bad("write", bad.name, call(write, 1, bad.address, 16));
        say_bad("read", bad.name, call(read, 0, bad.address, 1));
        say_bad("clock_gettime", bad.name, call(clock_gettime, 1, bad.address));
        say_bad("openat", bad.name, call(openat, -100, bad.address, 0));
    }
    // Readable, but not writable: constants and code.
    say_result("read constant", call(read, 0, address(g_constant), 1));
    say_result("clock_gettime constant", call(clock_gettime, 1, address(g_constant)));
    say_result(
        "clock_gettime code",
        call(clock_gettime, 1, static_cast<long>(reinterpret_cast<uintptr_t>(&bad_pointers))));
    // A range that begins well and wraps around the address space.
    say_result("write wrapping", call(write, 1, k_last_page, 0x2000));
    // A pointer that is not used is not checked.
    say_result("write nothing", call(write, 1, k_unmapped, 0));
    say_result("write to a closed descriptor", call(write, 77, address(g_constant), 1));
    say_result("read from a closed descriptor", call(read, 77, k_unmapped, 1));
    say_result("close a closed descriptor", call(close, 77));
    say_result("clock_gettime of no clock", call(clock_gettime, 99, address(g_constant)));
    say_result("mmap of nothing", call(mmap, 0, 0, 3, 0x22, -1, 0));
    say_result("mmap of everything", call(mmap, 0, 0x7000'0000'0000'0000, 3, 0x22, -1, 0));
    say_result("munmap unaligned", call(munmap, 0x10'0001, 4096));
    say_result("munmap of the kernel", call(munmap, k_kernel, 4096));
    return k_done;
}

int unserved_calls() {
    long const numbers[] = {500L, 511L, 1000L, 0x7fff'ffffL, -2L};
    for (long const number : numbers)
        say_result("unserved call", call(number, 1, 2, 3, 4, 5, 6));
    return k_done;
}

} // namespace iso::behave
