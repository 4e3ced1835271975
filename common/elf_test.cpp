#include "common/elf.hpp"
#include "common/fd.hpp"
#include "common/file_sha256.hpp"
#include "common/sha256.hpp"
#include "tests/support/catch.hpp"

#include <cstring>
#include <elf.h>
#include <functional>
#include <random>

namespace {

using iso::ElfImage;
using Bytes = std::vector<std::byte>;

constexpr std::uint64_t k_base = 0x400000;

/// A small well-formed static executable: one code segment over the whole file, one data segment.
struct Image {
    Elf64_Ehdr header{};
    Elf64_Phdr segment[3]{};
    Bytes tail = Bytes(0x2000, std::byte{0x90});

    Image() {
        std::memcpy(header.e_ident, ELFMAG, SELFMAG);
        header.e_ident[EI_CLASS] = ELFCLASS64;
        header.e_ident[EI_DATA] = ELFDATA2LSB;
        header.e_ident[EI_VERSION] = EV_CURRENT;
        header.e_type = ET_EXEC;
        header.e_machine = EM_X86_64;
        header.e_version = EV_CURRENT;
        header.e_entry = k_base + 0x800;
        header.e_phoff = sizeof header;
        header.e_ehsize = sizeof header;
        header.e_phentsize = sizeof(Elf64_Phdr);
        header.e_phnum = 3;
        segment[0] = {PT_LOAD, PF_R | PF_X, 0, k_base, k_base, 0x1000, 0x1000, 0x1000};
        segment[1] = {PT_LOAD, PF_R | PF_W, 0x1000, k_base + 0x1000, 0, 0x800, 0x3000, 0x1000};
        segment[2] = {PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16};
    }

    [[nodiscard]] Bytes bytes() const {
        Bytes all = tail;
        std::memcpy(all.data(), &header, sizeof header);
        std::memcpy(all.data() + sizeof header, segment, sizeof segment);
        return all;
    }
};

Bytes read_workload(char const* name) {
    auto const text = iso::read_file(std::string(ISO_WORKLOAD_DIR) + "/" + name);
    REQUIRE(text.has_value());
    auto const* const first = reinterpret_cast<std::byte const*>(text->data());
    return {first, first + text->size()};
}

/// What every user of a parsed image relies on.
void check_promises(ElfImage const& elf, std::size_t file_size) {
    REQUIRE(!elf.segments.empty());
    std::uint64_t last_page = 0;
    for (auto const& segment : elf.segments) {
        REQUIRE(segment.file <= segment.memory);
        REQUIRE(segment.offset <= file_size);
        REQUIRE(segment.file <= file_size - segment.offset);
        REQUIRE(segment.vaddr + segment.memory > segment.vaddr);
        REQUIRE(segment.vaddr + segment.memory <= 0x7ffffffff000);
        REQUIRE((segment.vaddr & ~0xfffULL) >= last_page);
        last_page = (segment.vaddr + segment.memory + 0xfff) & ~0xfffULL;
    }
    REQUIRE(elf.low % 4096 == 0);
    REQUIRE(elf.high == last_page);
    REQUIRE(elf.entry >= elf.low);
    REQUIRE(elf.entry < elf.high);
}

} // namespace

TEST_CASE("a well-formed executable is understood") {
    Image const image;
    auto const bytes = image.bytes();
    auto const elf = ElfImage::parse(bytes, "x");
    REQUIRE(elf.has_value());
    CHECK(elf->entry == k_base + 0x800);
    CHECK_FALSE(elf->position_independent);
    CHECK_FALSE(elf->executable_stack);
    CHECK(elf->low == k_base);
    CHECK(elf->high == k_base + 0x4000);
    CHECK(elf->program_headers_vaddr == k_base + sizeof(Elf64_Ehdr));
    CHECK(elf->program_header_count == 3);
    REQUIRE(elf->segments.size() == 2);
    CHECK(elf->segments[0].executable);
    CHECK_FALSE(elf->segments[0].writable);
    CHECK(elf->segments[1].writable);
    CHECK_FALSE(elf->segments[1].executable);
    CHECK(elf->segments[1].memory == 0x3000);

    iso::Sha256 hash; // identity: the file bytes of both segments, in order
    hash.update(bytes.data(), 0x1800);
    char hex[65];
    hash.finish_hex(hex);
    CHECK(elf->mapped_sha256(bytes) == hex);
}

TEST_CASE("a malformed executable is refused with its cause and status 126") {
    struct Case {
        char const* cause; ///< a part of the expected cause
        std::function<void(Image&)> spoil;
    };
    std::vector<Case> const cases = {
        {"not an ELF file", [](Image& i) { i.header.e_ident[0] = '#'; }},
        {"32-bit", [](Image& i) { i.header.e_ident[EI_CLASS] = ELFCLASS32; }},
        {"64-bit little-endian", [](Image& i) { i.header.e_ident[EI_CLASS] = 9; }},
        {"64-bit little-endian", [](Image& i) { i.header.e_ident[EI_DATA] = ELFDATA2MSB; }},
        {"64-bit little-endian", [](Image& i) { i.header.e_ident[EI_VERSION] = 0; }},
        {"another machine (e_machine 183)", [](Image& i) { i.header.e_machine = EM_AARCH64; }},
        {"not an executable (e_type 1)", [](Image& i) { i.header.e_type = ET_REL; }},
        {"not an executable (e_type 4)", [](Image& i) { i.header.e_type = ET_CORE; }},
        {"no program headers", [](Image& i) { i.header.e_phnum = 0; }},
        {"no program headers", [](Image& i) { i.header.e_phentsize = 32; }},
        {"program headers; at most", [](Image& i) { i.header.e_phnum = 0xffff; }},
        {"truncated: the program headers", [](Image& i) { i.header.e_phoff = 0x1fff; }},
        {"truncated: the program headers", [](Image& i) { i.header.e_phoff = ~std::uint64_t{0}; }},
        {"dynamically linked", [](Image& i) { i.segment[2].p_type = PT_INTERP; }},
        {"segment 1 is larger in the file", [](Image& i) { i.segment[1].p_filesz = 0x3001; }},
        {"truncated: segment 1",
         [](Image& i) { i.segment[1].p_filesz = i.segment[1].p_memsz = 0x1001; }},
        {"truncated: segment 1", [](Image& i) { i.segment[1].p_offset = ~std::uint64_t{0xfff}; }},
        {"segment 1 lies outside the user address space",
         [](Image& i) { i.segment[1].p_vaddr = 0xffff'8000'0000'0000; }},
        {"segment 1 lies outside the user address space",
         [](Image& i) { i.segment[1].p_memsz = ~std::uint64_t{0} - k_base; }},
        {"segment 1 lies outside the user address space",
         [](Image& i) { i.segment[1].p_vaddr = 0x7fff'ffff'f000; }},
        {"segment 1 cannot be mapped", [](Image& i) { i.segment[1].p_vaddr += 8; }},
        {"segment 1 overlaps or precedes", [](Image& i) { i.segment[1].p_vaddr = k_base; }},
        {"segment 1 overlaps or precedes", [](Image& i) { i.segment[1].p_vaddr = 0x200000; }},
        {"segment 1 overlaps or precedes", [](Image& i) { i.segment[0].p_memsz = 0x1001; }},
        {"nothing to load", [](Image& i) { i.segment[0].p_type = i.segment[1].p_type = PT_NOTE; }},
        {"nothing to load",
         [](Image& i) {
             for (auto& s : i.segment)
                 s.p_memsz = s.p_filesz = 0;
         }},
        {"below 64 KiB",
         [](Image& i) {
             i.segment[0].p_vaddr = 0;
             i.header.e_entry = 0x800;
         }},
        {"entry point", [](Image& i) { i.header.e_entry = 0; }},
        {"entry point", [](Image& i) { i.header.e_entry = k_base + 0x1000; }}, // in data
        {"entry point", [](Image& i) { i.segment[0].p_flags = PF_R; }},
    };
    for (Case const& c : cases) {
        Image image;
        c.spoil(image);
        auto const elf = ElfImage::parse(image.bytes(), "some/name");
        INFO("expected: " << c.cause);
        REQUIRE_FALSE(elf.has_value());
        CHECK_THAT(elf.error().cause, Catch::Contains(c.cause));
        CHECK(elf.error().op == "exec(some/name)");
        CHECK(elf.error().exit_status == 126);
    }
}

TEST_CASE("an executable stack and a position-independent program are noticed") {
    Image image;
    image.segment[2].p_flags |= PF_X;
    image.header.e_type = ET_DYN;
    image.segment[0].p_vaddr = 0;
    image.segment[1].p_vaddr = 0x1000;
    image.header.e_entry = 0x800;
    auto const elf = ElfImage::parse(image.bytes(), "x");
    REQUIRE(elf.has_value());
    CHECK(elf->executable_stack);
    CHECK(elf->position_independent);
    CHECK(elf->low == 0);
}

TEST_CASE("a workload cut at any length is refused or still safe") {
    Bytes const whole = read_workload("cpu-int");
    auto const complete = ElfImage::parse(whole, "cpu-int");
    REQUIRE(complete.has_value());
    check_promises(*complete, whole.size());
    std::uint64_t needed = 0; // the end of the last byte that is loaded
    for (auto const& segment : complete->segments)
        needed = std::max(needed, segment.offset + segment.file);
    for (std::size_t length = 0; length <= whole.size(); ++length) {
        // A copy of exactly this length: AddressSanitizer sees the first byte read beyond it.
        Bytes const cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
        auto const elf = ElfImage::parse(cut, "cut");
        if (elf.has_value() != (length >= needed)) FAIL("cut to " << length << " bytes");
        if (elf)
            CHECK(elf->mapped_sha256(cut) == complete->mapped_sha256(whole));
        else if (elf.error().exit_status != 126)
            FAIL("status " << elf.error().exit_status << " for " << length << " bytes");
    }
}

TEST_CASE("flipped bits in the headers never break a promise") {
    Bytes const whole = read_workload("hello");
    std::mt19937_64 random(1); // NOLINT: the same mutations in every run
    std::size_t const headers = sizeof(Elf64_Ehdr) + 4 * sizeof(Elf64_Phdr);
    int accepted = 0;
    for (int round = 0; round < 20'000; ++round) {
        Bytes mutated = whole;
        for (std::uint64_t flips = random() % 4 + 1; flips > 0; --flips) {
            auto& byte = mutated[random() % headers];
            byte = random() % 2 == 0 ? std::byte(random()) : byte ^ std::byte(1U << random() % 8);
        }
        auto const elf = ElfImage::parse(mutated, "mutated");
        if (!elf) {
            REQUIRE(elf.error().exit_status == 126);
            REQUIRE_FALSE(elf.error().cause.empty());
            continue;
        }
        ++accepted;
        check_promises(*elf, mutated.size());
        REQUIRE(elf->mapped_sha256(mutated).size() == 64);
    }
    CHECK(accepted > 0); // some bits are nobody's business
}

TEST_CASE("the hash of a file is that of its bytes, and a missing file is an error") {
    Bytes const whole = read_workload("hello");
    iso::Sha256 hash;
    hash.update(whole.data(), whole.size());
    char hex[65];
    hash.finish_hex(hex);
    CHECK(iso::file_sha256(std::string(ISO_WORKLOAD_DIR) + "/hello").value() == hex);
    auto const missing = iso::file_sha256("/no/such/file");
    REQUIRE_FALSE(missing.has_value());
    CHECK(missing.error().code == ENOENT);
}
