#pragma once

// What a workload is made of. A workload file defines k_name, k_parameters, k_parameter_count and
// run(); the runtime does the rest: arguments, identity, entry time, the line of JSON, the status.
#include "benchmarks/workloads/runtime/linux.hpp"

#include <stddef.h>
#include <stdint.h>

namespace iso::workload {

/// One `name=value` argument: a whole number, with an optional K, M or G, or a word. Lives in .data
/// with its default, is overwritten by the command line (after the identity has been taken).
struct Parameter {
    char const* name;
    uint64_t value;
    char const* text = nullptr; ///< of a word; a number has none
};

/// What a run has to say.
struct Outcome {
    bool measured = true; ///< false: nothing but the entry time
    uint64_t ops = 0;
    uint64_t ns = 0;
    uint64_t checksum = 0; ///< depends on the arguments alone
    uint64_t bytes = 0;    ///< that all operations moved, where that is what they are about
};

extern char const* const k_name;
extern Parameter* const k_parameters[];
extern size_t const k_parameter_count;
Outcome run();

/// Ends the program with status 3 and "NAME: what: value" on stderr: the work was done wrongly, or
/// something it needs is missing.
[[noreturn]] void fail(char const* what, uint64_t value = 0);

/// Ends the program with status 2: called wrongly.
[[noreturn]] void refuse(char const* what, char const* argument);

/// Ends the program with status 4 and a line that says so: this kernel does not offer `what`. That
/// is an answer, not a failure. `error` is an errno, or 0.
[[noreturn]] void not_available(char const* what, uint64_t error);

/// The result of a system call that has to succeed. A kernel that has no such call, or no such kind
/// of object, ends the program with "not available"; every other error is a failure.
long need(char const* what, long result);

/// Whether two words are the same.
bool equal(char const* a, char const* b);

/// Hides a value from the optimiser, so that what follows is computed when the program runs.
template <typename T>
inline T opaque(T value) {
    asm volatile("" : "+r"(value));
    return value;
}

/// One step of a hash over 64-bit words (the finaliser of splitmix64; Steele, Lea, Flood 2014).
constexpr uint64_t mix(uint64_t state, uint64_t word) {
    uint64_t z = (state ^ word) + 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
}

} // namespace iso::workload
