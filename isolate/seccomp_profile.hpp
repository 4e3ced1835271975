#pragma once

#include "isolate/seccomp_policy.hpp"

#include <span>

#include <linux/filter.h>

namespace iso::jail {

/// One system call that a jailed program does not get, and why.
struct DeniedCall {
    std::uint32_t number;
    char const* why;
};

/// The system calls that the default profile refuses altogether, by subject. Those that Linux no
/// longer has are not listed: the kernel answers ENOSYS itself, and the filter stays shorter.
std::span<DeniedCall const> denied_calls();

/// The default profile of a jail: what ordinary programs need, without what changes the machine,
/// reaches beyond the namespaces, or is kernel surface that few programs use.
///
/// Refused calls fail with EPERM. Numbers that are free, newer than this table, or clone3 fail with
/// ENOSYS, as on an older kernel, so that a C library takes its older way
/// (https://github.com/opencontainers/runc/issues/2151 tells what EPERM does there).
SeccompPolicy default_profile();

/// default_profile(), compiled when isolate was built: a run has no time for it.
std::span<sock_filter const> default_filter();

} // namespace iso::jail
