#include "guest/kernel/ramfs.hpp"
#include "guest/kernel/vfs.hpp"
#include "guest/tests/unit/tree.hpp"
#include "tests/support/catch.hpp"

#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

using namespace iso::guest;

namespace {

Node* new_file(char const* name) {
    Node* const node = vfs::make(test::directory("/tmp"), name, k_type_file | 0644);
    REQUIRE(node != nullptr);
    node->operations = &ramfs::file_operations;
    return node;
}

void drop(Node* node) {
    vfs::remove(node->entry);
}

} // namespace

TEST_CASE("a file's pages are what was put there, wherever that is, and all of them come back") {
    test::boot();
    (void)new_file("warm-up"); // pools take their frames once
    u64 const before = frames.used();
    Node* const file = new_file("pages");
    std::map<u64, u8> model;
    std::mt19937_64 random(7);
    for (int step = 0; step < 3000; ++step) {
        // Mostly near the beginning, sometimes as far as there can be.
        u64 const index = random() % (1ull << random() % 36);
        if (random() % 50 == 0) {
            u64 const size = random() % (index * k_page + 1);
            REQUIRE(ramfs::truncate(*file, size) == 0);
            model.erase(model.lower_bound(page_up(size) / k_page), model.end());
            if (size % k_page != 0 && model.count(size / k_page) != 0 && size % k_page <= 100)
                model[size / k_page] = 0;
            continue;
        }
        if (model.size() > 1000) continue;
        Gpa const frame = ramfs::page(*file, index, true);
        REQUIRE(frame != 0);
        auto const known = model.find(index);
        REQUIRE(*linear<u8>(frame + 100) == (known != model.end() ? known->second : 0));
        file->size = larger(file->size, (index + 1) * k_page);
        *linear<u8>(frame + 100) = model[index] = static_cast<u8>(random());
    }
    for (auto const& [index, value] : model) {
        Gpa const frame = ramfs::page(*file, index, false);
        REQUIRE(frame != 0);
        REQUIRE(*linear<u8>(frame + 100) == value);
    }
    CHECK(file->pages == model.size());
    drop(file);
    CHECK(frames.used() == before);
}

TEST_CASE("what is cut off reads as zeros when the file grows again") {
    test::boot();
    Node* const file = new_file("cut");
    Gpa const frame = ramfs::page(*file, 0, true);
    std::memset(linear(frame), 0xff, k_page);
    file->size = k_page;
    REQUIRE(ramfs::truncate(*file, 10) == 0);
    REQUIRE(ramfs::truncate(*file, k_page) == 0);
    CHECK(*linear<u8>(frame + 9) == 0xff);
    CHECK(*linear<u8>(frame + 10) == 0);
    CHECK(ramfs::truncate(*file, ramfs::k_largest + 1) == -EFBIG);
    drop(file);
}

TEST_CASE("data and holes are found") {
    test::boot();
    Node* const file = new_file("holes");
    u64 const far = 5'000'000 * k_page;
    REQUIRE(ramfs::page(*file, 3, true) != 0);
    REQUIRE(ramfs::page(*file, far / k_page, true) != 0);
    file->size = far + k_page;
    CHECK(ramfs::seek(*file, 0, true) == 3 * k_page);
    CHECK(ramfs::seek(*file, 3 * k_page + 5, true) == 3 * k_page + 5);
    CHECK(ramfs::seek(*file, 3 * k_page, false) == 4 * k_page);
    CHECK(ramfs::seek(*file, 4 * k_page, true) == far);
    CHECK(ramfs::seek(*file, far, false) == file->size);
    drop(file);
}

TEST_CASE("mappings see runs of neighbouring frames, and keep frames that the file gives up") {
    test::boot();
    Node* const file = new_file("mapped");
    Gpa const first = file_page(*file, 0, true);
    Gpa const second = file_page(*file, 1, true);
    Gpa run = 0;
    u32 const expected = second == first + k_page ? 2 : 1;
    CHECK(file_run(*file, 0, 8, run) == expected);
    CHECK(run == first);
    CHECK(file_page(*file, 2, false) == 0);
    frames.share(first);
    drop(file);
    CHECK(frames.references(first) == 1);
    frames.release(first, 1);
}

TEST_CASE("a node lives as long as a name or somebody who holds it") {
    test::boot();
    Node* const file = new_file("held");
    u64 const before = frames.used();
    REQUIRE(ramfs::page(*file, 0, true) != 0);
    REQUIRE(vfs::enter(test::directory("/tmp"), "second", file));
    CHECK(file->links == 2);
    vfs::hold(file);
    drop(file);
    drop(file);
    CHECK(file->links == 0);
    CHECK(frames.used() == before + 1);
    vfs::unhold(file);
    CHECK(frames.used() == before);
}

TEST_CASE("names come, move and go as in a map") {
    test::boot();
    Node* const home = vfs::make(test::directory("/tmp"), "names", k_type_directory | 0755);
    REQUIRE(home != nullptr);
    std::map<std::string, Node*> model;
    std::mt19937 random(8);
    for (int step = 0; step < 20000; ++step) {
        std::string const name =
            std::string(1 + random() % 90, 'n') + std::to_string(random() % 40);
        Text const text{name.data(), name.size()};
        Entry* const entry = vfs::child(home, text);
        auto const known = model.find(name);
        REQUIRE((entry != nullptr) == (known != model.end()));
        if (entry == nullptr) {
            Node* const node = vfs::make(home, text, k_type_file | 0600);
            REQUIRE(node != nullptr);
            model[name] = node;
        } else if (random() % 2 == 0) {
            REQUIRE(entry->node == known->second);
            vfs::remove(entry);
            model.erase(known);
        } else {
            std::string const other = name + "x";
            Entry* const there = vfs::child(home, {other.data(), other.size()});
            REQUIRE(vfs::move(entry, home, {other.data(), other.size()}, there) == 0);
            model[other] = known->second;
            model.erase(name);
        }
    }
    u64 count = 0;
    u64 last = ~0ull;
    for (Entry const* entry = home->newest; entry != nullptr; entry = entry->older, ++count) {
        CHECK(entry->cookie < last);
        last = entry->cookie;
        CHECK(model.count(std::string(entry->name.data, entry->name.size)) == 1);
    }
    CHECK(count == model.size());
}
