#pragma once

#include "isolate/spec/spec.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace iso::jail {

/// In a LimitSpec: the limit is taken away ("max", or -1 in OCI's configuration).
inline constexpr std::uint64_t k_unlimited = std::numeric_limits<std::uint64_t>::max();

/// One value for one file of a control group.
struct Setting {
    std::string controller; ///< "memory", of version 1 "blkio", of version 2 "io"
    std::string file;       ///< "memory.max"
    std::string value;      ///< each line of it is written by itself, in order
    char const* what;       ///< what a person calls it: "memory"
    /// The kernel may be built or booted without it: then it is reported as not enforced.
    bool may_be_missing = false;
};

/// The controllers that the limits need, by the names of version 1 ("blkio"); "devices" too.
std::vector<std::string> controllers_for(LimitSpec const& limits);

/// What has to be written for those limits that belong to `controller`, in the order in which the
/// kernel takes it. Device rules of version 2 are no files: see device_program.hpp.
///
/// Sources: the kernel's Documentation/admin-guide/cgroup-v1/ and cgroup-v2.rst for files and
/// units; where the two versions count differently, the conversions below.
std::vector<Setting> settings_for(LimitSpec const& limits, std::string const& controller, bool v2);

/// What a person or a face calls the limits of a controller: "memory", "--cpus" and so on, for
/// messages about what cannot be enforced.
std::vector<char const*> names_of(LimitSpec const& limits, std::string const& controller);

/// cpu.shares (2 to 262144, usual 1024) as cpu.weight (1 to 10000, usual 100):
/// weight = 10^((l*l + 125*l)/612 - 7/34) with l = log2(shares), rounded up, which maps least to
/// least, usual to usual and most to most. Source: opencontainers/cgroups 0.0.3 and later (runc
/// 1.3.2, crun 1.23). Before, runtimes used the straight line 1 + (shares-2)*9999/262142, which
/// made of the usual 1024 a weight of 39.
std::uint64_t cpu_weight(std::uint64_t shares);

/// blkio.weight (10 to 1000) as io.weight (1 to 10000): 1 + (weight-10)*9999/990, as runc and crun
/// do (crun(1), "cgroup v2").
std::uint64_t io_weight(std::uint64_t blkio_weight);

/// A rule as the devices controller of version 1 reads it: "c 1:3 rwm".
std::string device_line(DeviceRule const& rule);

} // namespace iso::jail
