#include "vmm-mini/page_tables.hpp"

#include "common/abi/guest_abi.h"

#include <fmt/format.h>

#include <algorithm>

namespace iso::vmm {

namespace {

constexpr std::uint64_t k_present = 1U << 0U;
constexpr std::uint64_t k_writable = 1U << 1U;
constexpr std::uint64_t k_uncached = 1U << 4U;
constexpr std::uint64_t k_accessed = 1U << 5U;
constexpr std::uint64_t k_dirty = 1U << 6U;
constexpr std::uint64_t k_large = 1U << 7U;
constexpr std::uint64_t k_no_execute = std::uint64_t{1} << 63U;

constexpr std::uint64_t k_entries = 512;
constexpr std::uint64_t k_gib = std::uint64_t{1} << 30U;
constexpr std::uint64_t k_tables = (ISO_PAGE_TABLES_END - ISO_PAGE_TABLES_GPA) / k_page;

static_assert(ISO_KERNEL_BASE % (k_gib * k_entries) == 0, "the linear map starts a PML4 entry");
static_assert(ISO_KERNEL_GPA % k_large_page == 0 && ISO_KERNEL_MAX_BYTES == k_large_page,
              "the kernel has one 2 MiB page of the linear map to itself");

/// Hands out zeroed tables from the area that the ABI sets apart.
class TableArea {
public:
    explicit TableArea(GuestMemory const& memory)
        : memory_(memory) {}

    Result<GuestPhys> add() {
        if (next_ >= ISO_PAGE_TABLES_END)
            return error("page tables", "the linear map does not fit into its area",
                         "a smaller --memory");
        GuestPhys const table{next_};
        next_ += k_page;
        auto const bytes = memory_.at(table, k_page, Access::write);
        if (!bytes) return error("page tables", "RAM is smaller than the page-table area");
        return table;
    }
    void set(GuestPhys table, std::uint64_t index, std::uint64_t entry) const {
        // add() proved that the table lies in RAM, and index is below 512 by construction.
        (void)memory_.store(GuestPhys{table.value + index * sizeof entry}, entry);
    }

private:
    GuestMemory const& memory_;
    std::uint64_t next_ = ISO_PAGE_TABLES_GPA;
};

constexpr std::uint64_t k_leaf = k_present | k_accessed | k_dirty;
constexpr std::uint64_t k_branch = k_present | k_writable | k_accessed;

} // namespace

std::uint64_t max_linear_bytes() {
    // One PML4, one PDPT (it spans 512 GiB), one table of 4 KiB entries for the kernel image.
    return std::min((k_tables - 3) * k_gib, k_entries * k_gib);
}

Result<GuestPhys> build_page_tables(GuestMemory const& memory, KernelImage const& kernel,
                                    std::uint64_t device_bytes) {
    std::uint64_t const all = memory.end() + device_bytes;
    TableArea area(memory);
    GuestPhys const root = TRY(area.add());
    GuestPhys const pointers = TRY(area.add());
    area.set(root, (ISO_KERNEL_BASE >> 39U) % k_entries, pointers.value | k_branch);

    for (std::uint64_t gib = 0; gib < all; gib += k_gib) {
        GuestPhys const directory = TRY(area.add());
        area.set(pointers, gib / k_gib, directory.value | k_branch);
        std::uint64_t const end = std::min(gib + k_gib, all);
        for (std::uint64_t gpa = gib; gpa < end; gpa += k_large_page) {
            std::uint64_t const index = (gpa - gib) / k_large_page;
            if (gpa != ISO_KERNEL_GPA) {
                bool const ram = gpa < memory.modules_base().value;
                bool const device = gpa >= memory.end();
                area.set(directory, index,
                         gpa | k_leaf | k_large | k_no_execute | (ram || device ? k_writable : 0) |
                             (device ? k_uncached : 0));
                continue;
            }
            GuestPhys const image = TRY(area.add());
            area.set(directory, index, image.value | k_branch);
            for (std::uint64_t page = 0; page < k_entries;
                 ++page) // what no segment claims is plain RAM
                area.set(image, page, (gpa + page * k_page) | k_leaf | k_writable | k_no_execute);
            for (KernelSegment const& segment : kernel.segments) {
                std::uint64_t const bits = k_leaf | (segment.writable ? k_writable : 0) |
                                           (segment.executable ? 0 : k_no_execute);
                std::uint64_t const pages = round_up(segment.memory, k_page) / k_page;
                for (std::uint64_t page = 0; page < pages; ++page) {
                    std::uint64_t const at = segment.gpa.value + page * k_page;
                    area.set(image, (at - ISO_KERNEL_GPA) / k_page, at | bits);
                }
            }
        }
    }
    return root;
}

} // namespace iso::vmm
