#pragma once

#include "common/result.hpp"
#include "isolate/seccomp_policy.hpp"

#include <span>
#include <vector>

#include <linux/filter.h>

namespace iso::jail {

/// A classic BPF program for seccomp(2).
using SeccompProgram = std::vector<sock_filter>;

/// Compiles a policy to a balanced tree over the intervals of equal answers.
///
/// Why intervals: at installation the kernel runs the filter once for each system call number to
/// fill its cache of always-allowed calls (kernel/seccomp.c, seccomp_cache_prepare), so the cost
/// is the number of calls times the mean path length. A list of equality tests has a path of
/// hundreds of instructions, a tree over some forty intervals one of seven.
///
/// Errors: an argument number above 5, an empty test, a program longer than BPF_MAXINSNS.
Result<SeccompProgram> compile_seccomp(SeccompPolicy const& policy);

/// The same for several tables of system calls; any other gets the answer `other`.
Result<SeccompProgram> compile_seccomp(std::span<ArchitecturePolicy const> policies,
                                       SeccompAction other);

/// Installs a program on the calling thread. Needs no_new_privs (or CAP_SYS_ADMIN). Allocates
/// nothing. Returns the result of seccomp(2): 0, a listener with a `notify` flag, or -1 with errno.
int install_seccomp(sock_filter const* program, std::size_t length, unsigned flags = 0);

} // namespace iso::jail
