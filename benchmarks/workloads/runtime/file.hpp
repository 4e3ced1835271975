#pragma once

// Files: the program's own, and a scratch file in a directory of the user's choice.
#include "benchmarks/workloads/runtime/text.hpp"
#include "benchmarks/workloads/runtime/workload.hpp"

namespace iso::workload {

/// The absolute path of the running program, as /proc/self/exe has it.
struct OwnPath {
    OwnPath() {
        using namespace linux_call;
        long const n =
            need("readlink(/proc/self/exe)",
                 call(readlinkat, -100, address("/proc/self/exe"), address(text), sizeof text - 1));
        text[n] = '\0';
    }
    char text[4096];
};

/// A name for a file of this process in `directory`.
struct ScratchName {
    explicit ScratchName(char const* directory) {
        Text name;
        name.add(directory).add("/isolab-").add(k_name).add("-");
        name.add_decimal(static_cast<uint64_t>(linux_call::call(linux_call::getpid)));
        if (name.size() >= sizeof text) refuse("too long", directory);
        for (size_t i = 0; i < name.size(); ++i)
            text[i] = name.data()[i];
        text[name.size()] = '\0';
    }
    char text[1000];
};

inline constexpr long k_create_new = 2 | 0100 | 0200 | 02000000; // O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC

/// A new file in `directory` that has lost its name already: it is gone whatever ends the program.
inline long scratch_file(char const* directory) {
    using namespace linux_call;
    ScratchName const name(directory);
    long const fd =
        need("creating a file in dir=", call(openat, -100, address(name.text), k_create_new, 0600));
    need("unlink", call(unlinkat, -100, address(name.text), 0));
    return fd;
}

/// What stands in the file at `offset`, a multiple of 8: every word is different.
constexpr uint64_t word_at(uint64_t offset) {
    return mix(5, offset);
}

inline void fill(uint64_t* words, uint64_t bytes, uint64_t offset) {
    for (uint64_t i = 0; i < bytes / 8; ++i)
        words[i] = word_at(offset + 8 * i);
}

inline void check(uint64_t const* words, uint64_t bytes, uint64_t offset) {
    for (uint64_t i = 0; i < bytes / 8; ++i)
        if (words[i] != word_at(offset + 8 * i)) fail("wrong data at byte", offset + 8 * i);
}

/// pread/pwrite of exactly so many bytes; anything less is a failure.
inline void transfer(linux_call::Number which, long fd, void const* data, uint64_t bytes,
                     uint64_t offset) {
    long const n = need(which == linux_call::pread64 ? "pread" : "pwrite",
                        linux_call::call(which, fd, linux_call::address(data),
                                         static_cast<long>(bytes), static_cast<long>(offset)));
    if (static_cast<uint64_t>(n) != bytes)
        fail("a short transfer, bytes", static_cast<uint64_t>(n));
}

inline constexpr uint64_t k_block = 4096;

/// size= and chunk= have to be multiples of 4 KiB, and the file of the chunk.
inline void check_sizes(uint64_t size, uint64_t chunk, uint64_t largest_chunk) {
    if (chunk == 0 || chunk % k_block != 0 || chunk > largest_chunk)
        refuse("a multiple of 4K, at most 1M", "chunk");
    if (size == 0 || size % chunk != 0) refuse("a multiple of chunk", "size");
}

/// Writes the whole file, `chunk` bytes at a time, through `buffer`.
inline void write_file(long fd, uint64_t* buffer, uint64_t size, uint64_t chunk) {
    for (uint64_t at = 0; at < size; at += chunk) {
        fill(buffer, chunk, at);
        transfer(linux_call::pwrite64, fd, buffer, chunk, at);
    }
}

} // namespace iso::workload
