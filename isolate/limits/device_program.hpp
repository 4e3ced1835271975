#pragma once

#include "common/result.hpp"
#include "isolate/spec/spec.hpp"

#include <cstdint>
#include <span>
#include <vector>

#include <linux/bpf.h>

namespace iso::jail {

/// Control groups version 2 have no files for device rules: a BPF program decides (cgroup-v2.rst,
/// "Device controller").
///
/// The program has the meaning that the same list of rules has for the devices controller of
/// version 1, where a rule for "a" starts the list anew and the others make or take back exceptions
/// (cgroup-v1/devices.rst).
std::vector<bpf_insn> device_program(std::span<DeviceRule const> rules);

/// Attaches the program for `rules` to the group of a descriptor, in place of one that is there.
/// Errors: EPERM without CAP_BPF or CAP_SYS_ADMIN.
Result<void> attach_device_program(int group, std::span<DeviceRule const> rules);

} // namespace iso::jail
