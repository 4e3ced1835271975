#pragma once

#include "common/result.hpp"
#include "isolate/seccomp_policy.hpp"

#include <vector>

namespace iso::vmm {

/// The descriptors that the engine still uses once the guest runs.
struct OpenDescriptors {
    int vcpu = -1;
    int report = -1;             ///< -1: none
    int disk = -1;               ///< -1: none
    std::vector<int> statistics; ///< KVM's binary statistics
};

/// The seccomp policy that binds the engine while a guest runs: reads of stdin and the statistics,
/// writes to stdout, stderr and the report, reads and writes of the disk, ioctls of the vCPU, and
/// the memory and signal calls that the C library needs. Nothing can be opened, executed, connected
/// or traced; no memory becomes executable. Anything else raises SIGSYS.
jail::SeccompPolicy make_policy(OpenDescriptors const& open);

/// Whether this kernel has what confine() needs.
Result<void> check_confinement();

/// Confines this process for ever: no_new_privs, no capabilities, the policy above.
/// Called after everything has been opened and before the first guest instruction.
Result<void> confine(OpenDescriptors const& open);

} // namespace iso::vmm
