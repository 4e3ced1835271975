#pragma once

#include "common/clock.hpp"
#include "common/machine/trace.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

namespace iso {

/// `--explain`: each step in order, what it cost and why it is there. Silent otherwise.
class Explain {
public:
    explicit Explain(bool on)
        : on_(on)
        , last_(on ? monotonic_ns() : 0) {}

    /// Called when a step is done; its cost is the time since the step before.
    void step(std::string_view what, std::string_view why) {
        if (!on_) return;
        std::uint64_t const now = monotonic_ns();
        say(fmt::format("{:>3}. {:>8.3f} ms  {}\n                   {}", ++number_,
                        static_cast<double>(now - last_) / 1e6, what, why));
        last_ = monotonic_ns(); // what it cost to say so belongs to no step
    }
    [[nodiscard]] bool on() const { return on_; }

private:
    bool on_;
    unsigned number_ = 0;
    std::uint64_t last_;
};

} // namespace iso
