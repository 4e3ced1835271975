#include "common/abi/guest_abi.h"
#include "tests/support/catch.hpp"
#include "vmm-mini/page_tables.hpp"

#include <optional>

using namespace iso;
using namespace iso::vmm;

namespace {

struct Translation {
    std::uint64_t gpa = 0;
    bool writable = true;
    bool executable = true;
    bool user = true;
    bool accessed_and_dirty = true;
};

/// Walks the tables as the CPU does (APM vol. 2, 5.3), collecting permissions over the levels.
std::optional<Translation> walk(GuestMemory const& memory, GuestPhys root, std::uint64_t address) {
    Translation result;
    GuestPhys table = root;
    for (unsigned shift = 39;; shift -= 9) {
        auto const entry =
            memory.fetch<std::uint64_t>({table.value + (address >> shift) % 512 * 8});
        if (!entry || (*entry & 1U) == 0) return std::nullopt;
        result.writable &= (*entry & 2U) != 0;
        result.user &= (*entry & 4U) != 0;
        result.executable &= *entry >> 63U == 0;
        std::uint64_t const frame = *entry & 0x000ffffffffff000;
        bool const large = (*entry & 0x80U) != 0 && shift <= 30;
        if (large || shift == 12) {
            std::uint64_t const within = address & ((std::uint64_t{1} << shift) - 1);
            result.accessed_and_dirty = (*entry & 0x60U) == 0x60U;
            result.gpa = (frame & ~((std::uint64_t{1} << shift) - 1)) + within;
            return result;
        }
        table = {frame};
    }
}

KernelImage three_segments() {
    KernelImage kernel;
    kernel.entry = ISO_KERNEL_BASE + ISO_KERNEL_GPA;
    kernel.segments = {{{ISO_KERNEL_GPA}, k_page + 1, 0, 0, false, true},
                       {{ISO_KERNEL_GPA + 3 * k_page}, 10, 0, 0, false, false},
                       {{ISO_KERNEL_GPA + 5 * k_page}, 3 * k_page, 0, 0, true, false}};
    return kernel;
}

} // namespace

TEST_CASE("page tables: every page of the linear map has the permissions it should, and no other "
          "exists") {
    std::uint64_t const ram = 16 * k_large_page;
    auto const memory = GuestMemory::create(ram, 2 * k_large_page);
    REQUIRE(memory);
    auto const root = build_page_tables(*memory, three_segments());
    REQUIRE(root);
    CHECK(root->value == ISO_PAGE_TABLES_GPA);
    std::uint64_t wrong = 0;
    for (std::uint64_t gpa = 0; gpa < memory->end(); gpa += k_page) {
        auto const found = walk(*memory, *root, ISO_KERNEL_BASE + gpa + 123);
        std::uint64_t const page = (gpa - ISO_KERNEL_GPA) / k_page; // huge below the kernel
        bool const text = page < 2;
        bool const rodata = page == 3;
        bool const read_only = text || rodata || gpa >= ram;
        if (!found || found->gpa != gpa + 123 || found->writable == read_only ||
            found->executable != text || found->user || !found->accessed_and_dirty)
            ++wrong;
    }
    CHECK(wrong == 0);
    CHECK_FALSE(walk(*memory, *root, 0x1000)); // no identity map
    CHECK_FALSE(walk(*memory, *root, ISO_KERNEL_BASE + memory->end()));
    CHECK_FALSE(walk(*memory, *root, ISO_KERNEL_BASE - k_page));
    CHECK_FALSE(walk(*memory, *root, 0xffffffff80000000));
}

TEST_CASE("page tables: the largest map fits into the ABI's area, one more GiB does not") {
    std::uint64_t const gib = std::uint64_t{1} << 30U;
    auto const largest = GuestMemory::create(max_linear_bytes(), 0); // address space, not memory
    if (!largest) ISO_SKIP("address-space", "the largest guest cannot be reserved");
    auto const root = build_page_tables(*largest, three_segments());
    REQUIRE(root);
    auto const last = walk(*largest, *root, ISO_KERNEL_BASE + max_linear_bytes() - 1);
    REQUIRE(last);
    CHECK(last->gpa == max_linear_bytes() - 1);
    auto const larger = GuestMemory::create(max_linear_bytes() + gib, 0);
    if (larger) CHECK_FALSE(build_page_tables(*larger, three_segments()));
}
