#include "common/abi/guest_abi.h"
#include "common/machine/kernel_image.hpp"
#include "tests/support/catch.hpp"

#include <elf.h>
#include <functional>
#include <random>

using namespace iso;

namespace {

constexpr std::uint64_t k_base = ISO_KERNEL_BASE + ISO_KERNEL_GPA;

struct Image {
    Elf64_Ehdr header{};
    Elf64_Phdr segments[3]{};
    std::byte code[k_page]{};

    std::span<std::byte const> bytes() const { return std::as_bytes(std::span(this, 1)); }
};

/// Text, read-only data and data with a bss, as a linker would lay them out.
Image good() {
    Image image;
    std::memcpy(image.header.e_ident, ELFMAG, SELFMAG);
    image.header.e_ident[EI_CLASS] = ELFCLASS64;
    image.header.e_ident[EI_DATA] = ELFDATA2LSB;
    image.header.e_type = ET_EXEC;
    image.header.e_machine = EM_X86_64;
    image.header.e_entry = k_base + 16;
    image.header.e_phoff = sizeof(Elf64_Ehdr);
    image.header.e_phentsize = sizeof(Elf64_Phdr);
    image.header.e_phnum = 3;
    std::uint32_t const flags[] = {PF_R | PF_X, PF_R, PF_R | PF_W};
    for (std::size_t i = 0; i < 3; ++i) {
        Elf64_Phdr& segment = image.segments[i];
        segment.p_type = PT_LOAD;
        segment.p_flags = flags[i];
        segment.p_vaddr = k_base + i * 2 * k_page;
        segment.p_offset = offsetof(Image, code);
        segment.p_filesz = 100;
        segment.p_memsz = i == 2 ? 5000 : 100;
    }
    for (std::byte& byte : image.code)
        byte = std::byte{0x90};
    return image;
}

std::string refusal(std::function<void(Image&)> const& spoil) {
    Image image = good();
    spoil(image);
    auto const kernel = KernelImage::parse(image.bytes(), "test");
    return kernel ? "accepted" : kernel.error().cause;
}

using Catch::Matchers::Contains;

} // namespace

TEST_CASE("kernel image: a good one is read and loaded") {
    Image const image = good();
    auto const kernel = KernelImage::parse(image.bytes(), "test");
    REQUIRE(kernel);
    REQUIRE(kernel->segments.size() == 3);
    CHECK(kernel->entry == k_base + 16);
    CHECK(kernel->segments[0].executable);
    CHECK_FALSE(kernel->segments[0].writable);
    CHECK(kernel->segments[2].writable);

    auto const memory = GuestMemory::create(8 * k_large_page, 0);
    kernel->load(image.bytes(), *memory);
    CHECK(memory->ram()[ISO_KERNEL_GPA + 99] == std::byte{0x90});
    CHECK(memory->ram()[ISO_KERNEL_GPA + 100] == std::byte{0}); // beyond the file's bytes
}

TEST_CASE("kernel image: each broken rule has its own words") {
    CHECK_THAT(refusal([](Image& i) { i.header.e_ident[0] = 0; }), Contains("not an ELF"));
    CHECK_THAT(refusal([](Image& i) { i.header.e_ident[EI_CLASS] = ELFCLASS32; }),
               Contains("x86-64"));
    CHECK_THAT(refusal([](Image& i) { i.header.e_machine = EM_AARCH64; }), Contains("x86-64"));
    CHECK_THAT(refusal([](Image& i) { i.header.e_type = ET_DYN; }), Contains("fixed address"));
    CHECK_THAT(refusal([](Image& i) { i.header.e_phnum = 0; }), Contains("program headers"));
    CHECK_THAT(refusal([](Image& i) { i.header.e_phnum = 60000; }), Contains("program headers"));
    CHECK_THAT(refusal([](Image& i) { i.header.e_phoff = ~std::uint64_t{0} - 8; }),
               Contains("outside"));
    CHECK_THAT(refusal([](Image& i) { i.segments[1].p_offset = ~std::uint64_t{0}; }),
               Contains("outside the file"));
    CHECK_THAT(refusal([](Image& i) { i.segments[1].p_filesz = 101; }),
               Contains("outside the file"));
    CHECK_THAT(refusal([](Image& i) { i.segments[0].p_vaddr = 0x200000; }),
               Contains("lies outside"));
    CHECK_THAT(refusal([](Image& i) { i.segments[2].p_memsz = ~std::uint64_t{0}; }),
               Contains("lies outside"));
    CHECK_THAT(refusal([](Image& i) { i.segments[2].p_memsz = ISO_KERNEL_MAX_BYTES; }),
               Contains("lies outside"));
    CHECK_THAT(refusal([](Image& i) { i.segments[1].p_vaddr += 8; }), Contains("begin on a page"));
    CHECK_THAT(refusal([](Image& i) { i.segments[1].p_vaddr = k_base; }),
               Contains("shares a page"));
    CHECK_THAT(refusal([](Image& i) { i.segments[2].p_flags |= PF_X; }),
               Contains("writable and executable"));
    CHECK_THAT(refusal([](Image& i) { i.segments[1].p_type = PT_INTERP; }),
               Contains("dynamically"));
    CHECK_THAT(refusal([](Image& i) { i.header.e_entry = k_base + 2 * k_page; }),
               Contains("entry point"));
    CHECK_FALSE(KernelImage::parse({}, "empty"));
}

TEST_CASE("kernel image: damaged headers never crash the reader, and what it accepts fits") {
    std::mt19937_64 random(7);
    Image const original = good();
    for (int round = 0; round < 50000; ++round) {
        Image image = original;
        auto* const bytes = reinterpret_cast<unsigned char*>(&image);
        for (auto left = random() % 4 + 1; left != 0; --left)
            bytes[random() % offsetof(Image, code)] = static_cast<unsigned char>(random());
        auto const size = random() % 8 == 0 ? random() % sizeof image : sizeof image;
        auto const kernel = KernelImage::parse(image.bytes().first(size), "fuzz");
        if (!kernel) continue;
        for (KernelSegment const& segment : kernel->segments) {
            bool const fits =
                segment.gpa.value >= ISO_KERNEL_GPA && segment.file <= segment.memory &&
                segment.gpa.value + segment.memory <= ISO_KERNEL_GPA + ISO_KERNEL_MAX_BYTES &&
                segment.offset + segment.file <= size && !(segment.writable && segment.executable);
            if (!fits) FAIL("round " << round);
        }
    }
}
