#include "common/mapping.hpp"

namespace iso {

Result<Mapping> Mapping::create(std::size_t size, int prot, int flags, int fd, off_t offset,
                                std::source_location at) {
    void* const base = ::mmap(nullptr, size, prot, flags, fd, offset);
    if (base == MAP_FAILED) return sys_error("mmap(" + std::to_string(size) + " bytes)", {}, at);
    Mapping mapping;
    mapping.base_ = static_cast<std::byte*>(base);
    mapping.size_ = size;
    return mapping;
}

void Mapping::reset() {
    if (base_ != nullptr) ::munmap(base_, size_);
    base_ = nullptr;
    size_ = 0;
}

} // namespace iso
