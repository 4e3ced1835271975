// Files of /proc about the machine and the kernel (proc(5)).
#include "guest/kernel/boot.hpp"
#include "guest/kernel/clock.hpp"
#include "guest/kernel/diskfs.hpp"
#include "guest/kernel/frame.hpp"
#include "guest/kernel/pool.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/procfs.hpp"

namespace iso::guest::procfs {

namespace {

constexpr u64 k_second = 1'000'000'000;
constexpr u64 k_tick = k_second / 100; // AT_CLKTCK

struct Cpuid {
    u32 eax, ebx, ecx, edx;
};

Cpuid cpuid(u32 leaf) {
    Cpuid r;
    asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(0));
    return r;
}

// Text in registers, up to the first zero.
Text text_of(void const* registers, u64 bytes) {
    auto const* const text = static_cast<char const*>(registers);
    u64 length = 0;
    while (length < bytes && text[length] != 0)
        ++length;
    return {text, length};
}

void write_cpuinfo(Report& report, Process*) {
    Cpuid const first = cpuid(0);
    u32 const vendor[3] = {first.ebx, first.edx, first.ecx};
    Cpuid brand[3] = {};
    if (cpuid(0x80000000).eax >= 0x80000004)
        for (u32 i = 0; i < 3; ++i)
            brand[i] = cpuid(0x80000002 + i);
    u32 const signature = cpuid(1).eax;
    u32 const base = signature >> 8 & 15;
    u32 const family = base == 15 ? base + (signature >> 20 & 255) : base;
    u32 const model = (signature >> 4 & 15) | (base >= 6 ? signature >> 12 & 0xf0 : 0);
    report << "processor\t: 0\nvendor_id\t: " << text_of(vendor, sizeof vendor)
           << "\ncpu family\t: " << u64{family} << "\nmodel\t\t: " << u64{model}
           << "\nmodel name\t: " << text_of(brand, sizeof brand)
           << "\nstepping\t: " << u64{signature & 15}
           << "\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\n\n";
}

void write_size(Report& report, Text name, u64 pages) {
    report << name << ":";
    for (u64 i = name.size; i < 15; ++i)
        report << " ";
    report.padded(pages * (k_page / 1024), 8) << " kB\n";
}

u64 pool_pages() {
    u64 pages = 0;
    for (PoolState const* pool = PoolState::first; pool != nullptr; pool = pool->next)
        pages += pool->frames;
    return pages;
}

void write_meminfo(Report& report, Process*) {
    write_size(report, "MemTotal", frames.total());
    write_size(report, "MemFree", frames.available());
    write_size(report, "MemAvailable", frames.available());
    static constexpr Text k_nothing[] = {"Buffers",  "Cached", "SwapCached", "SwapTotal",
                                         "SwapFree", "Dirty",  "Shmem"};
    for (Text const name : k_nothing)
        write_size(report, name, 0);
    write_size(report, "Slab", pool_pages());
}

// The pools of the kernel's own objects, in the columns of slabinfo(5).
void write_slabinfo(Report& report, Process*) {
    report << "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> "
              "<objperslab> <pagesperslab>\n";
    for (PoolState const* pool = PoolState::first; pool != nullptr; pool = pool->next) {
        u64 const each = k_page / pool->object_bytes;
        Text const name = text_of(pool->name, 16);
        report << name;
        for (u64 i = name.size; i < 17; ++i)
            report << " ";
        report.padded(pool->in_use, 6) << " ";
        report.padded(pool->frames * each, 6) << " ";
        report.padded(pool->object_bytes, 6) << " ";
        report.padded(each, 4) << " ";
        report.padded(1, 4) << "\n";
    }
}

void write_fraction(Report& report, u64 hundredths) {
    report << hundredths / 100 << ".";
    if (hundredths % 100 < 10) report << "0";
    report << hundredths % 100;
}

void write_uptime(Report& report, Process*) {
    write_fraction(report, clock::monotonic_ns() / k_tick);
    report << " 0.00\n";
}

u64 process_count() {
    u64 count = 0;
    for (Process* process = next_process(nullptr); process != nullptr;
         process = next_process(process))
        ++count;
    return count;
}

void write_loadavg(Report& report, Process*) {
    report << "0.00 0.00 0.00 1/" << process_count() << " " << u64{current().pid} << "\n";
}

void write_stat(Report& report, Process*) {
    u64 const ticks = (clock::monotonic_ns() - boot_info().clock_ns) / k_tick;
    static constexpr Text k_names[] = {"cpu  ", "cpu0 "};
    for (Text const name : k_names)
        report << name << ticks << " 0 0 0 0 0 0 0 0 0\n";
    report << "intr 0\nctxt 0\nbtime "
           << static_cast<u64>(boot_info().clock_realtime_offset) / k_second << "\nprocesses "
           << process_count() << "\nprocs_running 1\nprocs_blocked 0\n";
}

void write_version(Report& report, Process*) {
    report << "Linux version 6.1.0-isolab (isolab guest kernel)\n";
}

void write_filesystems(Report& report, Process*) {
    report << "nodev\tproc\nnodev\ttmpfs\nnodev\tdevtmpfs\nnodev\tmodules\n";
}

} // namespace

void write_mounts(Report& report, Process*) {
    report << "modules / modules ro,relatime 0 0\n"
              "devtmpfs /dev devtmpfs ro,relatime 0 0\n"
              "tmpfs /dev/shm tmpfs rw,relatime 0 0\n"
              "proc /proc proc rw,relatime 0 0\n"
              "tmpfs /tmp tmpfs rw,relatime 0 0\n";
    if (diskfs::is_mounted()) report << "disk /disk isolab rw,noatime 0 0\n";
}

Source const machine_files[] = {
    {"cpuinfo", write_cpuinfo},         {"meminfo", write_meminfo},
    {"uptime", write_uptime},           {"loadavg", write_loadavg},
    {"version", write_version},         {"stat", write_stat},
    {"slabinfo", write_slabinfo},       {"mounts", write_mounts},
    {"filesystems", write_filesystems}, {{}, nullptr},
};

Source const kernel_settings[] = {
    {"ostype", nullptr, "Linux\n"},
    {"osrelease", nullptr, "6.1.0-isolab\n"},
    {"version", nullptr, "isolab guest kernel\n"},
    {"hostname", nullptr, "isolab\n"},
    {"domainname", nullptr, "(none)\n"},
    {"pid_max", nullptr, "32768\n"},
    {"ngroups_max", nullptr, "65536\n"},
    {},
};

Source const memory_settings[] = {
    {"overcommit_memory", nullptr, "0\n"},
    {"max_map_count", nullptr, "65530\n"},
    {"mmap_min_addr", nullptr, "65536\n"},
    {},
};
static_assert(AddressSpace::k_areas_max == 65530 && ISO_USER_LOW == 65536);

} // namespace iso::guest::procfs
