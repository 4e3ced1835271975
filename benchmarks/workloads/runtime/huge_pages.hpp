#pragma once

// Memory in pages of 2 MiB, by Linux's transparent huge pages, and the kernel's word that they are:
// AnonHugePages in /proc/self/smaps (proc(5)). Where either is missing there is no number.
#include "benchmarks/workloads/runtime/text.hpp"
#include "benchmarks/workloads/runtime/workload.hpp"

namespace iso::workload {

inline constexpr uint64_t k_huge_page = uint64_t{2} << 20U;

/// Private anonymous memory that begins at a multiple of 2 MiB, or nullptr.
inline void* map_huge_pages(uint64_t bytes) {
    using namespace linux_call;
    if (bytes % k_huge_page != 0) refuse("with huge=1 a multiple of 2M", "size");
    long const where = call(mmap, 0, static_cast<long>(bytes + k_huge_page),
                            3 /* PROT_READ|PROT_WRITE */, 0x22 /* MAP_PRIVATE|MAP_ANONYMOUS */, -1);
    if (failed(where)) return nullptr;
    // The harness declines huge pages for every program it starts; this one asks for them.
    call(prctl, 41 /* PR_SET_THP_DISABLE */, 0, 0, 0, 0);
    uint64_t const begin = (static_cast<uint64_t>(where) + k_huge_page - 1) & ~(k_huge_page - 1);
    long const advised =
        call(madvise, static_cast<long>(begin), static_cast<long>(bytes), 14 /* MADV_HUGEPAGE */);
    if (failed(advised)) not_available("pages of 2 MiB", static_cast<uint64_t>(-advised));
    return reinterpret_cast<void*>(begin);
}

/// Reads a text file line by line. A line that is too long for the buffer is cut.
class Lines {
public:
    explicit Lines(long fd)
        : fd_(fd) {}

    /// The next line without its end, or nullptr after the last.
    char const* next() {
        size_t used = 0;
        for (;;) {
            if (at_ == filled_) {
                long const n = linux_call::call(linux_call::read, fd_, linux_call::address(data_),
                                                sizeof data_);
                at_ = 0;
                filled_ = n > 0 ? static_cast<size_t>(n) : 0;
                if (filled_ == 0) return nullptr;
            }
            char const c = data_[at_++];
            if (c == '\n') break;
            if (used + 1 < sizeof line_) line_[used++] = c;
        }
        line_[used] = '\0';
        return line_;
    }

private:
    long fd_;
    char data_[4096];
    size_t at_ = 0;
    size_t filled_ = 0;
    char line_[256];
};

inline uint64_t parse_hex(char const*& text) {
    uint64_t value = 0;
    for (;; ++text) {
        if (*text >= '0' && *text <= '9')
            value = value << 4U | static_cast<uint64_t>(*text - '0');
        else if (*text >= 'a' && *text <= 'f')
            value = value << 4U | static_cast<uint64_t>(*text - 'a' + 10);
        else
            return value;
    }
}

/// Kibibytes after `key`, if the line begins with it.
inline uint64_t kib_of(char const* line, char const* key) {
    for (; *key != '\0'; ++key, ++line)
        if (*line != *key) return 0;
    uint64_t value = 0;
    for (; *line == ' ' || (*line >= '0' && *line <= '9'); ++line)
        if (*line != ' ') value = value * 10 + static_cast<uint64_t>(*line - '0');
    return value;
}

/// Ends the program with "not available" unless all of the memory, touched before, is in pages of
/// 2 MiB by the kernel's word.
inline void confirm_huge_pages(void const* memory, uint64_t bytes) {
    using namespace linux_call;
    auto const begin = reinterpret_cast<uintptr_t>(memory);
    long const fd = call(openat, -100 /* AT_FDCWD */, address("/proc/self/smaps"), 0);
    if (failed(fd)) not_available("pages of 2 MiB: /proc/self/smaps", static_cast<uint64_t>(-fd));
    Lines lines(fd);
    bool inside = false;
    uint64_t huge = 0;
    while (char const* line = lines.next()) {
        char const* text = line;
        uint64_t const from = parse_hex(text);
        if (*text == '-' && text != line) {
            uint64_t const to = parse_hex(++text);
            inside = from < begin + bytes && begin < to;
        }
        if (inside) huge += kib_of(line, "AnonHugePages:") << 10U;
    }
    call(close, fd);
    if (huge < bytes) not_available("pages of 2 MiB: the kernel gave none, or not enough", 0);
}

} // namespace iso::workload
