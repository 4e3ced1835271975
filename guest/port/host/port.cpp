#include "guest/port/port.hpp"

#include "guest/kernel/frame.hpp"

#include <cstdlib>
#include <cstring>

namespace iso::guest::port {

void init(iso_boot_info const&) {}
void enter_user(TrapFrame const&) {
    std::abort();
}
void halt() {
    std::abort();
}
void unlink_table(PageTable&, Pte* slot, Gpa) {
    *slot = 0;
}
void flush(PageTable&, UserAddr, UserAddr) {}
void first_space(PageTable& table) {
    create_space(table);
}
bool create_space(PageTable& table) {
    table.root = frames.take_zeroed(1).first;
    return table.root != 0;
}
void forget_space(PageTable&) {}
void destroy_space(PageTable& table) {
    frames.release(table.root, 1);
}
void switch_space(PageTable const&) {}
void copy(Gpa to, Gpa from, u64 bytes) {
    std::memcpy(linear(to), linear(from), bytes);
}
void zero(Gpa to, u64 bytes) {
    std::memset(linear(to), 0, bytes);
}
bool populates() {
    return false;
}
void populate(Gpa, u64) {}
// The disk of the unit tests, if they give one.
bool start_disk() {
    return host_disk != nullptr;
}
i64 move_blocks(bool write, BlockRun const* runs, u32 count) {
    for (; count != 0; --count, ++runs)
        for (u32 i = 0; i < runs->count; ++i)
            if (!host_disk->move(write, runs->block + i, linear(runs->first + i * k_page)))
                return -5;
    return 0;
}
i64 flush_disk() {
    return host_disk->flush() ? 0 : -5;
}
HostDisk* host_disk = nullptr;

void set_fs_base(u64) {}
u64 fs_base() {
    return 0;
}
void set_gs_base(u64) {}
u64 gs_base() {
    return 0;
}
// A register file that is a piece of memory.
namespace {
unsigned char g_fpu[528];
} // namespace
u32 fpu_bytes() {
    return sizeof g_fpu;
}
void fpu_save(void* to) {
    std::memcpy(to, g_fpu, sizeof g_fpu);
}
void fpu_restore(void const* from) {
    std::memcpy(g_fpu, from, sizeof g_fpu);
}
void fpu_reset() {
    std::memset(g_fpu, 0, sizeof g_fpu);
}
bool fpu_sanitize(void*) {
    return true;
}
u32 hardware_capabilities() {
    return 0;
}
void set_kernel_stack(u64) {}
u64 kernel_stack_top() {
    return 0;
}

} // namespace iso::guest::port
