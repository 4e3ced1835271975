#pragma once

#include "common/engine.hpp"
#include "vmm-mini/kvm.hpp"

#include <string>

namespace iso::vmm {

/// What this CPU says about virtualization (CPUID; APM vol. 3 E.3, Intel SDM vol. 2A).
struct CpuFeatures {
    bool vmx = false;
    bool svm = false;
    bool hypervisor = false; ///< this machine is itself virtual
    static CpuFeatures read();
};

/// What stands behind /dev/kvm on this machine.
struct Backend {
    std::string name;    ///< "kvm_intel", "kvm_amd", "kvm_pvm", or "kvm" when nothing tells
    bool nested = false; ///< this machine is itself virtual
    /// Guest ring 0 is emulated instruction by instruction (PVM: KVM without VMX or SVM).
    [[nodiscard]] bool emulates_ring0() const { return name == "kvm_pvm"; }
};

/// Says which backend serves /dev/kvm, from the CPU and the modules under `module_directory`.
/// Never fails: an unknown backend is "kvm".
Backend detect_backend(CpuFeatures const& cpu, std::string const& module_directory = "/sys/module");

/// What the backend says of itself through a vCPU; corrects `backend` where the modules mislead.
void confirm_backend(Backend& backend, Vcpu const& vcpu);

/// Whether vmm-mini can run here: does what `run` does, up to an empty VM with one vCPU.
EngineProbe probe();

} // namespace iso::vmm
