#include "paravirt-demo/run.hpp"

#include "common/clock.hpp"
#include "common/machine/boot.hpp"
#include "common/machine/conclude.hpp"
#include "common/machine/crash.hpp"
#include "common/machine/disk_file.hpp"
#include "common/machine/explain.hpp"
#include "common/machine/guest_clock.hpp"
#include "common/machine/kernel_file.hpp"
#include "common/machine/program_file.hpp"
#include "common/machine/stop.hpp"
#include "common/report.hpp"
#include "paravirt-demo/confine.hpp"
#include "paravirt-demo/control_block.hpp"
#include "paravirt-demo/counters.hpp"
#include "paravirt-demo/images.hpp"
#include "paravirt-demo/launch.hpp"
#include "paravirt-demo/monitor.hpp"
#include "paravirt-demo/probe.hpp"

#include <fmt/format.h>

#include <cpuid.h>
#include <fcntl.h>
#include <unistd.h>

#include <sys/prctl.h>

namespace iso::pv {

namespace {

constexpr std::uint64_t k_mib = std::uint64_t{1} << 20U;

/// What a mapper's 32-bit lengths and offsets reach. Units: bytes.
constexpr std::uint64_t k_linear_bytes = 3072 * k_mib;

/// CPUID leaf 1, EDX: what AT_HWCAP reports. The guest's program sees the host's processor.
std::uint32_t host_capabilities() {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    __get_cpuid(1, &eax, &ebx, &ecx, &edx);
    return edx;
}

/// How the domain ended, in the report's terms.
void record_end(RunReport& report, Monitor::End end, Monitor const& monitor,
                Doorbell const& doorbell) {
    if (end == Monitor::End::stopped) {
        Stop const stop = stop_requested();
        report.ended = stop.reason == StopReason::timeout ? Ended::timeout : Ended::killed;
        report.signal = stop.signal;
        return;
    }
    report.ended = Ended::engine_failed;
    if (end == Monitor::End::kernel_crashed) {
        report.failure =
            error("guest kernel", monitor.crash(), "paravirt-demo run --trace").value();
        return;
    }
    GuestEnd const& guest = *doorbell.end();
    switch (guest.kind) {
    case GuestEnd::Kind::exited:
        report.ended = Ended::exited;
        report.status = guest.value;
        break;
    case GuestEnd::Kind::signalled:
        report.ended = Ended::signalled;
        report.signal = guest.value;
        break;
    case GuestEnd::Kind::panicked:
        report.failure = error("guest kernel", guest.message, "paravirt-demo run --trace").value();
        break;
    }
}

/// The story of one run, in order. Everything it builds is gone when it returns; what is to be
/// known of it is in `report`.
Result<void> execute(RunOptions const& options, DomainOptions const& domain, RunReport& report) {
    Explain explain(options.explain);
    ProgramFile const program = TRY(ProgramFile::open(options));
    explain.step(fmt::format("opened and checked {}", program.host),
                 "a program that cannot run is refused before anything is built for it");
    report.facts["cpus"] = TRY(domain.placement.apply());
    report.facts["cores"] = fmt::format("{}", domain.placement.cores);
    report.facts["waiting"] = domain.placement.spin ? "spin, then futex" : "futex";
    explain.step(
        fmt::format("bound to CPU {}", report.facts["cpus"]),
        "the boundary is a switch between processes: on one core it costs microseconds, across "
        "sleeping cores ten times that");

    ModuleTable modules = TRY(ModuleTable::collect(program.host, program.guest, options));
    TRY(modules.check_directory(options.workdir));
    modules.lay_out({});
    std::optional<DiskFile> disk = TRY(DiskFile::open(options));
    if (disk)
        explain.step(fmt::format("{} {}, {} MiB", disk->created() ? "made" : "opened", options.disk,
                                 disk->sectors() * k_sector / k_mib),
                     "the disk: locked, so that no other machine writes to it");
    std::uint64_t const ram = TRY(ram_size(options, modules.bytes, k_linear_bytes));
    modules.lay_out({ram});
    KernelFile const kernel_bytes = TRY(KernelFile::open(domain.kernel_file, guest_kernel_image()));
    KernelImage const kernel = TRY(KernelImage::parse(kernel_bytes.bytes, kernel_bytes.name));
    report.facts["kernel"] = kernel_bytes.name;
    report.facts["technique"] = domain.technique;

    Fd const ram_file = TRY(sealed_memory("isolab-ram", ram + modules.bytes));
    GuestMemory const memory = TRY(GuestMemory::create_shared(ram_file.get(), ram, modules.bytes));
    explain.step(
        fmt::format("made {} MiB of RAM and {} KiB for {} files, as one sealed memory file",
                    ram / k_mib, modules.bytes / 1024, modules.modules.size()),
        "every process of the domain maps its part of this one file; sealed, so no page can "
        "vanish");

    report.phases.load = monotonic_ns();
    TRY(modules.copy(memory, program.fd));
    TRY(memory.seal_modules());
    kernel.load(kernel_bytes.bytes, memory);
    GuestClock const clock = TRY(read_host_clock());
    TRY(write_boot_info(memory, options, modules, clock, boot_flags(options, false),
                        host_capabilities(), disk ? disk->sectors() : 0));
    KernelLaunch const launch = TRY(make_launch(kernel, memory));
    explain.step(fmt::format("loaded the guest kernel ({}), the files and the boot information",
                             kernel_bytes.name),
                 "there are no page tables to build: the host's mmap is this machine's MMU");

    ControlBlock const block = TRY(ControlBlock::create());
    Doorbell doorbell(memory, options.trace);
    std::optional<BlockRing> ring;
    if (disk) ring.emplace(memory, *disk);
    Monitor monitor = TRY(Monitor::create(block, doorbell, ring ? &*ring : nullptr, ram_file.get(),
                                          {domain.placement.spin_iterations(), domain.tick_ns}));
    TRY(confine(disk ? disk->fd() : -1));
    explain.step(
        "confined this process: no_new_privs, no capabilities, a seccomp filter",
        "what its processes inherit, too: nothing can be opened or connected from here on");

    report.phases.enter = monotonic_ns();
    TRY(monitor.start(launch));
    explain.step(
        "started two processes: the guest kernel's, and one for the first address space",
        "privilege is which process you are; user code cannot see the kernel's memory at all");
    Monitor::End const end = TRY(monitor.serve());
    report.phases.exit = monotonic_ns();
    (void)doorbell.console().drain(
        stopping()); // whatever killed the guest, what it printed is seen
    explain.step("served the domain until it ended", "its kernel's boot is part of this");
    rusage usage{};
    monitor.finish(usage);
    record_end(report, end, monitor, doorbell);
    add_guest_counters(report.counters, memory);
    add_boundary_counters(report.counters, block, monitor, doorbell);
    if (disk) disk->add_to(report.counters);
    if (ring) report.counters["disk.notifications"] = ring->notifications();
    add_host_counters(report.counters, usage);
    explain.step("ended and reaped the domain's processes", "nothing of it is left");
    return {};
}

} // namespace

int run(RunOptions const& options, DomainOptions const& domain) {
    RunReport report;
    report.engine = "paravirt-demo";
    report.backend = k_backend;
    report.phases.create = monotonic_ns();
    arm_crash_report(options.report_fd, report);
    auto done = arm_stop(options.timeout_ns);
    if (done) done = execute(options, domain, report);
    return conclude(report, std::move(done), options);
}

} // namespace iso::pv
