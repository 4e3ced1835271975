#include "vmm-mini/run.hpp"

#include "common/clock.hpp"
#include "common/machine/boot.hpp"
#include "common/machine/conclude.hpp"
#include "common/machine/counters.hpp"
#include "common/machine/crash.hpp"
#include "common/machine/disk_file.hpp"
#include "common/machine/explain.hpp"
#include "common/machine/guest_clock.hpp"
#include "common/machine/kernel_file.hpp"
#include "common/machine/kernel_image.hpp"
#include "common/machine/modules.hpp"
#include "common/machine/program_file.hpp"
#include "common/machine/stop.hpp"
#include "common/report.hpp"
#include "vmm-mini/backend.hpp"
#include "vmm-mini/confine.hpp"
#include "vmm-mini/cpu_state.hpp"
#include "vmm-mini/cpuid.hpp"
#include "vmm-mini/embedded_kernel.hpp"
#include "vmm-mini/exit_counters.hpp"
#include "vmm-mini/exit_loop.hpp"
#include "vmm-mini/page_tables.hpp"
#include "vmm-mini/stats.hpp"
#include "vmm-mini/vcpu_clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/prctl.h>

namespace iso::vmm {

namespace {

constexpr std::uint64_t k_mib = std::uint64_t{1} << 20U;

constexpr std::uint32_t k_memory_slot = 0;

/// Where devices have their registers: behind the memory, in a large page of the linear map.
constexpr std::uint64_t k_device_bytes = k_large_page;

/// Makes the pages that every guest writes at its start private and present, in few calls. Left
/// alone they would be read first, as the shared zero page, and then replaced: each time KVM
/// flushes what it knows of the page. An optimisation only: a kernel without MADV_POPULATE_WRITE
/// (before Linux 5.14) does without.
void prefault(GuestMemory const& memory, KernelImage const& kernel) {
    auto const populate = [&](std::uint64_t gpa, std::uint64_t size) {
        if (auto const bytes = memory.at({gpa}, size, Access::write))
            (void)::madvise(bytes->data(), bytes->size(), MADV_POPULATE_WRITE);
    };
    populate(ISO_BOOT_INFO_GPA, ISO_COUNTERS_GPA + 2 * k_page - ISO_BOOT_INFO_GPA);
    populate(ISO_CONSOLE_GPA, k_page);
    for (KernelSegment const& segment : kernel.segments)
        populate(segment.gpa.value, round_up(segment.memory, k_page));
}

/// The story of one run, in order. Everything it builds is gone when it returns; what is to be
/// known of it is in `report`.
Result<void> execute(RunOptions const& options, std::string const& kernel_file, RunReport& report) {
    Explain explain(options.explain);
    bool const counting =
        options.report_fd >= 0 || options.stats != StatsFormat::none || options.explain;

    ProgramFile const program = TRY(ProgramFile::open(options));
    explain.step(fmt::format("opened and checked {}", program.host),
                 "a program that cannot run is refused before anything is built for it");
    ModuleTable modules = TRY(ModuleTable::collect(program.host, program.guest, options));
    TRY(modules.check_directory(options.workdir));
    modules.lay_out({});
    std::optional<DiskFile> disk = TRY(DiskFile::open(options));
    if (disk)
        explain.step(fmt::format("{} {}, {} MiB", disk->created() ? "made" : "opened", options.disk,
                                 disk->sectors() * k_sector / k_mib),
                     "the disk: locked, so that no other machine writes to it");
    std::uint64_t const device_bytes = disk ? k_device_bytes : 0;
    std::uint64_t const ram =
        TRY(ram_size(options, modules.bytes, max_linear_bytes() - device_bytes));
    modules.lay_out({ram});
    KernelFile const kernel_bytes = TRY(KernelFile::open(kernel_file, embedded_kernel()));
    KernelImage const kernel = TRY(KernelImage::parse(kernel_bytes.bytes, kernel_bytes.name));

    // Transparent huge pages would favour whoever gets them: every engine runs without.
    ::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    GuestMemory const memory = TRY(GuestMemory::create(ram, modules.bytes));
    explain.step(fmt::format("reserved {} MiB of RAM and {} KiB for {} files", ram / k_mib,
                             modules.bytes / 1024, modules.modules.size()),
                 "address space only: a page is there once the guest touches it");

    Kvm const kvm = TRY(Kvm::open());
    Vm const vm = TRY(kvm.create_vm());
    explain.step("opened /dev/kvm and created a VM",
                 "no interrupt controller: nothing here needs one, and on some backends its "
                 "removal is slow");
    Vcpu const vcpu = TRY(kvm.create_vcpu(vm, 0));
    kick_on_stop(&vcpu.run().immediate_exit);
    VcpuTimer timer = TRY(VcpuTimer::create(vcpu));
    Backend backend = detect_backend(CpuFeatures::read());
    confirm_backend(backend, vcpu);
    report.backend = backend.name;
    Cpuid const cpuid = TRY(Cpuid::supported(kvm));
    TRY(cpuid.apply(vcpu));
    report.facts["cpuid.vendor"] = cpuid.vendor();
    report.facts["kvm.nested"] = backend.nested ? "yes" : "no";
    report.facts["kernel"] = kernel_bytes.name;
    explain.step(
        fmt::format("created a vCPU on {}{}", backend.name, backend.nested ? " (nested)" : ""),
        "it gets the host's CPUID as KVM allows it, with the hypervisor bit set");

    report.phases.load = monotonic_ns();
    // Before the VM sees the memory: from then on KVM is told of every change to a mapping.
    TRY(modules.map(memory, program.fd));
    TRY(memory.seal_modules());
    prefault(memory, kernel);
    kernel.load(kernel_bytes.bytes, memory);
    GuestPhys const page_tables = TRY(build_page_tables(memory, kernel, device_bytes));
    explain.step(fmt::format("loaded the kernel ({}), mapped the files, built page tables",
                             kernel_bytes.name),
                 "files are mapped, not copied; code is never writable, data never executable");
    // One slot: each costs a wait for everybody who may still look at the old ones. That modules
    // are read-only is in their mapping, which KVM never exceeds.
    TRY(vm.map(k_memory_slot, {0}, memory.all(), false));
    TRY(enter_long_mode(vcpu, page_tables, kernel.entry, cpuid.supervisor_protection()));
    explain.step("gave the VM its memory and put the vCPU at the kernel's entry",
                 "64-bit mode, ring 0, interrupts off");
    GuestClock const clock = TRY(read_clock(vcpu));
    TRY(write_boot_info(memory, options, modules, clock,
                        boot_flags(options, backend.emulates_ring0()),
                        cpuid.hardware_capabilities(), disk ? disk->sectors() : 0, memory.end()));
    explain.step(fmt::format("wrote the boot information; TSC {} kHz, offset {}", clock.tsc_khz,
                             static_cast<std::int64_t>(clock.tsc_offset)),
                 "the guest turns its TSC into the host's CLOCK_MONOTONIC without an exit");

    Statistics const vm_statistics = counting ? TRY(Statistics::open(vm.fd)) : Statistics{};
    Statistics const vcpu_statistics = counting ? TRY(Statistics::open(vcpu.fd)) : Statistics{};
    if (counting) explain.step("opened KVM's statistics", "asked for: it costs a little");
    TRY(confine({vcpu.fd.get(),
                 options.report_fd,
                 disk ? disk->fd() : -1,
                 {vm_statistics.fd(), vcpu_statistics.fd()}}));
    explain.step("confined this process: no_new_privs, no capabilities, a seccomp filter",
                 "a guest that breaks out of the VM finds a process that can only serve it");

    Doorbell doorbell(memory, options.trace);
    doorbell.set_timer_device([&timer](std::uint64_t deadline) { return timer.set(deadline); });
    std::optional<VirtioMmio> registers;
    if (disk) registers.emplace(memory, GuestPhys{memory.end()}, VirtioBlock(*disk));
    ExitCounts exits{};
    report.phases.enter = monotonic_ns();
    LoopEnd end =
        run_guest(vcpu, {timer, doorbell, registers ? &*registers : nullptr}, exits, options.trace);
    report.phases.exit = monotonic_ns();
    (void)doorbell.console().drain(
        stopping()); // whatever killed the guest, what it printed is seen
    explain.step(fmt::format("ran the guest: {}", to_string(end.ended)),
                 "its kernel's boot is part of this");
    report.ended = end.ended;
    report.status = end.ended == Ended::exited ? end.value : 0;
    report.signal = end.ended == Ended::exited ? 0 : end.value;
    report.failure = std::move(end.failure);
    if (counting) {
        vm_statistics.add_to(report.counters, "kvm.");
        vcpu_statistics.add_to(report.counters, "kvm.");
        add_guest_counters(report.counters, memory);
        add_exit_counters(report.counters, exits);
        add_doorbell_counters(report.counters, doorbell);
        if (disk) disk->add_to(report.counters);
        if (registers) report.counters["disk.notifications"] = registers->notifications();
        add_host_counters(report.counters);
        report.counters["clock.error_ns"] = static_cast<std::uint64_t>(std::abs(clock.error_now()));
    }
    kick_on_stop(nullptr);
    return {};
}

} // namespace

int run(RunOptions const& options, std::string const& kernel_file) {
    RunReport report;
    report.engine = "vmm-mini";
    report.phases.create = monotonic_ns();
    arm_crash_report(options.report_fd, report);
    auto done = arm_stop(options.timeout_ns);
    if (done) done = execute(options, kernel_file, report);
    return conclude(report, std::move(done), options);
}

} // namespace iso::vmm
