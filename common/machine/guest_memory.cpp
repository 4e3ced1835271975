#include "common/machine/guest_memory.hpp"

#include <sys/mman.h>

namespace iso {

Result<GuestMemory> GuestMemory::create(std::uint64_t ram_bytes, std::uint64_t module_bytes) {
    GuestMemory memory;
    auto all = Mapping::anonymous(ram_bytes + module_bytes);
    if (!all)
        return tl::unexpected<Error>(std::move(all).error().with_hint(
            "a smaller --memory; the guest's RAM is reserved at once"));
    memory.memory_ = std::move(*all);
    memory.ram_bytes_ = ram_bytes;
    return memory;
}

Result<GuestMemory> GuestMemory::create_shared(int fd, std::uint64_t ram_bytes,
                                               std::uint64_t module_bytes) {
    GuestMemory memory;
    memory.memory_ =
        TRY(Mapping::create(ram_bytes + module_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd));
    memory.ram_bytes_ = ram_bytes;
    return memory;
}

Result<void> GuestMemory::seal_modules() const {
    if (modules().empty()) return {};
    if (::mprotect(modules().data(), modules().size(), PROT_READ) != 0)
        return sys_error("mprotect(modules)");
    return {};
}

std::optional<std::span<std::byte>> GuestMemory::at(GuestPhys gpa, std::uint64_t length,
                                                    Access access) const {
    // Subtractions only, each after its comparison: a guest picks these numbers to make sums wrap.
    auto const within = [length](std::span<std::byte> region,
                                 std::uint64_t offset) -> std::optional<std::span<std::byte>> {
        if (offset >= region.size() || length > region.size() - offset) return std::nullopt;
        return region.subspan(offset, length);
    };
    if (gpa.value < ram_bytes_) return within(ram(), gpa.value);
    if (access == Access::write) return std::nullopt; // modules belong to the host's files
    return within(modules(), gpa.value - ram_bytes_);
}

} // namespace iso
