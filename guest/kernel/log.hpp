#pragma once

#include "guest/kernel/text.hpp"
#include "guest/kernel/trap.hpp"

namespace iso::guest {

/// A line of text in the making.
class Line {
public:
    Line& operator<<(Text text);
    Line& hex(u64 value);
    Line& decimal(u64 value);

    char const* data() const { return buffer_; }
    u64 size() const { return size_; }

private:
    char buffer_[1024];
    u64 size_ = 0;
};

/// The kernel cannot go on: says why, with the registers when there are any, and ends the machine.
[[noreturn]] void panic(Text why, TrapFrame const* frame = nullptr);

} // namespace iso::guest
