// The file system of the disk, through the system calls of the kernel, on a disk in memory.
#include "guest/kernel/usercopy.hpp"
#include "guest/tests/unit/memory_disk.hpp"
#include "tests/support/catch.hpp"

#include <memory>

#include <sys/mman.h>

using namespace iso::guest;
using test::DiskMachine;
using test::MemoryDisk;

namespace {

std::string text_of(u64 bytes, u64 seed) {
    std::mt19937_64 random(seed);
    std::string text(bytes, 0);
    for (char& c : text)
        c = static_cast<char>(random());
    return text;
}

u64 generation() {
    return diskfs::volume.super->generation;
}

// What the disk should hold: each name, and what it stands for.
struct Content {
    std::string bytes;
    int changed_at = 0; // the step
};
struct Model {
    std::map<std::string, std::shared_ptr<Content>> files;
    std::set<std::string> directories{"/disk"};

    Model copy() const {
        Model other = *this;
        std::map<Content*, std::shared_ptr<Content>> copies;
        for (auto& [name, content] : other.files) {
            auto& twin = copies[content.get()];
            if (!twin) twin = std::make_shared<Content>(*content);
            content = twin;
        }
        return other;
    }
};

std::string parent_of(std::string const& path) {
    return path.substr(0, path.rfind('/'));
}

// The names are the model's; what files hold, too, if they were not changed after `since`.
void compare(DiskMachine& machine, Model const& model, Model const& now, int since) {
    std::map<std::string, std::set<std::string>> below;
    for (auto const& directory : model.directories)
        below[directory];
    for (auto const& directory : model.directories)
        if (directory != "/disk")
            below[parent_of(directory)].insert(directory.substr(directory.rfind('/') + 1));
    for (auto const& [name, content] : model.files)
        below[parent_of(name)].insert(name.substr(name.rfind('/') + 1));
    for (auto const& [directory, names] : below)
        REQUIRE(machine.names(directory) == names);
    for (auto const& [name, content] : model.files) {
        bool untouched = content->changed_at <= since;
        for (auto const& [other, later] : now.files) // overwritten in place since, perhaps
            untouched = untouched && (other != name || later->changed_at <= since);
        if (untouched) REQUIRE(machine.read(name) == content->bytes);
    }
}

} // namespace

TEST_CASE("disk: a blank one is formatted, and what is written is there the next time") {
    MemoryDisk disk(2048);
    DiskMachine machine(disk);
    std::string const large = text_of(700'000, 1);
    CHECK(machine.write("/disk/small", "hello") == 5);
    REQUIRE(machine.write("/disk/large", large) == static_cast<Result>(large.size()));
    REQUIRE(sys_mkdir(machine.path("/disk/dir"), 0700) == 0);
    REQUIRE(sys_symlink(machine.path("../small"), machine.path("/disk/dir/short", 1)) == 0);
    std::string const far = "/disk/" + std::string(200, '/') + "large";
    REQUIRE(sys_symlink(machine.path(far), machine.path("/disk/dir/long", 1)) == 0);
    REQUIRE(machine.link("/disk/small", "/disk/dir/twin") == 0);
    REQUIRE(sys_mknod(machine.path("/disk/pipe"), k_type_fifo | 0600, 0) == 0);
    REQUIRE(sys_chmod(machine.path("/disk/small"), 0751) == 0);
    machine.remount();
    CHECK(machine.names("/disk") == std::set<std::string>{"small", "large", "dir", "pipe"});
    CHECK(machine.read("/disk/dir/short") == "hello");
    CHECK(machine.read("/disk/dir/long") == large);
    Node* small = nullptr;
    Node* twin = nullptr;
    REQUIRE(test::find("/disk/small", small) == 0);
    REQUIRE(test::find("/disk/dir/twin", twin) == 0);
    CHECK(small == twin);
    CHECK(small->links == 2);
    CHECK(small->mode == (k_type_file | 0751));
    Node* directory = nullptr;
    REQUIRE(test::find("/disk/dir", directory) == 0);
    CHECK(directory->links == 2);
    CHECK(sys_rmdir(machine.path("/disk/dir")) == -ENOTEMPTY);
    CHECK(machine.write("/disk/dir/twin", "J") == 1);
    CHECK(machine.read("/disk/small") == "Jello");
}

TEST_CASE("disk: it behaves like a map of names and contents, over remounts and crashes") {
    for (u64 seed = 1; seed <= 12; ++seed) {
        std::mt19937_64 random(seed);
        // Some of them so small that they are full most of the time.
        MemoryDisk disk(seed % 3 == 0 ? 80 : 2500);
        DiskMachine machine(disk);
        Model model;
        Model on_disk = model.copy();
        int on_disk_since = 0;
        std::array<int, 10> refused{};
        auto const some_name = [&](std::string const& kind) {
            auto at = model.directories.begin();
            std::advance(at, static_cast<long>(random() % model.directories.size()));
            return *at + "/" + kind + std::string(random() % 30 * (random() % 9), 'x') +
                   std::to_string(random() % 12);
        };
        auto const some_file = [&]() -> std::string {
            if (model.files.empty()) return "/disk/none";
            auto at = model.files.begin();
            std::advance(at, static_cast<long>(random() % model.files.size()));
            return at->first;
        };
        for (int step = 1; step <= 1500; ++step) {
            u64 const before = generation();
            Model const earlier = model.copy();
            bool commits = false;
            switch (random() % 10) {
            case 0:
            case 1: { // write, perhaps behind a hole
                std::string const name = random() % 2 == 0 ? some_name("f") : some_file();
                if (model.files.count(name) == 0) { // a step of its own: all may be written between
                    Result const fd = machine.open(name, O_RDWR | O_CREAT);
                    REQUIRE((fd >= 0 || fd == -ENOSPC));
                    if (fd < 0) break;
                    machine.close(fd);
                    model.files[name] = std::make_shared<Content>();
                    model.files[name]->changed_at = step;
                    break;
                }
                u64 const offset = random() % 3 == 0 ? 0 : random() % (1u << random() % 20);
                std::string const text = text_of(random() % (1u << random() % 17) + 1, random());
                Result const done = machine.write(name, text, offset);
                REQUIRE((done > 0 || done == -ENOSPC));
                if (done != static_cast<Result>(text.size())) ++refused[0];
                auto const& file = model.files[name];
                file->changed_at = step;
                if (done <= 0) break;
                u64 const end = offset + static_cast<u64>(done);
                if (file->bytes.size() < end) file->bytes.resize(end);
                file->bytes.replace(offset, static_cast<u64>(done), text, 0,
                                    static_cast<u64>(done));
                break;
            }
            case 2: {
                std::string const name = some_file();
                u64 const size = random() % (1u << random() % 19);
                Result const result = machine.truncate(name, size);
                if (name == "/disk/none") break;
                REQUIRE(result == 0);
                model.files[name]->bytes.resize(size);
                model.files[name]->changed_at = step;
                break;
            }
            case 3: {
                std::string const name = some_file();
                Result const result = machine.unlink(name);
                REQUIRE(result == (model.files.erase(name) != 0 ? 0 : -ENOENT));
                break;
            }
            case 4: {
                std::string const from = some_file();
                std::string const to = random() % 3 == 0 ? some_file() : some_name("r");
                Result const result = machine.rename(from, to);
                if (model.files.count(from) == 0) break;
                if (result == -ENOSPC) {
                    ++refused[4];
                    break;
                }
                REQUIRE(result == 0);
                auto const file = model.files[from];
                if (model.files.count(to) != 0 && model.files[to] == file) break;
                model.files.erase(from);
                model.files[to] = file;
                break;
            }
            case 5: {
                std::string const from = some_file();
                std::string const to = some_name("l");
                Result const result = machine.link(from, to);
                if (model.files.count(from) == 0) break;
                if (result == -ENOSPC) break;
                REQUIRE(result == (model.files.count(to) != 0 ? -EEXIST : 0));
                if (result == 0) model.files[to] = model.files[from];
                break;
            }
            case 6: {
                std::string const name = some_name("d");
                Result const result = sys_mkdir(machine.path(name), 0755);
                if (result == -ENOSPC) break;
                REQUIRE(result == (model.directories.count(name) != 0 ? -EEXIST : 0));
                model.directories.insert(name);
                break;
            }
            case 7: {
                auto at = model.directories.begin();
                std::advance(at, static_cast<long>(random() % model.directories.size()));
                std::string const name = *at;
                if (name == "/disk") break;
                bool empty = true;
                for (auto const& each : model.files)
                    empty = empty && parent_of(each.first) != name;
                for (auto const& each : model.directories)
                    empty = empty && parent_of(each) != name;
                REQUIRE(sys_rmdir(machine.path(name)) == (empty ? 0 : -ENOTEMPTY));
                if (empty) model.directories.erase(name);
                break;
            }
            case 8:
                REQUIRE(diskfs::sync() == 0);
                commits = true;
                break;
            default:
                if (random() % 8 != 0) break;
                if (random() % 2 == 0) {
                    machine.remount();
                    compare(machine, model, model, step);
                    commits = true;
                } else {
                    machine.crash(random);
                    compare(machine, on_disk, model, on_disk_since);
                    // Contents may be newer than what the superblock knows: take them as they are.
                    model = on_disk.copy();
                    for (auto& [name, content] : model.files) {
                        content->bytes = machine.read(name);
                        content->changed_at = step;
                    }
                    on_disk = model.copy();
                    on_disk_since = step;
                    continue;
                }
            }
            if (generation() != before || commits) {
                on_disk = commits ? model.copy() : earlier.copy();
                on_disk_since = commits ? step : step - 1;
            }
        }
        REQUIRE(diskfs::sync() == 0);
        machine.remount();
        compare(machine, model, model, 1500);
        // All of it goes: what is in use is what was in use.
        for (auto const& [name, content] : model.files)
            REQUIRE(machine.unlink(name) == 0);
        for (auto at = model.directories.rbegin(); at != model.directories.rend(); ++at)
            if (*at != "/disk") REQUIRE(sys_rmdir(machine.path(*at)) == 0);
        u64 const used = diskfs::data_blocks() - diskfs::volume.free;
        CHECK(used <= page_up(test::directory("/disk")->size) / k_page + 1);
        diskfs::volume.super->clean = 0;
        REQUIRE(diskfs::sync() == 0);
        machine.crash(random); // the check agrees
        CHECK(machine.names("/disk").empty());
        if (seed % 3 == 0) CHECK(refused[0] > 0);
    }
}

TEST_CASE("disk: it can be filled to the brim, and emptied again") {
    MemoryDisk disk(1000);
    DiskMachine machine(disk);
    std::string const piece = text_of(100'000, 3);
    Result result = 0;
    u64 size = 0;
    while ((result = machine.write("/disk/all", piece, size)) > 0)
        size += static_cast<u64>(result);
    CHECK(result == -ENOSPC);
    CHECK(size > 3'700'000);
    CHECK(sys_mkdir(machine.path("/disk/more"), 0755) == -ENOSPC);
    CHECK(machine.rename("/disk/all", "/disk/other") == 0); // without room for contents
    REQUIRE(machine.truncate("/disk/other", 10) == 0);
    CHECK(machine.write("/disk/again", piece) == static_cast<Result>(piece.size()));
    machine.remount();
    CHECK(machine.read("/disk/other") == piece.substr(0, 10));
    CHECK(machine.read("/disk/again") == piece);
}

TEST_CASE("disk: a file that is larger than the cache") {
    MemoryDisk disk(10000);
    DiskMachine machine(disk);
    u64 const before = frames.used();
    std::string const piece = text_of(1 << 20, 4);
    for (u64 i = 0; i < 30; ++i)
        REQUIRE(machine.write("/disk/big", piece, i << 20) == 1 << 20);
    CHECK(frames.used() - before < block_cache::limit() + 500);
    machine.remount();
    Result const fd = machine.open("/disk/big", O_RDONLY);
    for (u64 i = 0; i < 30; ++i) {
        REQUIRE(sys_pread64(static_cast<u64>(fd), DiskMachine::k_memory, 1 << 20, i << 20) ==
                1 << 20);
        REQUIRE(machine.get(DiskMachine::k_memory, 1 << 20) == piece);
    }
    machine.close(fd);
    CHECK(machine.write("/disk/sparse", "x", 1ull << 40) == 1);
    Node* sparse = nullptr;
    REQUIRE(test::find("/disk/sparse", sparse) == 0);
    CHECK(sparse->pages == 4); // one, and three tables
    CHECK(diskfs::seek(*sparse, 0, true) == 1ull << 40);
    CHECK(diskfs::seek(*sparse, 1ull << 40, false) == (1ull << 40) + 1);
    CHECK(machine.write("/disk/sparse", "x", diskfs::k_largest_file) == -EFBIG);
}

TEST_CASE("disk: when memory runs out, programs get what the cache has") {
    MemoryDisk disk(3000);
    DiskMachine machine(disk);
    std::string const piece = text_of(1 << 20, 12);
    for (u64 i = 0; i < 8; ++i)
        REQUIRE(machine.write("/disk/big", piece, i << 20) == 1 << 20);
    REQUIRE(diskfs::sync() == 0);
    Result const at = sys_mmap(0x60000000, 4 << 20, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, static_cast<u64>(-1), 0);
    REQUIRE(at > 0);
    std::vector<FrameRun> taken;
    for (FrameRun run = frames.take(64); run.count != 0; run = frames.take(64))
        taken.push_back(run);
    u64 served = 0;
    while (served < 4 << 20 && copy_out(static_cast<UserAddr>(at) + served, "x", 1) == 0)
        served += k_page;
    for (FrameRun const& run : taken)
        frames.release(run.first, run.count);
    CHECK(served == 4 << 20);
    REQUIRE(sys_munmap(static_cast<UserAddr>(at), 4 << 20) == 0);
    CHECK(machine.read("/disk/big").substr(7 << 20) == piece);
}

TEST_CASE("disk: a file without a name lives as long as it is open, and not over a crash") {
    MemoryDisk disk(1000);
    DiskMachine machine(disk);
    std::mt19937_64 random(6);
    REQUIRE(diskfs::sync() == 0);
    u64 const free = diskfs::volume.free;
    REQUIRE(machine.write("/disk/f", text_of(50'000, 5)) == 50'000);
    Result const fd = machine.open("/disk/f");
    REQUIRE(machine.unlink("/disk/f") == 0);
    CHECK(sys_pread64(static_cast<u64>(fd), DiskMachine::k_memory, 50'000, 0) == 50'000);
    REQUIRE(diskfs::sync() == 0);
    CHECK(diskfs::volume.free < free);
    MemoryDisk copy = disk;
    machine.close(fd);
    CHECK(diskfs::volume.free >= free - 1); // the directory has a block now
    disk = copy;
    machine.crash(random);
    CHECK(diskfs::volume.free >= free - 1);
}

TEST_CASE("disk: a shared mapping shows the file, and what is written through it arrives") {
    MemoryDisk disk(1000);
    DiskMachine machine(disk);
    REQUIRE(machine.write("/disk/m", std::string(3 * k_page, 'a')) > 0);
    Result const fd = machine.open("/disk/m");
    Result const at = sys_mmap(0x40000000, 3 * k_page, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_FIXED, static_cast<u64>(fd), 0);
    REQUIRE(at > 0);
    auto const address = static_cast<UserAddr>(at);
    CHECK(*machine.byte_at(address + k_page) == 'a');
    REQUIRE(diskfs::sync() == 0);
    *machine.byte_at(address + k_page) = 'b'; // unseen
    CHECK(machine.write("/disk/m", "c", 2 * k_page) == 1);
    CHECK(*machine.byte_at(address + 2 * k_page) == 'c');
    REQUIRE(sys_msync(address, 3 * k_page, MS_SYNC) == 0);
    std::mt19937_64 random(7);
    REQUIRE(sys_munmap(address, 3 * k_page) == 0);
    machine.close(fd);
    machine.crash(random);
    std::string const bytes = machine.read("/disk/m");
    CHECK(bytes[k_page] == 'b');
    CHECK(bytes[2 * k_page] == 'c');
    CHECK(bytes[0] == 'a');
}

TEST_CASE("disk: when it takes nothing any more, calls say so, and it keeps what it had") {
    MemoryDisk disk(1000);
    DiskMachine machine(disk);
    REQUIRE(machine.write("/disk/kept", "kept") == 4);
    REQUIRE(diskfs::sync() == 0);
    disk.writes_left = 2;
    REQUIRE(machine.write("/disk/lost", text_of(20'000, 8)) == 20'000);
    CHECK(diskfs::sync() == -EIO);
    CHECK(machine.write("/disk/more", "x") == -EIO);
    CHECK(machine.unlink("/disk/kept") == -EIO);
    CHECK(machine.read("/disk/kept") == "kept");
    disk.writes_left = ~0ull;
    std::mt19937_64 random(9);
    machine.crash(random);
    CHECK(machine.names("/disk") == std::set<std::string>{"kept"});
}

// Whatever the disk says, the kernel stays whole: a name is not found, a read fails.
TEST_CASE("disk: damage anywhere but in the superblock is an error, never a fault") {
    MemoryDisk disk(600);
    {
        DiskMachine machine(disk);
        for (int i = 0; i < 20; ++i) {
            std::string const directory = "/disk/d" + std::to_string(i % 4);
            (void)sys_mkdir(machine.path(directory), 0755);
            REQUIRE(machine.write(directory + "/f" + std::to_string(i), text_of(80'000, i)) > 0);
        }
        diskfs::unmount();
    }
    MemoryDisk const whole = disk;
    diskfs::Superblock layout{};
    diskfs::lay_out(layout, 600);
    u64 const first_data = layout.data_start;
    std::mt19937_64 random(10);
    for (int round = 0; round < 300; ++round) {
        disk = whole;
        for (u64 i = 0; i < 1 + random() % 40; ++i) {
            u64 const block = 2 + random() % (random() % 2 == 0 ? 60 : 598);
            u64 const at = random() % k_page;
            u64 const bytes = smaller<u64>(1 + random() % 64, k_page - at);
            for (u64 j = 0; j < bytes; ++j)
                disk.durable[block][at + j] = static_cast<u8>(random() % 4 == 0 ? 0 : random());
        }
        for (u64 const block : {2, 3}) { // bits that are always set: a disk without them is refused
            u8* const bits = disk.durable[block].data();
            for (u64 i = 0; i < k_page * 8; ++i)
                if (i < first_data || i >= disk.durable.size())
                    bits[i / 8] = static_cast<u8>(bits[i / 8] | 1u << i % 8);
        }
        DiskMachine machine(disk);
        for (int i = 0; i < 20; ++i) {
            std::string const name = "/disk/d" + std::to_string(i % 4) + "/f" + std::to_string(i);
            Result const fd = machine.open(name);
            if (fd >= 0) {
                (void)sys_pread64(static_cast<u64>(fd), DiskMachine::k_memory, 90'000, 0);
                (void)sys_pwrite64(static_cast<u64>(fd), DiskMachine::k_memory, 9'000,
                                   random() % 100'000);
                machine.close(fd);
            }
            (void)machine.write("/disk/d" + std::to_string(i % 4) + "/n", "new");
            (void)machine.truncate(name, random() % 90'000);
            (void)machine.rename(name, "/disk/moved");
            (void)machine.unlink(name);
            (void)diskfs::sync();
        }
    }
}
