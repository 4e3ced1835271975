#pragma once

#include "benchmarks/harness/sample.hpp"

namespace iso::bench {

/// The instances whose start is a cell: the first, and each after twice as many.
inline constexpr unsigned k_crowd_levels[] = {1, 2, 4, 8, 16, 32};

/// Runs a crowd: instances of a workload that says a line and waits, started one after the other,
/// each when the one before has said its line. Then their memory is read, and all are ended.
///
/// The sample's counters: "density.instances", "density.start_K_ns" (from just before the process
/// was made to its first byte of output, while K-1 wait), and "density.pss_bytes" and
/// "density.private_bytes": those of all processes that belong to the crowd, by smaps_rollup
/// (proc_pid_smaps(5)), less the same for one instance, divided by the number of the others. What
/// the kernel holds outside their address spaces is not in it.
///
/// The request's timeout is the whole crowd's: it then stops growing, which is no failure from two
/// instances on. Errors: only the harness's own.
Result<Taken> take_crowd(SampleRequest const& request, Interrupts& interrupts);

/// How many instances a crowd has at most.
inline constexpr unsigned k_crowd = 32;

} // namespace iso::bench
