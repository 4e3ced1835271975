#pragma once

#include "guest/kernel/types.hpp"

#include <type_traits>

namespace iso::guest {

/// One instruction: where ring 0 is emulated, each iteration of a loop costs some.
inline bool same_bytes(char const* a, char const* b, u64 bytes) {
    bool same = true;
    asm volatile("cmp %%eax, %%eax\n\trepe cmpsb"
                 : "+S"(a), "+D"(b), "+c"(bytes), "=@cce"(same)
                 :
                 : "memory");
    return same;
}

/// A piece of text that somebody else owns; not zero-terminated.
struct Text {
    char const* data = nullptr;
    u64 size = 0;

    constexpr Text() = default;
    constexpr Text(char const* text, u64 length)
        : data(text)
        , size(length) {}
    constexpr Text(char const* literal)
        : data(literal) {
        while (literal[size] != 0)
            ++size;
    }

    constexpr bool empty() const { return size == 0; }
    constexpr char operator[](u64 i) const { return data[i]; }
    constexpr Text from(u64 start) const { return {data + start, size - start}; }

    constexpr bool operator==(Text const& other) const {
        if (size != other.size) return false;
        if (!std::is_constant_evaluated()) return same_bytes(data, other.data, size);
        for (u64 i = 0; i < size; ++i)
            if (data[i] != other.data[i]) return false;
        return true;
    }
};

} // namespace iso::guest
