// What the engine works out about machines without having one: CPUID, registers, clock, backend,
// statistics, trace lines.
#include "common/abi/guest_abi.h"
#include "common/machine/guest_clock.hpp"
#include "common/machine/trace.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"
#include "vmm-mini/backend.hpp"
#include "vmm-mini/cpu_state.hpp"
#include "vmm-mini/cpuid.hpp"
#include "vmm-mini/kvm_arrays.hpp"
#include "vmm-mini/stats.hpp"

#include <cmath>

#include <sys/stat.h>

using namespace iso;
using namespace iso;
using namespace iso::vmm;

TEST_CASE("CPUID: user space's part is filled in, the rest is left alone") {
    kvm_cpuid_entry2 entries[4]{};
    entries[0].function = 1;
    entries[0].ebx = 0x05020800;
    entries[0].ecx = 0x00000201;
    entries[1].function = 0xb;
    entries[1].edx = 5;
    entries[2].function = 0x1f;
    entries[2].edx = 5;
    entries[3].function = 7;
    entries[3].edx = 5;
    fix_up(entries);
    CHECK(entries[0].ecx == 0x81000201);
    CHECK(entries[0].ebx == 0x00020800); // APIC id 0
    CHECK(entries[1].edx == 0);
    CHECK(entries[2].edx == 0);
    CHECK(entries[3].edx == 5);
}

TEST_CASE("entry state: 64-bit ring 0 as the ABI says, interrupts off") {
    kvm_sregs special{};
    special.apic_base = 0xfee00900;
    kvm_regs general{};
    set_entry_state(special, general, {ISO_PAGE_TABLES_GPA}, 0x600000200040, 0x300000);
    CHECK(special.cs.selector == ISO_KERNEL_CS);
    CHECK(special.cs.l == 1);
    CHECK(special.cs.db == 0);
    CHECK(special.cs.dpl == 0);
    CHECK(special.ss.selector == ISO_KERNEL_DS);
    CHECK(special.tr.type == 0xb);
    CHECK(special.cr3 == ISO_PAGE_TABLES_GPA);
    CHECK((special.cr0 & 0x80010001U) == 0x80010001U); // PG WP PE
    CHECK(special.cr4 == 0x300620U);                   // PAE OSFXSR OSXMMEXCPT SMEP SMAP
    CHECK(special.efer == 0xd01U);                     // NXE LMA LME SCE
    CHECK(special.apic_base == 0xfee00900);            // the backend's
    CHECK(general.rflags == 2);
    CHECK(general.rdi == ISO_KERNEL_BASE + ISO_BOOT_INFO_GPA);
}

TEST_CASE("clock: the rate follows the kernel's own rounding and NTP's slew") {
    auto const ns_per_cycle = [](TscRate rate) {
        return std::ldexp(double{1.0} * rate.multiplier, -static_cast<int>(rate.shift));
    };
    for (std::uint32_t const khz : {100'000U, 999'999U, 2'299'998U, 2'499'998U, 5'000'000U}) {
        TscRate const plain = clock_rate(khz, 0);
        CHECK(plain.shift <= 32);
        CHECK(ns_per_cycle(plain) ==
              Approx(1e6 / khz).epsilon(2e-7));              // the kernel's step is below 0.2 ppm
        TscRate const faster = clock_rate(khz, 65536 * 100); // 100 ppm
        CHECK(ns_per_cycle(faster) / ns_per_cycle(plain) == Approx(1.0001).epsilon(1e-9));
    }
    // Linux prints this for a 2499.998 MHz counter: mult 6710892, shift 24.
    CHECK(ns_per_cycle(clock_rate(2'499'998, 0)) == Approx(6710892.0 / 16777216.0).epsilon(1e-9));
    CHECK(clock_rate(2'499'998, -1'000'000'000'000).multiplier != 0); // nonsense does not wrap
}

TEST_CASE("clock: a guest's time runs from its base, also backwards") {
    GuestClock clock;
    clock.base_ns = 1'000'000;
    clock.base_tsc = 5'000'000;
    clock.multiplier = 1U << 31U;
    clock.shift = 32; // half a nanosecond per cycle
    CHECK(clock.at(5'000'000) == 1'000'000);
    CHECK(clock.at(5'000'100) == 1'000'050);
    CHECK(clock.at(4'999'900) == 999'950);
    CHECK(clock.at(5'000'000 + (std::uint64_t{1} << 40U)) == 1'000'000 + (std::uint64_t{1} << 39U));
}

TEST_CASE("backend: the CPU and the modules have to agree") {
    TempDir const directory = std::move(*TempDir::create("vmm-backend"));
    auto const load = [&](char const* module) {
        ::mkdir((directory.path() + "/" + module).c_str(), 0755);
    };
    auto const name = [&](CpuFeatures cpu) { return detect_backend(cpu, directory.path()).name; };
    CHECK(name({true, false, false}) == "kvm");
    load("kvm_pvm");
    CHECK(name({}) == "kvm_pvm");
    load("kvm_intel");
    load("kvm_amd");
    CHECK(name({}) == "kvm_pvm");
    CHECK(name({true, false, false}) == "kvm_intel");
    CHECK(name({false, true, false}) == "kvm_amd");
    CHECK(detect_backend({false, true, true}, directory.path()).nested);
}

namespace {

/// A statistics descriptor's contents: two scalars and a histogram, names in 16-byte fields.
std::vector<std::byte> statistics_block() {
    constexpr std::uint32_t name_size = 16;
    struct {
        char const* name;
        std::uint32_t flags;
        std::uint16_t size;
        std::uint32_t offset;
    } const all[] = {{"exits", KVM_STATS_TYPE_CUMULATIVE, 1, 0},
                     {"pages_4k", KVM_STATS_TYPE_INSTANT, 1, 8},
                     {"halt_hist", KVM_STATS_TYPE_LOG_HIST, 4, 16}};
    kvm_stats_header header{};
    header.name_size = name_size;
    header.num_desc = std::size(all);
    header.id_offset = sizeof header;
    header.desc_offset = sizeof header + name_size;
    header.data_offset = static_cast<std::uint32_t>(
        header.desc_offset + header.num_desc * (sizeof(StatsDescriptor) + name_size));
    std::vector<std::byte> bytes(header.data_offset);
    std::memcpy(bytes.data(), &header, sizeof header);
    std::memcpy(bytes.data() + header.id_offset, "kvm-1/vcpu-0", 12);
    std::size_t at = header.desc_offset;
    for (auto const& each : all) {
        StatsDescriptor descriptor{each.flags, 0, each.size, each.offset, 0};
        std::memcpy(bytes.data() + at, &descriptor, sizeof descriptor);
        std::memcpy(bytes.data() + at + sizeof descriptor, each.name, std::strlen(each.name));
        at += sizeof descriptor + name_size;
    }
    return bytes;
}

} // namespace

TEST_CASE("statistics: scalars are read by name, histograms left out") {
    auto const layout = StatisticsLayout::parse(statistics_block());
    REQUIRE(layout);
    CHECK(layout->id == "kvm-1/vcpu-0");
    REQUIRE(layout->statistics.size() == 3);
    CHECK(layout->statistics[2].kind == Statistic::Kind::log_histogram);
    CHECK(layout->data_bytes == 48);
    std::uint64_t const data[] = {12, 34, 1, 2, 3, 4};
    std::map<std::string, std::uint64_t> counters;
    layout->add_to(counters, std::as_bytes(std::span(data)), "kvm.");
    layout->add_to(counters, std::as_bytes(std::span(data)), "kvm."); // a second vCPU
    CHECK(counters ==
          std::map<std::string, std::uint64_t>{{"kvm.exits", 24}, {"kvm.pages_4k", 68}});
    counters.clear();
    layout->add_to(counters, std::as_bytes(std::span(data)).first(8), "kvm."); // cut short
    CHECK(counters.size() == 1);
}

TEST_CASE("statistics: a cut or damaged block is an error, not a crash") {
    auto const whole = statistics_block();
    std::size_t refused = 0;
    for (std::size_t size = 0; size < whole.size(); ++size)
        refused += StatisticsLayout::parse(std::span(whole).first(size)) ? 0 : 1;
    CHECK(refused > sizeof(kvm_stats_header));
    for (std::size_t at = 0; at < whole.size(); ++at) {
        auto bytes = whole;
        bytes[at] = std::byte{0xff};
        auto const layout = StatisticsLayout::parse(bytes);
        if (layout && layout->data_bytes > (1U << 20U)) FAIL("byte " << at);
    }
}

TEST_CASE("trace: lines as strace writes them") {
    std::uint64_t const write[6] = {1, 0x7f0012345678, 30, 9, 9, 9};
    CHECK(format_syscall(1, write, 30) == "write(1, 0x7f0012345678, 30) = 30");
    std::uint64_t const open[6] = {static_cast<std::uint64_t>(-100), 0x500000, 0, 0, 9, 9};
    CHECK(format_syscall(257, open, -2) ==
          "openat(-100, 0x500000, 0, 0) = -2 ENOENT (No such file or directory)");
    std::uint64_t const none[6] = {};
    CHECK(format_syscall(39, none, 1) == "getpid() = 1");
    CHECK(format_syscall(9999, none, -38).substr(0, 13) == "syscall_9999(");
    CHECK(format_syscall(12, none, 0x600000) == "brk(0) = 0x600000");
    CHECK(syscall_info(450).name == "set_mempolicy_home_node");
    CHECK(syscall_info(334).name == "rseq");
    CHECK(syscall_info(335).name.empty());
    CHECK(syscall_info(424).name == "pidfd_send_signal");
    CHECK(syscall_info(~std::uint64_t{0}).name.empty());
}
