#include "guest/kernel/stack_builder.hpp"
#include "guest/kernel/vma.hpp"
#include "tests/support/catch.hpp"

#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <linux/auxvec.h>
#include <linux/elf.h>

using namespace iso::guest;

namespace {

struct File {
    Elf64_Ehdr header{};
    Elf64_Phdr segments[2]{};
    u8 rest[8192]{};
};

File make_file() {
    File file;
    std::memcpy(file.header.e_ident, ELFMAG, SELFMAG);
    file.header.e_ident[EI_CLASS] = ELFCLASS64;
    file.header.e_ident[EI_DATA] = ELFDATA2LSB;
    file.header.e_type = ET_EXEC;
    file.header.e_machine = EM_X86_64;
    file.header.e_phoff = sizeof(Elf64_Ehdr);
    file.header.e_phentsize = sizeof(Elf64_Phdr);
    file.header.e_phnum = 2;
    file.header.e_entry = 0x400100;
    file.segments[0] = {PT_LOAD, PF_R | PF_X, 0, 0x400000, 0, 4096, 4096, 4096};
    file.segments[1] = {PT_LOAD, PF_R | PF_W, 0x1008, 0x402008, 0, 100, 9000, 4096};
    return file;
}

Result read(File const& file, ElfImage& image, u64 size = sizeof(File)) {
    image = {};
    return read_elf(reinterpret_cast<u8 const*>(&file), size, size, image);
}

} // namespace

TEST_CASE("a static executable is read") {
    ElfImage image;
    REQUIRE(read(make_file(), image) == 0);
    REQUIRE(image.segment_count == 2);
    CHECK(image.entry == 0x400100);
    CHECK(image.headers == 0x400040);
    CHECK(image.segments[1].start == 0x402000);
    CHECK(image.segments[1].file_offset == 0x1000);
    CHECK(image.segments[1].file_bytes == 108);
    CHECK(image.segments[1].end == 0x405000);
    CHECK(image.segments[1].protection == (k_prot_read | k_prot_write));
    CHECK(image.end == 0x405000);
}

TEST_CASE("a position-independent one is moved") {
    File file = make_file();
    file.header.e_type = ET_DYN;
    file.segments[0].p_vaddr = 0;
    file.segments[1].p_vaddr = 0x2008;
    file.header.e_entry = 0x100;
    ElfImage image;
    REQUIRE(read(file, image) == 0);
    CHECK(image.base >= ISO_USER_LOW);
    CHECK(image.entry == image.base + 0x100);
    CHECK(image.segments[0].start == image.base);
}

TEST_CASE("what cannot be run is refused") {
    ElfImage image;
    auto const refused = [&](auto change) {
        File file = make_file();
        change(file);
        return read(file, image) == -ENOEXEC;
    };
    CHECK(refused([](File& f) { f.header.e_ident[0] = 0; }));
    CHECK(refused([](File& f) { f.header.e_ident[EI_CLASS] = ELFCLASS32; }));
    CHECK(refused([](File& f) { f.header.e_machine = EM_AARCH64; }));
    CHECK(refused([](File& f) { f.header.e_type = ET_REL; }));
    CHECK(refused([](File& f) { f.header.e_phnum = 0; }));
    CHECK(refused([](File& f) { f.header.e_phnum = 65535; }));
    CHECK(refused([](File& f) { f.header.e_phoff = ~0ull - 7; }));
    CHECK(refused([](File& f) { f.header.e_phentsize = 32; }));
    CHECK(refused([](File& f) { f.segments[0].p_type = PT_INTERP; }));
    CHECK(refused([](File& f) { f.segments[1].p_offset = ~0ull - 0xff7; }));
    CHECK(refused([](File& f) { f.segments[1].p_filesz = 1 << 20; }));
    CHECK(refused([](File& f) { f.segments[1].p_memsz = 50; }));
    CHECK(refused([](File& f) { f.segments[1].p_memsz = ~0ull; }));
    CHECK(refused([](File& f) { f.segments[1].p_vaddr = 0x402010; })); // not congruent
    CHECK(refused([](File& f) { f.segments[1].p_vaddr = 0x400008; })); // overlaps
    CHECK(refused([](File& f) { f.segments[0].p_vaddr = 0x1000; }));   // below ISO_USER_LOW
    CHECK(refused([](File& f) { f.segments[1].p_vaddr = ISO_KERNEL_BASE + 8; }));
    CHECK(refused([](File& f) { f.segments[1].p_vaddr = 0xffffffffffffe008; }));
}

TEST_CASE("damaged files never lead outside of the file or the program's addresses") {
    std::mt19937 random(3);
    ElfImage image;
    for (int i = 0; i < 50000; ++i) {
        File file = make_file();
        auto* const bytes = reinterpret_cast<u8*>(&file);
        for (int change = 0; change < 3; ++change)
            bytes[random() % (sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr))] =
                static_cast<u8>(random());
        u64 const size = random() % 2 == 0 ? sizeof(File) : random() % sizeof(File);
        if (read(file, image, size) != 0) continue;
        for (u32 s = 0; s < image.segment_count; ++s) {
            Segment const& segment = image.segments[s];
            REQUIRE(segment.start < segment.end);
            REQUIRE(segment.start >= ISO_USER_LOW);
            REQUIRE(segment.end <= ISO_USER_HIGH);
            REQUIRE(segment.file_bytes <= segment.end - segment.start);
            if (segment.file_bytes != 0) REQUIRE(segment.file_offset + segment.file_bytes <= size);
        }
    }
}

TEST_CASE("the initial stack is the one of the System V ABI") {
    std::string const strings("prog\0first\0\0A=1\0B=22\0", 21);
    std::vector<u8> memory(8192);
    u8 random[16];
    for (u8& byte : random)
        byte = 0xab;
    ElfImage image;
    image.entry = 0x1234;
    image.headers = 0x400040;
    StackContents const contents{
        .strings = {strings.data(), strings.size()},
        .argument_count = 3,
        .environment_count = 2,
        .executable = "/bin/prog",
        .random = random,
        .image = &image,
        .uid = 7,
        .gid = 8,
        .hardware_capabilities = 9,
    };
    UserAddr const top = 0x10000000;
    UserAddr const pointer = build_stack(memory.data() + memory.size(), top, contents);
    CHECK(pointer % 16 == 0);
    CHECK(top - pointer <= stack_size(contents));
    auto const here = [&](UserAddr address) { return memory.data() + (address - (top - 8192)); };
    auto const text = [&](UserAddr address) {
        return std::string(reinterpret_cast<char const*>(here(address)));
    };
    auto const* word = reinterpret_cast<u64 const*>(here(pointer));
    REQUIRE(*word++ == 3);
    CHECK(text(*word++) == "prog");
    CHECK(text(*word++) == "first");
    CHECK(text(*word++).empty());
    CHECK(*word++ == 0);
    CHECK(text(*word++) == "A=1");
    CHECK(text(*word++) == "B=22");
    CHECK(*word++ == 0);
    std::map<u64, u64> auxiliary;
    for (; *word != AT_NULL; word += 2)
        auxiliary[word[0]] = word[1];
    CHECK(auxiliary[AT_PHDR] == 0x400040);
    CHECK(auxiliary[AT_ENTRY] == 0x1234);
    CHECK(auxiliary[AT_PAGESZ] == 4096);
    CHECK(auxiliary[AT_UID] == 7);
    CHECK(auxiliary[AT_EGID] == 8);
    CHECK(auxiliary[AT_SECURE] == 0);
    CHECK(text(auxiliary[AT_EXECFN]) == "/bin/prog");
    CHECK(std::memcmp(here(auxiliary[AT_RANDOM]), random, 16) == 0);
}
