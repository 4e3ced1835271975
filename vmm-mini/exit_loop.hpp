#pragma once

#include "common/machine/doorbell.hpp"
#include "common/report.hpp"
#include "vmm-mini/kvm.hpp"
#include "vmm-mini/vcpu_timer.hpp"
#include "vmm-mini/virtio/mmio.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace iso::vmm {

/// Returns from KVM_RUN by exit reason; the last element counts reasons newer than this program.
using ExitCounts = std::array<std::uint64_t, 64>;

/// "io", "hlt", "internal_error": the name of a KVM_EXIT_* reason, as in counters `exit.NAME`.
char const* exit_name(std::uint32_t reason);

/// How a run of the guest ended.
struct LoopEnd {
    Ended ended = Ended::engine_failed;
    int value = 0; ///< exit status or signal
    std::optional<Error> failure;
};

/// What a guest can reach besides its memory.
struct Devices {
    VcpuTimer& timer;
    Doorbell& doorbell;
    VirtioMmio* disk = nullptr; ///< nullptr: there is none
};

/// The main loop: runs the guest until it ends, fails or is stopped. Counts what it sees.
LoopEnd run_guest(Vcpu const& vcpu, Devices const& devices, ExitCounts& counts, bool trace);

} // namespace iso::vmm
