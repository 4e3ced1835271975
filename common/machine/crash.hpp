#pragma once

#include "common/report.hpp"

namespace iso {

/// From here on a fatal signal of the engine itself (a bug, memory of a file that shrank, a system
/// call that confine() forbids) still leaves a line on stderr and an engine-failed report.
/// Everything the handler writes is made now: nothing may be allocated then (signal-safety(7)).
void arm_crash_report(int report_fd, RunReport const& so_far);

} // namespace iso
