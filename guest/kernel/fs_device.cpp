// The devices that are made of nothing: null(4), zero(4), full(4), random(4).
#include "guest/kernel/random.hpp"
#include "guest/kernel/usercopy.hpp"
#include "guest/kernel/vfs.hpp"

namespace iso::guest {

namespace {

Result read_nothing(OpenFile&, UserAddr, u64, u64) {
    return 0;
}

Result write_all(OpenFile&, UserAddr, u64 bytes, u64) {
    return static_cast<Result>(bytes);
}

Result read_zeros(OpenFile&, UserAddr to, u64 bytes, u64) {
    return zero_out(to, bytes);
}

Result write_nothing(OpenFile&, UserAddr, u64, u64) {
    return -ENOSPC;
}

Result read_random(OpenFile&, UserAddr to, u64 bytes, u64) {
    return random_out(to, bytes);
}

Result no_terminal(OpenFile&, UserAddr, u64, u64) {
    return -ENXIO;
}

constexpr FileOperations k_null = {read_nothing, write_all, true};
constexpr FileOperations k_zero = {read_zeros, write_all, true};
constexpr FileOperations k_full = {read_zeros, write_nothing, true};
constexpr FileOperations k_random = {read_random, write_all, false};
constexpr FileOperations k_terminal = {no_terminal, no_terminal, false};

constexpr u64 number(u64 major, u64 minor) {
    return major << 8 | minor;
}
constexpr u32 k_anyone = k_type_device | 0666;

} // namespace

Device const devices[] = {
    {"null", k_anyone, number(1, 3), &k_null},      {"zero", k_anyone, number(1, 5), &k_zero},
    {"full", k_anyone, number(1, 7), &k_full},      {"random", k_anyone, number(1, 8), &k_random},
    {"urandom", k_anyone, number(1, 9), &k_random}, {"tty", k_anyone, number(5, 0), &k_terminal},
};
u32 const device_count = sizeof devices / sizeof devices[0];

} // namespace iso::guest
