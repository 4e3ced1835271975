#include "guest/kernel/elf_image.hpp"

#include "guest/kernel/vma.hpp"

#include <linux/elf.h>

namespace iso::guest {

namespace {

constexpr UserAddr k_pie_base = 0x8000000000; // where position-independent programs go

Result add_segment(Elf64_Phdr const& header, u64 size, ElfImage& image) {
    constexpr u64 in_page = k_page - 1;
    if (header.p_filesz > header.p_memsz || header.p_offset > size ||
        header.p_filesz > size - header.p_offset ||
        (header.p_offset & in_page) != (header.p_vaddr & in_page))
        return -ENOEXEC;
    if (header.p_memsz == 0) return 0;
    if (header.p_vaddr > ISO_USER_HIGH || header.p_memsz > ISO_USER_HIGH ||
        image.base + header.p_vaddr < ISO_USER_LOW ||
        image.base + header.p_vaddr + header.p_memsz > ISO_USER_HIGH / 2)
        return -ENOEXEC;
    if (image.segment_count == ElfImage::k_segments) return -ENOEXEC;

    UserAddr const start = image.base + header.p_vaddr;
    u64 const lead = start & in_page;
    Segment segment{start - lead, page_up(start + header.p_memsz), header.p_offset - lead,
                    header.p_filesz + lead, 0};
    if (header.p_filesz == 0) segment.file_bytes = 0;
    if ((header.p_flags & PF_R) != 0) segment.protection |= k_prot_read;
    if ((header.p_flags & PF_W) != 0) segment.protection |= k_prot_write;
    if ((header.p_flags & PF_X) != 0) segment.protection |= k_prot_exec;
    if (segment.start < image.end) return -ENOEXEC; // overlapping, or out of order
    image.end = segment.end;
    image.segments[image.segment_count++] = segment;
    return 0;
}

} // namespace

Result read_elf(u8 const* file, u64 size, ElfImage& image) {
    auto const& elf = *reinterpret_cast<Elf64_Ehdr const*>(file);
    constexpr u32 k_magic = 0x464c457f;
    if (size < sizeof elf || *reinterpret_cast<u32 const*>(file) != k_magic ||
        elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_ident[EI_DATA] != ELFDATA2LSB ||
        elf.e_machine != EM_X86_64 || (elf.e_type != ET_EXEC && elf.e_type != ET_DYN) ||
        elf.e_phentsize != sizeof(Elf64_Phdr) || elf.e_phoff > size || elf.e_phoff % 8 != 0 ||
        elf.e_phnum == 0 || elf.e_phnum > (size - elf.e_phoff) / sizeof(Elf64_Phdr))
        return -ENOEXEC;

    image.base = elf.e_type == ET_DYN ? k_pie_base : 0;
    auto const* headers = reinterpret_cast<Elf64_Phdr const*>(file + elf.e_phoff);
    for (u16 i = 0; i < elf.e_phnum; ++i) {
        Elf64_Phdr const& header = headers[i];
        if (header.p_type == PT_INTERP) return -ENOEXEC; // dynamically linked
        if (header.p_type != PT_LOAD) continue;
        if (Result const result = add_segment(header, size, image); result != 0) return result;
        if (header.p_offset <= elf.e_phoff && elf.e_phoff < header.p_offset + header.p_filesz)
            image.headers = image.base + header.p_vaddr + (elf.e_phoff - header.p_offset);
    }
    if (image.segment_count == 0) return -ENOEXEC;
    image.entry = image.base + elf.e_entry;
    image.header_count = elf.e_phnum;
    image.header_bytes = elf.e_phentsize;
    return 0;
}

} // namespace iso::guest
