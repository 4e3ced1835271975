#pragma once

#include "common/mapping.hpp"
#include "common/result.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

namespace iso {

/// A guest-physical address. A number that nobody can dereference: GuestMemory::at() is the only
/// way from it to bytes.
struct GuestPhys {
    std::uint64_t value = 0;
    friend bool operator==(GuestPhys, GuestPhys) = default;
};

enum class Access { read, write };

inline constexpr std::uint64_t k_page = 4096;
inline constexpr std::uint64_t k_large_page = std::uint64_t{2} << 20U;

/// `value` rounded up to a multiple of `unit` (a power of two). Precondition: no overflow.
constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) {
    return (value + unit - 1) & ~(unit - 1);
}

/// What the guest sees as physical memory: RAM from 0, directly above it the module area, which is
/// read-only to the guest.
class GuestMemory {
public:
    /// Units: bytes, both multiples of 2 MiB; `module_bytes` may be 0.
    static Result<GuestMemory> create(std::uint64_t ram_bytes, std::uint64_t module_bytes);

    /// The same in a file that other processes map, too: RAM from 0, modules behind it.
    static Result<GuestMemory> create_shared(int fd, std::uint64_t ram_bytes,
                                             std::uint64_t module_bytes);

    /// The one checked accessor: the `length` bytes at `gpa`, or nothing when they do not lie in
    /// one region that allows the access. A length of 0 needs an address inside a region, too.
    [[nodiscard]] std::optional<std::span<std::byte>> at(GuestPhys gpa, std::uint64_t length,
                                                         Access access) const;

    /// Copies a structure out of guest memory, once: what the guest writes later changes nothing.
    template <typename T>
    [[nodiscard]] std::optional<T> fetch(GuestPhys gpa) const {
        static_assert(std::is_trivially_copyable_v<T>);
        auto const bytes = at(gpa, sizeof(T), Access::read);
        if (!bytes) return std::nullopt;
        T value;
        std::memcpy(&value, bytes->data(), sizeof value);
        return value;
    }

    /// Copies a structure into guest memory; false when it does not fit there.
    template <typename T>
    [[nodiscard]] bool store(GuestPhys gpa, T const& value) const {
        static_assert(std::is_trivially_copyable_v<T>);
        auto const bytes = at(gpa, sizeof(T), Access::write);
        if (!bytes) return false;
        std::memcpy(bytes->data(), &value, sizeof value);
        return true;
    }

    /// RAM and modules: one piece on the host, too, so that KVM gets them as one slot.
    [[nodiscard]] std::span<std::byte> all() const { return memory_.bytes(); }
    [[nodiscard]] std::span<std::byte> ram() const { return all().first(ram_bytes_); }
    /// The module area as the engine sees it when it fills it.
    [[nodiscard]] std::span<std::byte> modules() const { return all().subspan(ram_bytes_); }
    [[nodiscard]] GuestPhys modules_base() const { return {ram_bytes_}; }
    /// The module area is filled: from here on nobody may write to it, neither guest nor engine.
    [[nodiscard]] Result<void> seal_modules() const;
    /// The end of physical memory: RAM, then modules.
    [[nodiscard]] std::uint64_t end() const { return memory_.size(); }

private:
    Mapping memory_;
    std::uint64_t ram_bytes_ = 0;
};

} // namespace iso
