#include "vmm-mini/guest_memory.hpp"

namespace iso::vmm {

Result<GuestMemory> GuestMemory::create(std::uint64_t ram_bytes, std::uint64_t module_bytes) {
    GuestMemory memory;
    auto ram = Mapping::anonymous(ram_bytes);
    if (!ram)
        return tl::unexpected<Error>(std::move(ram).error().with_hint(
            "a smaller --memory; the guest's RAM is reserved at once"));
    memory.ram_ = std::move(*ram);
    if (module_bytes != 0) memory.modules_ = TRY(Mapping::anonymous(module_bytes));
    return memory;
}

std::optional<std::span<std::byte>> GuestMemory::at(GuestPhys gpa, std::uint64_t length,
                                                    Access access) const {
    // Subtractions only, each after its comparison: a guest picks these numbers to make sums wrap.
    auto const within = [length](Mapping const& region,
                                 std::uint64_t offset) -> std::optional<std::span<std::byte>> {
        if (offset >= region.size() || length > region.size() - offset) return std::nullopt;
        return region.bytes().subspan(offset, length);
    };
    if (gpa.value < ram_.size()) return within(ram_, gpa.value);
    if (access == Access::write) return std::nullopt; // modules belong to the host's files
    return within(modules_, gpa.value - ram_.size());
}

} // namespace iso::vmm
