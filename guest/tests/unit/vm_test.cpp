#include "guest/kernel/vfs.hpp"
#include "guest/kernel/vm.hpp"
#include "guest/port/port.hpp"
#include "guest/tests/unit/arena.hpp"
#include "tests/support/catch.hpp"

#include <random>
#include <vector>

using namespace iso::guest;

namespace {

constexpr UserAddr k_base = 0x70000000;
constexpr u64 k_pages = 1200; // more than two leaf tables

/// What a page should be: not mapped, or with a protection, and what was written to it.
struct Page {
    int protection = -1;
    u8 content = 0;
};

struct MappedModel {
    AddressSpace space;
    Vma stack;
    std::vector<Page> pages{k_pages};

    MappedModel() {
        space.table.root = frames.take_zeroed(1).first;
        space.add_stack(stack, ISO_USER_HIGH, k_page);
    }
    void map(u64 first, u64 count, u8 protection) {
        REQUIRE(space.unmap(at(first), at(first + count)) == 0);
        Vma area;
        area.start = at(first);
        area.end = at(first + count);
        area.protection = protection;
        REQUIRE(space.add(area) == 0);
        for (u64 i = first; i < first + count; ++i)
            pages[i] = {protection, 0};
    }
    void unmap(u64 first, u64 count) {
        REQUIRE(space.unmap(at(first), at(first + count)) == 0);
        for (u64 i = first; i < first + count; ++i)
            pages[i] = {};
    }
    void protect(u64 first, u64 count, u8 protection) {
        bool whole = true;
        for (u64 i = first; i < first + count; ++i)
            whole = whole && pages[i].protection >= 0;
        REQUIRE((space.protect(at(first), at(first + count), protection) == 0) == whole);
        if (!whole) return;
        for (u64 i = first; i < first + count; ++i)
            pages[i].protection = protection;
    }
    // As the processor does it: use the entry, or fault and use it then.
    bool access(u64 page, bool write, u8 value) {
        Pte const needs = k_pte_present | k_pte_user | (write ? k_pte_write : 0);
        Pte entry = space.table.entry(at(page));
        if ((entry & needs) != needs) {
            if (space.fault(at(page) + 123, write ? Access::write : Access::read) !=
                FaultResult::served)
                return false;
            entry = space.table.entry(at(page));
            REQUIRE((entry & needs) == needs);
        }
        u8& byte = *linear<u8>(pte_frame(entry) + 123);
        REQUIRE(byte == pages[page].content);
        if (write) byte = pages[page].content = value;
        return true;
    }
    static UserAddr at(u64 page) { return k_base + page * k_page; }
};

} // namespace

TEST_CASE("an address space behaves like a list of pages, and gives everything back") {
    test::need_arena();
    MappedModel model;
    std::mt19937 random(4);
    u64 used_before = 0;
    for (int round = 0; round < 4; ++round) {
        for (int step = 0; step < 5000; ++step) {
            u64 const first = random() % k_pages;
            u64 const count = smaller<u64>(1 + random() % 60, k_pages - first);
            auto const protection = static_cast<u8>(random() % 4);
            switch (random() % 8) {
            case 0:
                model.map(first, count, protection);
                break;
            case 1:
                model.unmap(first, count);
                break;
            case 2:
                model.protect(first, count, protection);
                break;
            default: {
                bool const write = random() % 2 == 0;
                int const allowed = model.pages[first].protection;
                bool const may = allowed > 0 && (!write || (allowed & k_prot_write) != 0);
                REQUIRE(model.access(first, write, static_cast<u8>(random())) == may);
            }
            }
        }
        model.unmap(0, k_pages);
        // Upper tables and the pool of areas may stay; from the second round on nothing may grow.
        if (round == 1) used_before = frames.used();
        if (round > 1) CHECK(frames.used() <= used_before + 2);
    }
}

TEST_CASE("pages of a file are mapped in place and copied when written") {
    test::need_arena();
    Gpa const file = test::k_modules;
    for (u64 i = 0; i < 3 * k_page; ++i)
        *linear<u8>(file + i) = static_cast<u8>(i / k_page + 1);
    AddressSpace space;
    space.table.root = frames.take_zeroed(1).first;
    Vma stack;
    space.add_stack(stack, ISO_USER_HIGH, k_page);
    Vma area;
    area.start = k_base;
    area.end = k_base + 5 * k_page;
    area.protection = k_prot_read | k_prot_write;
    area.file = &vfs::program_file; // held, never looked into
    area.file_data = file;
    area.file_bytes = 2 * k_page + 100;
    auto const entry = [&](u64 page) { return space.table.entry(k_base + page * k_page); };

    SECTION("a program's segment ends in zeros") {
        area.zero_tail = true;
        REQUIRE(space.add(area) == 0);
        REQUIRE(space.fault(k_base, Access::read) == FaultResult::served);
        CHECK(pte_frame(entry(0)) == file);
        CHECK((entry(0) & k_pte_write) == 0);
        REQUIRE(space.fault(k_base, Access::write) == FaultResult::served);
        CHECK(pte_frame(entry(0)) != file);
        CHECK((entry(0) & k_pte_write) != 0);
        CHECK(*linear<u8>(pte_frame(entry(0)) + 4095) == 1);
        REQUIRE(space.fault(k_base + 2 * k_page, Access::read) == FaultResult::served);
        Gpa const partial = pte_frame(entry(2));
        CHECK(partial != file + 2 * k_page);
        CHECK(*linear<u8>(partial + 99) == 3);
        CHECK(*linear<u8>(partial + 100) == 0);
        REQUIRE(space.fault(k_base + 4 * k_page, Access::write) == FaultResult::served);
        CHECK(*linear<u8>(pte_frame(entry(4))) == 0);
        CHECK((entry(4) & k_pte_no_execute) != 0);
    }
    SECTION("a mapped file ends in SIGBUS") {
        REQUIRE(space.add(area) == 0);
        REQUIRE(space.fault(k_base + 2 * k_page, Access::read) == FaultResult::served);
        CHECK(pte_frame(entry(2)) == file + 2 * k_page);
        CHECK(space.fault(k_base + 3 * k_page, Access::read) == FaultResult::beyond_file);
    }
}

TEST_CASE("a forked space shares its pages until one side writes") {
    test::need_arena();
    MappedModel model;
    for (u64 page = 0; page < 40; ++page) {
        model.map(page, 1, k_prot_read | k_prot_write);
        REQUIRE(model.access(page, true, static_cast<u8>(page + 1)));
    }
    model.protect(3, 2, 0); // their content stays, unreachable
    u64 const used = frames.used();
    AddressSpace child;
    REQUIRE(port::create_space(child.table));
    REQUIRE(model.space.fork(child) == 0);
    auto const byte = [](AddressSpace& space, u64 page) -> u8& {
        return *linear<u8>(pte_frame(space.table.entry(MappedModel::at(page))) + 123);
    };

    for (u64 page = 0; page < 40; ++page) {
        CHECK(byte(child, page) == page + 1);
        CHECK(&byte(child, page) == &byte(model.space, page));
        CHECK((model.space.table.entry(MappedModel::at(page)) & k_pte_write) == 0);
    }
    REQUIRE(model.space.fault(MappedModel::at(7), Access::write) == FaultResult::served);
    byte(model.space, 7) = 99;
    CHECK(byte(child, 7) == 8);
    REQUIRE(child.fault(MappedModel::at(7), Access::write) == FaultResult::served);
    CHECK(byte(child, 7) == 8);
    CHECK((child.table.entry(MappedModel::at(7)) & k_pte_write) != 0);
    CHECK(child.fault(MappedModel::at(3), Access::read) == FaultResult::no_access);
    REQUIRE(child.protect(MappedModel::at(3), MappedModel::at(5), k_prot_read | k_prot_write) == 0);
    REQUIRE(child.fault(MappedModel::at(3), Access::write) == FaultResult::served);
    CHECK(byte(child, 3) == 4);

    child.clear();
    CHECK(child.first_area() == nullptr);
    for (u64 i = 0; i < ISO_KERNEL_BASE >> 39; ++i)
        CHECK(linear<Pte>(child.table.root)[i] == 0);
    port::destroy_space(child.table);
    REQUIRE(model.space.fault(MappedModel::at(9), Access::write) == FaultResult::served);
    CHECK(byte(model.space, 9) == 10); // nobody shares it any more: no copy
    // One copy of page 7 more on this side, its old frame gone with the child; areas in the pool.
    CHECK(frames.used() <= used + 4);
    model.unmap(0, k_pages);
}

// The last one: it takes everything there is.
TEST_CASE("when memory ends, faults say so and everything can still be freed") {
    test::need_arena();
    MappedModel model;
    model.map(0, k_pages, k_prot_read | k_prot_write);
    while (frames.take(1).count != 0) {
    }
    CHECK(model.space.fault(MappedModel::at(700), Access::write) == FaultResult::out_of_memory);
    REQUIRE(model.space.unmap(k_base, MappedModel::at(k_pages)) == 0);
}
