#include "vmm-mini/exit_loop.hpp"

#include "common/machine/stop.hpp"
#include "common/machine/trace.hpp"
#include "vmm-mini/guest_death.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace iso::vmm {

namespace {

LoopEnd failed(Error failure) {
    return {Ended::engine_failed, 0, std::move(failure)};
}

LoopEnd stopped() {
    Stop const stop = stop_requested();
    if (stop.reason == StopReason::timeout) return {Ended::timeout, 0, {}};
    return {Ended::killed, stop.signal, {}};
}

LoopEnd finished(GuestEnd const& end) {
    switch (end.kind) {
    case GuestEnd::Kind::exited:
        return {Ended::exited, end.value, {}};
    case GuestEnd::Kind::signalled:
        return {Ended::signalled, end.value, {}};
    case GuestEnd::Kind::panicked:
        break;
    }
    return failed(Error{"guest kernel", "panic: " + end.message, "vmm-mini run --trace"});
}

/// The word that the guest sent to this port, or nothing for any other use of one.
std::optional<std::uint32_t> sent_to(kvm_run const& run, std::uint16_t port) {
    auto const& io = run.io;
    if (io.port != port || io.direction != KVM_EXIT_IO_OUT || io.size != sizeof(std::uint32_t) ||
        io.count != 1)
        return std::nullopt;
    std::uint32_t value = 0;
    std::memcpy(&value, reinterpret_cast<std::byte const*>(&run) + io.data_offset, sizeof value);
    return value;
}

std::optional<std::uint32_t> doorbell_value(kvm_run const& run) {
    return sent_to(run, ISO_DOORBELL_PORT);
}

/// An access to a device's registers; false: nobody is there.
bool access_registers(kvm_run& run, VirtioMmio* device) {
    auto& mmio = run.mmio;
    if (device == nullptr || !device->contains(mmio.phys_addr) || mmio.len > sizeof mmio.data)
        return false;
    std::span<std::byte> const bytes(reinterpret_cast<std::byte*>(mmio.data), mmio.len);
    if (mmio.is_write != 0)
        device->write(mmio.phys_addr, bytes);
    else
        device->read(mmio.phys_addr, bytes);
    return true;
}

void trace_exit(kvm_run const& run) {
    if (run.exit_reason == KVM_EXIT_MMIO)
        return say(fmt::format("exit mmio {} {:#x}", run.mmio.is_write != 0 ? "write" : "read",
                               std::uint64_t{run.mmio.phys_addr}));
    if (run.exit_reason != KVM_EXIT_IO)
        return say(fmt::format("exit {}", exit_name(run.exit_reason)));
    auto const value = doorbell_value(run);
    char const* const operation = value ? Doorbell::name(*value) : nullptr;
    if (value && *value == ISO_OP_TRACE) return; // its own line follows
    say(fmt::format("exit io {} port {:#x}{}{}", run.io.direction == KVM_EXIT_IO_OUT ? "out" : "in",
                    run.io.port, operation != nullptr ? " doorbell " : "",
                    operation != nullptr ? operation : ""));
}

} // namespace

LoopEnd run_guest(Vcpu const& vcpu, Devices const& devices, ExitCounts& counts, bool trace) {
    kvm_run& run = vcpu.run();
    for (;;) {
        // First this, then the looks: whatever comes after them sets it again.
        run.immediate_exit = 0;
        if (stopping()) return stopped();
        if (auto const offered = devices.timer.offer(); !offered) return failed(offered.error());
        if (::ioctl(vcpu.fd.get(), KVM_RUN, 0) < 0) {
            int const code = errno;
            if (code != EINTR && code != EAGAIN) return failed(run_failed(vcpu, code));
            ++counts[KVM_EXIT_INTR];
            continue;
        }
        ++counts[run.exit_reason < counts.size() ? run.exit_reason : counts.size() - 1];
        if (trace) trace_exit(run);

        switch (run.exit_reason) {
        case KVM_EXIT_IO: {
            auto const value = doorbell_value(run);
            if (!value) {
                auto const queue = sent_to(run, ISO_DISK_PORT);
                if (!queue || devices.disk == nullptr) return failed(unexpected_port(vcpu));
                devices.disk->notify(*queue);
                continue;
            }
            switch (devices.doorbell.ring(*value)) {
            case Doorbell::Next::resume:
                continue;
            case Doorbell::Next::ended:
                return finished(*devices.doorbell.end());
            case Doorbell::Next::stopped:
                return stopped();
            }
            continue;
        }
        case KVM_EXIT_INTR:            // a signal; stopping() knows whether it was meant for us
        case KVM_EXIT_IRQ_WINDOW_OPEN: // the guest takes interrupts now
            continue;
        case KVM_EXIT_HLT:
            return failed(halted_for_ever(vcpu));
        case KVM_EXIT_SHUTDOWN:
            return failed(triple_fault(vcpu));
        case KVM_EXIT_MMIO:
            if (access_registers(run, devices.disk)) continue;
            return failed(outside_of_memory(vcpu));
        case KVM_EXIT_INTERNAL_ERROR:
            return failed(internal_error(vcpu));
        case KVM_EXIT_FAIL_ENTRY:
            return failed(entry_refused(vcpu));
        case KVM_EXIT_SYSTEM_EVENT:
            return failed(system_event(vcpu));
        default:
            return failed(unexpected_exit(vcpu)); // what only a VMM that asked for it can get
        }
    }
}

} // namespace iso::vmm
