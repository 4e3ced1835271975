#pragma once

#include "guest/kernel/types.hpp"

namespace iso::guest {

/// Copies a few bytes inside the kernel's half. For more than some hundred use port::copy: ring 0
/// may be emulated, and then each iteration costs more than half a microsecond.
inline void copy_small(void* to, void const* from, u64 bytes) {
    u64 words = bytes / 8;
    u64 rest = bytes % 8;
    asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
    if (rest != 0) asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest) : : "memory");
}

inline void zero_small(void* to, u64 bytes) {
    u64 words = bytes / 8;
    u64 rest = bytes % 8;
    asm volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(0) : "memory");
    if (rest != 0) asm volatile("rep stosb" : "+D"(to), "+c"(rest) : "a"(0) : "memory");
}

/// How many of the first `limit` words are zero.
inline u64 zero_words(u64 const* words, u64 limit) {
    if (limit == 0) return 0;
    u64 left = limit;
    bool all;
    asm volatile("repe scasq" : "+D"(words), "+c"(left), "=@ccz"(all) : "a"(0) : "memory");
    return all ? limit : limit - left - 1;
}

/// Length of the zero-terminated text at `text`, at most `limit`.
inline u64 text_length(char const* text, u64 limit) {
    if (limit == 0) return 0;
    char const* end = text;
    u64 left = limit;
    bool found;
    asm volatile("repne scasb" : "+D"(end), "+c"(left), "=@ccz"(found) : "a"(0) : "memory");
    return limit - left - (found ? 1 : 0);
}

} // namespace iso::guest
