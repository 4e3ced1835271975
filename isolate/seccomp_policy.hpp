#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace iso::jail {

/// What a filter answers to a system call: one of the SECCOMP_RET_* values (seccomp(2)).
struct SeccompAction {
    std::uint32_t value = 0;

    static SeccompAction allow();
    static SeccompAction fail(int error_number); ///< the call is not made and returns -error_number
    static SeccompAction kill_process();         ///< the process ends with SIGSYS
    static SeccompAction trap();                 ///< SIGSYS is delivered to the caller
    static SeccompAction notify();               ///< a supervisor decides (seccomp_unotify(2))

    friend bool operator==(SeccompAction, SeccompAction) = default;
};

/// A condition on the low 32 bits of one argument.
///
/// Only the low half is compared, on purpose: the arguments filtered here (ioctl requests, clone
/// flags, socket families) are 32-bit in the kernel, which drops the upper half. A filter that
/// compared all 64 bits could be passed by setting one of the upper ones.
struct ArgumentTest {
    enum class Kind { any_bit_of, one_of };

    unsigned argument = 0; ///< 0..5
    Kind kind = Kind::one_of;
    std::vector<std::uint32_t> values; ///< for any_bit_of: one mask
    SeccompAction matched;             ///< the answer when it holds
    SeccompAction otherwise;           ///< and when it does not
};

/// A condition on one argument, as OCI's profiles have them.
struct Comparison {
    enum class Op {
        not_equal,
        less,
        less_or_equal,
        equal,
        greater_or_equal,
        greater,
        masked_equal
    };

    unsigned argument = 0; ///< 0..5
    Op op = Op::equal;
    std::uint64_t value = 0;
    std::uint64_t mask = ~std::uint64_t{0}; ///< for masked_equal: the bits that are compared
    bool low_half = false;                  ///< only 32 bits, which is all that i386 and x32 have
};

/// The answer to a call whose arguments fulfil all conditions.
struct ArgumentRule {
    std::vector<Comparison> conditions;
    SeccompAction action;
};

/// Which system calls a process may make: the input of compile_seccomp().
struct SeccompPolicy {
    /// All numbers from first to last.
    struct Range {
        std::uint32_t first;
        std::uint32_t last;
        SeccompAction action;
    };

    std::vector<Range> ranges;                    ///< a later one wins over an earlier one
    std::map<std::uint32_t, SeccompAction> calls; ///< by x86-64 number; these win over `ranges`
    std::map<std::uint32_t, ArgumentTest> tests;  ///< these win over `calls`
    /// The first rule that holds wins over `calls`. A number has rules or a test, not both.
    std::map<std::uint32_t, std::vector<ArgumentRule>> rules;
    SeccompAction unlisted;           ///< any other number, the x32 ones among them
    SeccompAction wrong_architecture; ///< int 0x80 and sysenter: the i386 table

    /// The answer to a number, its argument test apart.
    [[nodiscard]] SeccompAction action(std::uint32_t number) const;
};

/// A policy for one of the tables of system calls that the machine has.
struct ArchitecturePolicy {
    std::uint32_t architecture = 0; ///< AUDIT_ARCH_*
    SeccompPolicy policy;
};

/// The name of an x86-64 system call, or "syscall_N" for one without a name here.
std::string syscall_name(std::uint32_t number);
/// The number of an x86-64 system call by its name.
std::optional<std::uint32_t> syscall_number(std::string_view name);

} // namespace iso::jail
