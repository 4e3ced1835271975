// A guest kernel that does one thing and ends: what the tests of vmm-mini need, and no more. The
// first argument says which thing; it never runs a program.
#include "common/abi/guest_abi.h"

namespace {

using u8 = unsigned char;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;

template <typename T>
T volatile* at(u64 gpa) {
    return reinterpret_cast<T volatile*>(ISO_KERNEL_BASE + gpa);
}

iso_doorbell volatile& bell() {
    return *at<iso_doorbell>(ISO_DOORBELL_GPA);
}
iso_console volatile& ring() {
    return *at<iso_console>(ISO_CONSOLE_GPA);
}

int64_t knock(u32 operation, u32 ranges) {
    bell().operation = operation;
    bell().range_count = ranges;
    asm volatile("outl %0, %w1" : : "a"(operation), "d"(ISO_DOORBELL_PORT) : "memory");
    return bell().result;
}

[[noreturn]] void end(u64 kind, u64 value) {
    bell().argument[0] = kind;
    bell().argument[1] = value;
    knock(ISO_OP_EXIT, 0);
    for (;;)
        asm volatile("ud2");
}

void range(u32 index, u64 gpa, u64 bytes) {
    bell().ranges[index].gpa = gpa;
    bell().ranges[index].bytes = bytes;
}

/// Puts text into the console ring without flushing it.
void put(char const* text) {
    ring().descriptor = 1;
    u32 tail = ring().tail;
    for (; *text != 0; ++text)
        ring().data[tail++ % ISO_CONSOLE_DATA_BYTES] = static_cast<u8>(*text);
    ring().tail = tail;
}

void put_number(u64 value) {
    char digits[24];
    char* p = digits + sizeof digits;
    *--p = 0;
    do
        *--p = static_cast<char>('0' + value % 10);
    while ((value /= 10) != 0);
    put(p);
}

bool same(char const* a, char const* b) {
    while (*a != 0 && *a == *b)
        ++a, ++b;
    return *a == *b;
}

u64 number(char const* text) {
    u64 value = 0;
    while (*text >= '0' && *text <= '9')
        value = value * 10 + static_cast<u64>(*text++ - '0');
    return value;
}

u64 read_tsc() {
    u32 low = 0, high = 0;
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return u64{high} << 32 | low;
}

/// What the boot information says, for the host's side to compare.
void dump(iso_boot_info const& boot, char const* strings) {
    char const* text = strings;
    for (u32 i = 0; i < boot.argument_count + boot.environment_count; ++i) {
        put(i < boot.argument_count ? "arg " : "env ");
        put(text);
        put("\n");
        while (*text != 0)
            ++text;
        ++text;
    }
    put("workdir ");
    put(strings + boot.workdir);
    put("\n");
    for (u32 i = 0; i < boot.module_count; ++i) {
        iso_module const& module =
            reinterpret_cast<iso_module const*>(ISO_KERNEL_BASE + boot.modules)[i];
        put("module ");
        put_number(module.kind);
        put(" ");
        put_number(module.bytes);
        put(" ");
        put(strings + module.path);
        put(" ");
        if (module.gpa != 0) put_number(*at<u8>(module.gpa));
        put("\n");
        knock(ISO_OP_FLUSH, 0);
    }
}

u64 now(iso_boot_info const& boot) {
    __extension__ unsigned __int128 const product =
        static_cast<unsigned __int128>(read_tsc() - boot.clock_tsc) * boot.clock_multiplier;
    return boot.clock_ns + static_cast<u64>(product >> boot.clock_shift);
}

void clock(iso_boot_info const& boot) {
    put_number(now(boot));
    put("\n");
}

// ---- The timer's interrupt
// ----------------------------------------------------------------------

extern "C" {
extern u8 const timer_entry[];
u32 volatile timer_interrupts = 0;
}
asm(".text\n"
    "timer_entry: incl timer_interrupts(%rip)\n"
    "       iretq\n");

/// Descriptors for one interrupt: the engine's segments are loaded, but no table lies behind them.
void take_interrupts() {
    static u64 const gdt[] = {0, 0x00af9b000000ffff, 0x00cf93000000ffff};
    static struct { u64 low, high; } idt[ISO_TIMER_VECTOR + 1];
    u64 const handler = reinterpret_cast<u64>(timer_entry);
    idt[ISO_TIMER_VECTOR].low = (handler & 0xffff) | u64{ISO_KERNEL_CS} << 16 | u64{0x8e} << 40 |
                                (handler >> 16 & 0xffff) << 48;
    idt[ISO_TIMER_VECTOR].high = handler >> 32;
    struct [[gnu::packed]] {
        u16 limit;
        void const* base;
    } const global = {sizeof gdt - 1, gdt}, interrupts = {sizeof idt - 1, idt};
    asm volatile("lgdt %0\n\tlidt %1" : : "m"(global), "m"(interrupts));
}

int64_t set_timer(u64 deadline) {
    bell().argument[0] = deadline;
    return knock(ISO_OP_TIMER, 0);
}

/// Deadlines to come, past and cancelled. What it returns names the first that went wrong.
u64 timer(iso_boot_info const& boot) {
    constexpr u64 k_ms = 1'000'000;
    take_interrupts();
    u64 const wanted = now(boot) + 2 * k_ms;
    if (set_timer(wanted) != 0) return 1;
    asm volatile("sti");
    while (timer_interrupts == 0)
        asm volatile("pause");
    if (now(boot) < wanted) return 2;
    u64 const passed[] = {1, wanted};
    for (u64 const past : passed) { // at once, each time
        u32 const before = timer_interrupts;
        if (set_timer(past) != 0) return 3;
        while (timer_interrupts == before)
            asm volatile("pause");
    }
    // Due while interrupts are off: it waits, and a cancellation takes it back.
    asm volatile("cli");
    u32 const before = timer_interrupts;
    set_timer(1);
    bell().argument[1] = 0;
    bell().argument[0] = now(boot) + 2 * k_ms;
    knock(ISO_OP_SLEEP, 0);
    if (timer_interrupts != before) return 4;
    asm volatile("sti\n\tnop");
    while (timer_interrupts == before)
        asm volatile("pause");
    asm volatile("cli");
    set_timer(1);
    set_timer(0);
    set_timer(~u64{0});
    asm volatile("sti\n\tnop");
    u64 const later = now(boot) + 2 * k_ms;
    while (now(boot) < later)
        asm volatile("pause");
    return timer_interrupts == before + 1 ? 0 : 5;
}

/// Requests that a kernel must not make; each has to come back as an error, and none may hurt.
u64 hostile(iso_boot_info const& boot) {
    struct {
        u64 gpa, bytes;
    } const bad[] = {{boot.physical_end, 1}, {boot.physical_end - 1, 2}, {~u64{0}, 2},
                     {~u64{0} - 1, ~u64{0}}, {boot.ram_bytes - 1, 2},    {0x1000, ~u64{0}},
                     {u64{1} << 63, 1}};
    u64 wrong = 0;
    for (auto const& each : bad) {
        bell().argument[0] = 1;
        range(0, each.gpa, each.bytes);
        if (knock(ISO_OP_WRITE, 1) != -14) ++wrong; // EFAULT
        if (knock(ISO_OP_READ, 1) != -14) ++wrong;
        if (knock(ISO_OP_ZERO, 1) != -14) ++wrong;
        if (knock(ISO_OP_RANDOM, 1) != -14) ++wrong;
    }
    if (knock(ISO_OP_WRITE, ISO_DOORBELL_RANGES + 1) != -22) ++wrong; // EINVAL
    if (knock(99, 0) != -38 && bell().result != -22) ++wrong;
    bell().argument[0] = 3; // a descriptor that is not the program's
    range(0, 0x1000, 1);
    if (knock(ISO_OP_WRITE, 1) != -9) ++wrong; // EBADF
    u32 const tail = ring().tail;
    ring().tail = tail + 0x10000000;
    if (knock(ISO_OP_FLUSH, 0) != -22) ++wrong;
    ring().tail = tail;
    return wrong;
}

} // namespace

extern "C" [[noreturn]] void kernel_main(iso_boot_info const* boot) {
    char const* const strings = reinterpret_cast<char const*>(ISO_KERNEL_BASE + boot->arguments);
    char const* verb = strings;
    while (*verb != 0)
        ++verb; // past argv[0]
    ++verb;
    char const* value = verb;
    while (*value != 0)
        ++value;
    ++value;
    if (boot->argument_count < 2) end(0, 0);

    if (same(verb, "exit")) end(0, number(value));
    if (same(verb, "signal")) end(1, number(value));
    if (same(verb, "badend")) end(7, 7);
    if (same(verb, "say")) {
        put(value);
        end(0, 0);
    }
    if (same(verb, "dump")) {
        dump(*boot, strings);
        end(0, 0);
    }
    if (same(verb, "clock")) {
        clock(*boot);
        end(0, 0);
    }
    if (same(verb, "timer")) end(0, timer(*boot));
    if (same(verb, "hostile")) end(0, hostile(*boot));
    if (same(verb, "flood")) // 64 KiB a time, straight from memory
        for (u64 left = number(value);; --left) {
            if (left == 0) end(0, 0);
            bell().argument[0] = 1;
            range(0, ISO_FREE_GPA, 65536);
            int64_t const result = knock(ISO_OP_WRITE, 1);
            if (result != 65536) end(0, result < 0 ? static_cast<u64>(-result) : 1);
        }
    if (same(verb, "echo"))
        for (;;) {
            range(0, ISO_FREE_GPA, 4096);
            bell().argument[0] = 0;
            int64_t const got = knock(ISO_OP_READ, 1);
            if (got <= 0) end(0, static_cast<u64>(-got));
            bell().argument[0] = 1;
            range(0, ISO_FREE_GPA, static_cast<u64>(got));
            knock(ISO_OP_WRITE, 1);
        }
    if (same(verb, "panic")) {
        put("last words\n");
        static char const message[] = "the test asked for \033[1mthis";
        range(0, reinterpret_cast<u64>(message) - ISO_KERNEL_BASE, sizeof message - 1);
        knock(ISO_OP_PANIC, 1);
    }
    if (same(verb, "triple")) {
        put("before the fault\n");
        asm volatile("ud2"); // there is no IDT
    }
    if (same(verb, "loop"))
        for (;;)
            asm volatile("");
    if (same(verb, "spin-zero")) // endless work for the engine rather than the CPU
        for (;;) {
            for (u32 i = 0; i < ISO_DOORBELL_RANGES; ++i)
                range(i, ISO_FREE_GPA, boot->ram_bytes - ISO_FREE_GPA);
            knock(ISO_OP_ZERO, ISO_DOORBELL_RANGES);
        }
    if (same(verb, "halt")) asm volatile("cli; hlt");
    if (same(verb, "port")) asm volatile("outb %%al, $0x80" : : "a"(0));
    if (same(verb, "rep-port"))
        asm volatile("rep outsl" : : "c"(8), "S"(strings), "d"(ISO_DOORBELL_PORT));
    if (same(verb, "vmcall")) asm volatile("vmcall" : : "a"(1234));
    if (same(verb, "vex")) asm volatile("vpxor %%xmm0, %%xmm0, %%xmm0" : :);
    if (same(verb, "write-text")) *at<u8>(ISO_KERNEL_GPA) = 0;
    if (same(verb, "write-module")) *at<u8>(boot->ram_bytes) = 0;
    if (same(verb, "execute-data")) reinterpret_cast<void (*)()>(ISO_KERNEL_BASE + ISO_FREE_GPA)();
    if (same(verb, "ram")) {
        put_number(boot->ram_bytes);
        put("\n");
        end(0, 0);
    }
    end(0, 99);
}

asm(".pushsection .text.start, \"ax\"\n"
    ".global start\n"
    "start: leaq boot_stack_end(%rip), %rsp\n"
    "       xorl %ebp, %ebp\n"
    "       call kernel_main\n"
    "       ud2\n"
    ".popsection\n"
    ".pushsection .bss\n"
    ".balign 16\n"
    ".skip 16384\n"
    "boot_stack_end:\n"
    ".popsection\n");
