#include "vmm-mini/backend.hpp"

#include "common/machine/kernel_image.hpp"
#include "vmm-mini/confine.hpp"
#include "vmm-mini/embedded_kernel.hpp"

#include <cpuid.h>
#include <unistd.h>

namespace iso::vmm {

namespace {

/// A model-specific register that only KVM's PVM backend has, and what it reads as there.
constexpr std::uint32_t k_pvm_msr = 0x4b564d11;
constexpr std::uint64_t k_pvm_signature = 0x4d5650;

} // namespace

CpuFeatures CpuFeatures::read() {
    CpuFeatures cpu;
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) != 0) {
        cpu.vmx = (c & (1U << 5U)) != 0;
        cpu.hypervisor = (c & (1U << 31U)) != 0;
    }
    if (__get_cpuid(0x80000001, &a, &b, &c, &d) != 0) cpu.svm = (c & (1U << 2U)) != 0;
    return cpu;
}

Backend detect_backend(CpuFeatures const& cpu, std::string const& module_directory) {
    auto const loaded = [&](char const* module) {
        return ::access((module_directory + "/" + module).c_str(), F_OK) == 0;
    };
    // A module may be built into the kernel without serving this CPU: the CPU has to agree.
    if (cpu.vmx && loaded("kvm_intel")) return {"kvm_intel", cpu.hypervisor};
    if (cpu.svm && loaded("kvm_amd")) return {"kvm_amd", cpu.hypervisor};
    if (loaded("kvm_pvm")) return {"kvm_pvm", cpu.hypervisor};
    return {"kvm", cpu.hypervisor};
}

void confirm_backend(Backend& backend, Vcpu const& vcpu) {
    if (read_msr(vcpu, k_pvm_msr) == k_pvm_signature) backend.name = "kvm_pvm";
}

EngineProbe probe() {
    auto const attempt = []() -> Result<Backend> {
        Kvm const kvm = TRY(Kvm::open());
        Vm const vm = TRY(kvm.create_vm());
        Vcpu const vcpu = TRY(kvm.create_vcpu(vm, 0));
        TRY(check_confinement());
        if (embedded_kernel().empty())
            return error("kernel", "vmm-mini was built without a guest kernel", "./isolab build");
        Backend backend = detect_backend(CpuFeatures::read());
        confirm_backend(backend, vcpu);
        return backend;
    };
    auto const backend = attempt();
    if (!backend) {
        Error const& failure = backend.error();
        return {false, {}, failure.op + ": " + failure.cause, failure.hint};
    }
    std::string remark;
    if (backend->emulates_ring0())
        remark =
            "KVM's PVM backend: the guest's kernel runs by instruction emulation and its programs "
            "at full speed; crossings are dearer than on hardware virtualization";
    else if (backend->nested)
        remark = "nested virtualization (this machine is itself virtual): crossings are dearer";
    return {true, backend->name, remark, {}};
}

} // namespace iso::vmm
