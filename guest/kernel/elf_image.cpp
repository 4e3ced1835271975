#include "guest/kernel/elf_image.hpp"

#include "guest/kernel/vma.hpp"

#include <linux/elf.h>

namespace iso::guest {

namespace {

constexpr UserAddr k_pie_base = 0x8000000000; // where position-independent programs go

// Protection by p_flags, of which PF_X is the lowest bit and PF_R the highest.
constexpr u8 k_protection[8] = {0,
                                k_prot_exec,
                                k_prot_write,
                                k_prot_write | k_prot_exec,
                                k_prot_read,
                                k_prot_read | k_prot_exec,
                                k_prot_read | k_prot_write,
                                k_prot_read | k_prot_write | k_prot_exec};
static_assert(PF_X == 1 && PF_W == 2 && PF_R == 4);

// Each comparison also bounds what the next one subtracts from: no sum wraps.
inline Result add_segment(Elf64_Phdr const& header, u64 size, ElfImage& image) {
    constexpr u64 in_page = k_page - 1;
    constexpr UserAddr limit = ISO_USER_HIGH / 2; // leaves the upper half to stack and mappings
    u64 const file_bytes = header.p_filesz;
    u64 const bytes = header.p_memsz;
    u64 const offset = header.p_offset;
    if (file_bytes > bytes || offset > size || file_bytes > size - offset ||
        ((offset ^ header.p_vaddr) & in_page) != 0)
        return -ENOEXEC;
    if (bytes == 0) return 0;
    UserAddr const start = image.base + header.p_vaddr;
    if (start - ISO_USER_LOW >= limit - ISO_USER_LOW || bytes > limit - start) return -ENOEXEC;
    if (page_down(start) < image.end || image.segment_count == ElfImage::k_segments)
        return -ENOEXEC; // overlapping, out of order, or too many

    Segment& segment = image.segments[image.segment_count++];
    segment.start = page_down(start);
    segment.end = image.end = page_up(start + bytes);
    segment.file_offset = page_down(offset);
    segment.file_bytes = file_bytes != 0 ? file_bytes + (start & in_page) : 0;
    segment.protection = k_protection[header.p_flags & 7];
    // As Linux: where a segment ends with its file bytes, the rest of the page is the file's.
    segment.zero_tail = bytes > file_bytes || (header.p_flags & PF_W) != 0;
    return 0;
}

} // namespace

Result read_elf(u8 const* file, u64 there, u64 size, ElfImage& image) {
    auto const& elf = *reinterpret_cast<Elf64_Ehdr const*>(file);
    constexpr u32 k_magic = 0x464c457f;
    if (there < sizeof elf || *reinterpret_cast<u32 const*>(file) != k_magic ||
        elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_ident[EI_DATA] != ELFDATA2LSB ||
        elf.e_machine != EM_X86_64 || (elf.e_type != ET_EXEC && elf.e_type != ET_DYN) ||
        elf.e_phentsize != sizeof(Elf64_Phdr) || elf.e_phoff > there || elf.e_phoff % 8 != 0 ||
        elf.e_phnum == 0 || elf.e_phnum > (there - elf.e_phoff) / sizeof(Elf64_Phdr))
        return -ENOEXEC;

    image.base = elf.e_type == ET_DYN ? k_pie_base : 0;
    u64 const place = elf.e_phoff;
    auto const* header = reinterpret_cast<Elf64_Phdr const*>(file + place);
    for (auto const* const end = header + elf.e_phnum; header != end; ++header) {
        if (header->p_type == PT_INTERP) return -ENOEXEC; // dynamically linked
        if (header->p_type != PT_LOAD) continue;
        if (Result const result = add_segment(*header, size, image); result != 0) return result;
        if (place - header->p_offset < header->p_filesz)
            image.headers = image.base + header->p_vaddr + (place - header->p_offset);
    }
    if (image.segment_count == 0) return -ENOEXEC;
    image.entry = image.base + elf.e_entry;
    image.header_count = elf.e_phnum;
    image.header_bytes = elf.e_phentsize;
    return 0;
}

} // namespace iso::guest
