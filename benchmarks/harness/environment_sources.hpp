#pragma once

#include <map>
#include <optional>
#include <string>

// Where environment.cpp reads from: one function for each place in the system that says something.
namespace iso::bench::sources {

/// The contents of a small file without the last newline; empty when it cannot be read.
std::string line_of(std::string const& path);

/// "key : value" of the first processor in /proc/cpuinfo.
std::map<std::string, std::string> cpuinfo();

/// The hypervisor above us by CPUID leaf 0x40000000 (its signature in words), or "none".
std::string hypervisor();

/// "kvm_intel", "kvm_amd", "kvm_pvm", "none: ..." by /sys/module and /dev/kvm.
std::string kvm_backend();

/// "v1 (cpu, memory, ...)", "v2", "v1 + v2 (hybrid)", "none".
std::string cgroups();

/// Whether an ordinary user may make user namespaces, and if not, what forbids it.
std::string user_namespaces();

/// Processors this process may use.
unsigned allowed_cpus();

/// Time of all CPUs since boot, and what of it the hypervisor gave to others: /proc/stat's first
/// line. Nothing: it cannot be read.
struct CpuTicks {
    double total = 0;
    double stolen = 0;
};
std::optional<CpuTicks> cpu_ticks();

/// "on", "off", or that it is not visible.
std::string turbo();

/// The other hardware threads of a CPU's core, as "0-1"; empty: it says nothing.
std::string core_of(unsigned cpu);

/// The last CPU that this process may use: where samples run.
unsigned last_allowed_cpu();

/// "some avg10=..." by resource, from /proc/pressure.
std::map<std::string, std::string> pressure();

/// The type of the file system that temporary files are on: "ext4", "tmpfs".
std::string temporary_file_system();

/// The chosen word of a sysfs choice: "always [madvise] never" gives "madvise".
std::string chosen_word(std::string const& text);

} // namespace iso::bench::sources
