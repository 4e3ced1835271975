#include "common/machine/kernel_image.hpp"

#include "common/abi/guest_abi.h"

#include <fmt/format.h>

#include <algorithm>
#include <elf.h>

namespace iso {

namespace {

constexpr std::uint64_t k_lowest = ISO_KERNEL_BASE + ISO_KERNEL_GPA;
constexpr std::uint16_t k_max_program_headers = 64;

/// True when [offset, offset+size) lies inside [0, limit), without overflow.
constexpr bool within(std::uint64_t offset, std::uint64_t size, std::uint64_t limit) {
    return offset <= limit && size <= limit - offset;
}

template <typename Header>
Header read_at(std::span<std::byte const> image, std::uint64_t offset) {
    Header header; // copied out: the image's alignment is not ours to trust
    std::memcpy(&header, image.data() + offset, sizeof header);
    return header;
}

} // namespace

Result<KernelImage> KernelImage::parse(std::span<std::byte const> image, std::string const& name) {
    auto const refuse = [&](std::string cause) {
        return error("kernel(" + name + ")", std::move(cause),
                     "a kernel built from this source tree");
    };
    if (image.size() < sizeof(Elf64_Ehdr)) return refuse("too short for an ELF file");
    auto const header = read_at<Elf64_Ehdr>(image, 0);
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return refuse("not an ELF file");
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
        header.e_machine != EM_X86_64)
        return refuse("not made for x86-64");
    if (header.e_type != ET_EXEC)
        return refuse("not linked at a fixed address (e_type is not ET_EXEC)");
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 ||
        header.e_phnum > k_max_program_headers)
        return refuse(
            fmt::format("{} program headers of {} bytes", header.e_phnum, header.e_phentsize));
    if (!within(header.e_phoff, std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr), image.size()))
        return refuse("truncated: the program headers lie outside the file");

    KernelImage kernel{header.e_entry, {}};
    std::uint64_t used = 0; // end of the last segment, as an offset from k_lowest
    for (std::uint16_t i = 0; i < header.e_phnum; ++i) {
        auto const ph = read_at<Elf64_Phdr>(image, header.e_phoff + i * sizeof(Elf64_Phdr));
        if (ph.p_type == PT_INTERP || ph.p_type == PT_DYNAMIC)
            return refuse("dynamically linked: nobody is there to relocate it");
        if (ph.p_type != PT_LOAD || ph.p_memsz == 0) continue;
        if (ph.p_filesz > ph.p_memsz || !within(ph.p_offset, ph.p_filesz, image.size()))
            return refuse(fmt::format("truncated: segment {} lies outside the file", i));
        if (ph.p_vaddr < k_lowest ||
            !within(ph.p_vaddr - k_lowest, ph.p_memsz, ISO_KERNEL_MAX_BYTES))
            return refuse(
                fmt::format("segment {} at {:#x}, {:#x} bytes, lies outside of {:#x}..{:#x}", i,
                            ph.p_vaddr, ph.p_memsz, k_lowest, k_lowest + ISO_KERNEL_MAX_BYTES));
        if (ph.p_vaddr % k_page != 0)
            return refuse(
                fmt::format("segment {} does not begin on a page: permissions are per page", i));
        if (ph.p_vaddr - k_lowest < used)
            return refuse(
                fmt::format("segment {} shares a page with the one before, or precedes it", i));
        if ((ph.p_flags & PF_W) != 0 && (ph.p_flags & PF_X) != 0)
            return refuse(fmt::format("segment {} is writable and executable", i));
        used = round_up(ph.p_vaddr - k_lowest + ph.p_memsz, k_page);
        kernel.segments.push_back({.gpa = {ph.p_vaddr - ISO_KERNEL_BASE},
                                   .memory = ph.p_memsz,
                                   .offset = ph.p_offset,
                                   .file = ph.p_filesz,
                                   .writable = (ph.p_flags & PF_W) != 0,
                                   .executable = (ph.p_flags & PF_X) != 0});
    }
    auto const holds_entry = [&](KernelSegment const& segment) {
        std::uint64_t const start = ISO_KERNEL_BASE + segment.gpa.value;
        return segment.executable && kernel.entry >= start && kernel.entry - start < segment.memory;
    };
    if (std::none_of(kernel.segments.begin(), kernel.segments.end(), holds_entry))
        return refuse(
            fmt::format("the entry point {:#x} lies in no executable segment", kernel.entry));
    return kernel;
}

void KernelImage::load(std::span<std::byte const> image, GuestMemory const& memory) const {
    for (KernelSegment const& segment : segments)
        if (auto const place = memory.at(segment.gpa, segment.file, Access::write))
            std::memcpy(place->data(), image.data() + segment.offset, segment.file);
}

} // namespace iso
