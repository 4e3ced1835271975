#pragma once

#include "common/result.hpp"
#include "vmm-mini/kvm.hpp"

#include <cstdint>
#include <ctime>

namespace iso::vmm {

/// The guest's one-shot timer: at its moment the vCPU gets an interrupt.
///
/// There is no interrupt controller. A POSIX timer's signal makes KVM_RUN return, and the interrupt
/// goes straight into the vCPU (KVM_INTERRUPT), at once or as soon as the guest takes interrupts
/// (Linux Documentation/virt/kvm/api.rst, 4.16 and 5). One for each process: a signal handler has
/// no other way to know the vCPU.
class VcpuTimer {
public:
    static Result<VcpuTimer> create(Vcpu const& vcpu);
    VcpuTimer(VcpuTimer&& other) noexcept;
    VcpuTimer& operator=(VcpuTimer&&) = delete;
    ~VcpuTimer();

    /// Units: ns of CLOCK_MONOTONIC; 0: no interrupt, not even one that is due. Returns 0 or
    /// -errno.
    std::int64_t set(std::uint64_t deadline_ns);
    /// Before each KVM_RUN: gives the vCPU an interrupt that is due, or asks to be told when it
    /// can.
    Result<void> offer();

private:
    explicit VcpuTimer(Vcpu const& vcpu)
        : vcpu_(&vcpu) {}

    Vcpu const* vcpu_;
    timer_t timer_{};
    bool armed_ = false; ///< there is a timer
    bool due_ = false;
};

} // namespace iso::vmm
