#pragma once

namespace iso::bench {

/// What makes two machines two: a number measured on the one says nothing about the other.
/// No clock rate and no bogomips are in it: they are calibrated anew at every boot.
inline constexpr char const* k_machine_facts[] = {"cpu.model", "cpu.online", "hypervisor",
                                                  "kvm.backend"};

/// What may differ on one machine, but has to be told.
inline constexpr char const* k_told_facts[] = {"kernel", "cpu.microcode", "isolab.compiler",
                                               "cgroup", "clocksource",   "user"};

} // namespace iso::bench
