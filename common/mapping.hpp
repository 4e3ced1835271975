#pragma once

#include "common/result.hpp"

#include <cstddef>
#include <span>
#include <utility>

#include <sys/mman.h>

namespace iso {

/// Owns a memory mapping.
class [[nodiscard]] Mapping {
public:
    Mapping() = default;
    Mapping(Mapping&& other) noexcept
        : base_(std::exchange(other.base_, nullptr))
        , size_(std::exchange(other.size_, 0)) {}
    Mapping& operator=(Mapping&& other) noexcept {
        if (this != &other) {
            reset();
            base_ = std::exchange(other.base_, nullptr);
            size_ = std::exchange(other.size_, 0);
        }
        return *this;
    }
    ~Mapping() { reset(); }

    /// mmap(2) at an address of the kernel's choice. Units: bytes.
    static Result<Mapping> create(std::size_t size, int prot, int flags, int fd = -1,
                                  off_t offset = 0,
                                  std::source_location at = std::source_location::current());
    /// Private anonymous zeroed memory, read and write, committed when touched.
    static Result<Mapping> anonymous(std::size_t size) {
        return create(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
    }

    [[nodiscard]] std::byte* data() const { return base_; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::span<std::byte> bytes() const { return {base_, size_}; }
    void reset();

private:
    std::byte* base_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace iso
