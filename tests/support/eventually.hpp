#pragma once

#include "common/clock.hpp"

#include <poll.h>

namespace iso::test {

/// Whether a condition comes true while somebody is patient. For what nothing tells of: that a
/// control group, a link or a process of somebody else's is gone. How long it takes decides
/// nothing.
template <typename Condition>
bool eventually(Condition condition, std::uint64_t patience_ns = 30'000'000'000) {
    std::uint64_t const deadline = monotonic_ns() + patience_ns;
    while (!condition()) {
        if (monotonic_ns() >= deadline) return false;
        ::poll(nullptr, 0, 5);
    }
    return true;
}

} // namespace iso::test
