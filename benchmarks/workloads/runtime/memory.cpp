// The four functions that a freestanding GCC may call on its own (GCC manual, "Standards").
// Compiled with -fno-tree-loop-distribute-patterns, or these loops would become calls to
// themselves.
#include <stddef.h>

extern "C" {

void* memcpy(void* to, void const* from, size_t size) {
    auto* out = static_cast<unsigned char*>(to);
    auto const* in = static_cast<unsigned char const*>(from);
    for (size_t i = 0; i < size; ++i)
        out[i] = in[i];
    return to;
}

void* memmove(void* to, void const* from, size_t size) {
    auto* out = static_cast<unsigned char*>(to);
    auto const* in = static_cast<unsigned char const*>(from);
    if (out <= in) return memcpy(to, from, size);
    for (size_t i = size; i > 0; --i)
        out[i - 1] = in[i - 1];
    return to;
}

void* memset(void* to, int value, size_t size) {
    auto* out = static_cast<unsigned char*>(to);
    for (size_t i = 0; i < size; ++i)
        out[i] = static_cast<unsigned char>(value);
    return to;
}

int memcmp(void const* a, void const* b, size_t size) {
    auto const* left = static_cast<unsigned char const*>(a);
    auto const* right = static_cast<unsigned char const*>(b);
    for (size_t i = 0; i < size; ++i)
        if (left[i] != right[i]) return left[i] < right[i] ? -1 : 1;
    return 0;
}

} // extern "C"
