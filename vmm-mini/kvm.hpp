#pragma once

#include "common/fd.hpp"
#include "common/machine/guest_memory.hpp"
#include "common/mapping.hpp"
#include "common/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <linux/kvm.h>
#include <sys/ioctl.h>

namespace iso::vmm {

/// ioctl(2) that turns a failure into an Error named after the request. `argument` is what the
/// request takes: a number or a pointer.
template <typename Argument>
Result<int> kvm_ioctl(Fd const& fd, unsigned long request, char const* name, Argument argument,
                      std::source_location at = std::source_location::current()) {
    int const result = ::ioctl(fd.get(), request, argument);
    if (result < 0) return sys_error(std::string("ioctl(") + name + ")", {}, at);
    return result;
}

#define ISO_KVM(fd, request, argument) ::iso::vmm::kvm_ioctl((fd), (request), #request, (argument))

/// A virtual CPU: its descriptor and the page it shares with the kernel.
/// Source: Linux Documentation/virt/kvm/api.rst, section 5.
struct Vcpu {
    Fd fd;
    Mapping shared;

    [[nodiscard]] kvm_run& run() const { return *reinterpret_cast<kvm_run*>(shared.data()); }
};

/// A model-specific register of a vCPU; nothing when this backend does not have it.
std::optional<std::uint64_t> read_msr(Vcpu const& vcpu, std::uint32_t index);

/// A virtual machine without devices of the kernel's: no interrupt controller, whose removal alone
/// costs 17 ms on the PVM backend.
struct Vm {
    Fd fd;

    /// Makes host memory appear at a guest-physical address. The memory must outlive the VM.
    [[nodiscard]] Result<void> map(std::uint32_t slot, GuestPhys gpa, std::span<std::byte> host,
                                   bool read_only) const;
};

/// The open /dev/kvm.
class Kvm {
public:
    /// Errors: no device, no permission, another API version - each with its next step.
    static Result<Kvm> open(std::string const& path = "/dev/kvm");

    [[nodiscard]] Result<Vm> create_vm() const;
    [[nodiscard]] Result<Vcpu> create_vcpu(Vm const& vm, unsigned id) const;
    /// KVM_CHECK_EXTENSION: 0 when unknown.
    [[nodiscard]] int extension(int capability) const;
    [[nodiscard]] Fd const& fd() const { return fd_; }

private:
    Fd fd_;
};

} // namespace iso::vmm
