#pragma once

#include <stddef.h>
#include <stdint.h>

namespace iso {

inline size_t text_length(char const* text) {
    size_t n = 0;
    while (text[n] != '\0')
        ++n;
    return n;
}

/// A line that is put together in memory and leaves in one write. What does not fit is dropped.
class Text {
public:
    Text& add(char const* text) { return add(text, text_length(text)); }

    Text& add(char const* text, size_t size) {
        for (size_t i = 0; i < size && used_ < sizeof data_; ++i)
            data_[used_++] = text[i];
        return *this;
    }

    Text& add_decimal(uint64_t value) {
        char digits[20];
        size_t n = sizeof digits;
        do {
            digits[--n] = static_cast<char>('0' + value % 10);
            value /= 10;
        } while (value != 0);
        return add(digits + n, sizeof digits - n);
    }

    Text& add_hex16(uint64_t value) {
        char digits[16];
        for (unsigned i = 0; i < 16; ++i)
            digits[i] = "0123456789abcdef"[value >> (60U - 4U * i) & 15U];
        return add(digits, sizeof digits);
    }

    [[nodiscard]] char const* data() const { return data_; }
    [[nodiscard]] size_t size() const { return used_; }

private:
    char data_[1024];
    size_t used_ = 0;
};

} // namespace iso
