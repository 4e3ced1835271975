#include "common/elf.hpp"

#include "common/fd.hpp"
#include "common/sha256.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <unistd.h>

namespace iso {

namespace {

constexpr std::uint64_t k_page = 4096;
constexpr std::uint64_t k_user_end =
    0x7fff'ffff'f000; // the last page of the user half is never mapped
constexpr std::uint16_t k_max_program_headers = 128;

constexpr std::uint64_t page_down(std::uint64_t x) {
    return x & ~(k_page - 1);
}
constexpr std::uint64_t page_up(std::uint64_t x) {
    return page_down(x + k_page - 1);
}

/// True when [offset, offset+size) lies inside [0, limit), without overflow.
constexpr bool within(std::uint64_t offset, std::uint64_t size, std::uint64_t limit) {
    return offset <= limit && size <= limit - offset;
}

/// Copies a header out of the image: the image's alignment is not ours to trust.
template <typename Header>
Header read_at(std::span<std::byte const> image, std::uint64_t offset) {
    Header header;
    std::memcpy(&header, image.data() + offset, sizeof header);
    return header;
}

std::string hex_digest(Sha256& hash) {
    char text[2 * Sha256::digest_size + 1];
    hash.finish_hex(text);
    return text;
}

} // namespace

Result<ElfImage> ElfImage::parse(std::span<std::byte const> image, std::string const& name) {
    auto refuse = [&](std::string cause, std::string hint = {}) {
        return tl::unexpected<Error>(Error{"exec(" + name + ")", std::move(cause), std::move(hint),
                                           0, exit_code::cannot_execute});
    };
    char const* const rebuild = "a static x86-64 Linux executable (link with -static)";

    if (image.size() < EI_NIDENT || std::memcmp(image.data(), ELFMAG, SELFMAG) != 0)
        return refuse("not an ELF file", rebuild);
    auto const ident = [&](int i) {
        return std::to_integer<unsigned char>(image[static_cast<std::size_t>(i)]);
    };
    if (ident(EI_CLASS) == ELFCLASS32) return refuse("a 32-bit ELF file", rebuild);
    if (ident(EI_CLASS) != ELFCLASS64 || ident(EI_DATA) != ELFDATA2LSB ||
        ident(EI_VERSION) != EV_CURRENT)
        return refuse("not a 64-bit little-endian ELF file", rebuild);
    if (image.size() < sizeof(Elf64_Ehdr))
        return refuse("truncated: the ELF header is cut short", "copy the file again");

    auto const header = read_at<Elf64_Ehdr>(image, 0);
    if (header.e_machine != EM_X86_64)
        return refuse(fmt::format("made for another machine (e_machine {})", header.e_machine),
                      rebuild);
    if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
        return refuse(fmt::format("not an executable (e_type {})", header.e_type), rebuild);
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0)
        return refuse("no program headers", rebuild);
    if (header.e_phnum > k_max_program_headers)
        return refuse(fmt::format("{} program headers; at most {} make sense", header.e_phnum,
                                  k_max_program_headers));
    std::uint64_t const table_size = std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr);
    if (!within(header.e_phoff, table_size, image.size()))
        return refuse("truncated: the program headers lie outside the file", "copy the file again");

    ElfImage result;
    result.entry = header.e_entry;
    result.position_independent = header.e_type == ET_DYN;
    result.program_header_count = header.e_phnum;
    for (std::uint16_t i = 0; i < header.e_phnum; ++i) {
        auto const ph = read_at<Elf64_Phdr>(image, header.e_phoff + i * sizeof(Elf64_Phdr));
        if (ph.p_type == PT_INTERP)
            return refuse("dynamically linked (it asks for an interpreter)", rebuild);
        if (ph.p_type == PT_GNU_STACK) result.executable_stack = (ph.p_flags & PF_X) != 0;
        if (ph.p_type != PT_LOAD || ph.p_memsz == 0) continue;
        if (ph.p_filesz > ph.p_memsz)
            return refuse(fmt::format("segment {} is larger in the file than in memory", i));
        if (!within(ph.p_offset, ph.p_filesz, image.size()))
            return refuse(fmt::format("truncated: segment {} lies outside the file", i),
                          "copy the file again");
        if (!within(ph.p_vaddr, ph.p_memsz, k_user_end))
            return refuse(fmt::format("segment {} lies outside the user address space", i));
        if ((ph.p_vaddr - ph.p_offset) % k_page != 0)
            return refuse(fmt::format(
                "segment {} cannot be mapped: address and offset differ modulo the page size", i));
        if (!result.segments.empty() &&
            page_down(ph.p_vaddr) <
                page_up(result.segments.back().vaddr + result.segments.back().memory))
            return refuse(fmt::format("segment {} overlaps or precedes the one before", i));
        result.segments.push_back({.vaddr = ph.p_vaddr,
                                   .memory = ph.p_memsz,
                                   .offset = ph.p_offset,
                                   .file = ph.p_filesz,
                                   .readable = (ph.p_flags & PF_R) != 0,
                                   .writable = (ph.p_flags & PF_W) != 0,
                                   .executable = (ph.p_flags & PF_X) != 0});
        if (header.e_phoff >= ph.p_offset &&
            within(header.e_phoff - ph.p_offset, table_size, ph.p_filesz))
            result.program_headers_vaddr = ph.p_vaddr + (header.e_phoff - ph.p_offset);
    }
    if (result.segments.empty())
        return refuse("nothing to load: it has no PT_LOAD segment", rebuild);
    result.low = page_down(result.segments.front().vaddr);
    result.high = page_up(result.segments.back().vaddr + result.segments.back().memory);
    if (!result.position_independent && result.low < 0x10000)
        return refuse("it wants to be mapped below 64 KiB", "the default link address");
    auto const in_code = [&](ElfSegment const& s) {
        return s.executable && result.entry >= s.vaddr && result.entry - s.vaddr < s.memory;
    };
    if (std::none_of(result.segments.begin(), result.segments.end(), in_code))
        return refuse("the entry point lies in no executable segment");
    return result;
}

std::string ElfImage::mapped_sha256(std::span<std::byte const> image) const {
    Sha256 hash;
    for (ElfSegment const& segment : segments)
        hash.update(image.data() + segment.offset, segment.file);
    return hex_digest(hash);
}

} // namespace iso
