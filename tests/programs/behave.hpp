#pragma once

// behave: one static program that misbehaves on request, for the tests of the engines.
#include "benchmarks/workloads/runtime/linux.hpp"
#include "benchmarks/workloads/runtime/text.hpp"

namespace iso::behave {

inline constexpr int k_done = 0;
inline constexpr int k_usage = 2;
inline constexpr int k_survived = 99; ///< what should have ended the program did not

/// A line on stdout, or on stderr.
inline void say(Text const& text) {
    (void)linux_call::write_all(1, text.data(), text.size());
}
inline void complain(Text const& text) {
    (void)linux_call::write_all(2, text.data(), text.size());
}

/// "NAME: 0" or "NAME: errno N" as a line on stdout.
inline void say_result(char const* name, long result) {
    Text line;
    line.add(name).add(": ");
    if (linux_call::failed(result)) line.add("errno ");
    say(line.add_decimal(static_cast<uint64_t>(linux_call::failed(result) ? -result : result))
            .add("\n"));
}

bool equal(char const* a, char const* b);

/// Dies in the way named; returns only when the way is unknown or nothing happened.
int crash(char const* way);

/// Calls with arguments that the kernel must refuse, one line of output each.
int bad_pointers();
int unserved_calls();

} // namespace iso::behave
