#include "paravirt-demo/launch.hpp"

#include "common/abi/guest_abi.h"

#include <iterator>

#include <sys/mman.h>

namespace iso::pv {

namespace {

/// Appends [from, to) of guest-physical memory with one protection.
class Segments {
public:
    explicit Segments(KernelLaunch& launch)
        : launch_(launch) {}

    bool add(std::uint64_t from, std::uint64_t to, int protection) {
        if (from == to) return true;
        if (launch_.segment_count == std::size(launch_.segments)) return false;
        launch_.segments[launch_.segment_count++] = {ISO_KERNEL_BASE + from, from, to - from,
                                                     static_cast<std::uint32_t>(protection), 0};
        return true;
    }

private:
    KernelLaunch& launch_;
};

} // namespace

Result<KernelLaunch> make_launch(KernelImage const& kernel, GuestMemory const& memory) {
    KernelLaunch launch{};
    launch.ram_bytes = memory.ram().size();
    launch.entry = kernel.entry;
    launch.boot_info = ISO_KERNEL_BASE + ISO_BOOT_INFO_GPA;
    Segments segments(launch);
    // Page 0 stays unmapped: a null pointer into guest-physical memory faults in the kernel, too.
    std::uint64_t done = k_page;
    bool fits = true;
    for (KernelSegment const& segment : kernel.segments) {
        std::uint64_t const end = round_up(segment.gpa.value + segment.memory, k_page);
        int const rights =
            PROT_READ | (segment.writable ? PROT_WRITE : 0) | (segment.executable ? PROT_EXEC : 0);
        fits = fits && segments.add(done, segment.gpa.value, PROT_READ | PROT_WRITE) &&
               segments.add(segment.gpa.value, end, rights);
        done = end;
    }
    fits = fits && segments.add(done, memory.ram().size(), PROT_READ | PROT_WRITE) &&
           segments.add(memory.ram().size(), memory.end(), PROT_READ);
    if (!fits) return error("kernel", "it has more segments than a launch describes");
    return launch;
}

} // namespace iso::pv
