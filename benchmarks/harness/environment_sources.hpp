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

/// Share of time since boot that the hypervisor gave to others, of /proc/stat's first line.
std::optional<double> steal_share();

/// "some avg10=..." by resource, from /proc/pressure.
std::map<std::string, std::string> pressure();

/// The chosen word of a sysfs choice: "always [madvise] never" gives "madvise".
std::string chosen_word(std::string const& text);

} // namespace iso::bench::sources
