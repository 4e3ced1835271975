#pragma once

#include "guest/kernel/diskfs_volume.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/port/port.hpp"
#include "guest/tests/unit/tree.hpp"

#include <array>
#include <fcntl.h>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace iso::guest::test {

/// A disk that knows what was flushed, and can lose the rest.
class MemoryDisk : public port::HostDisk {
public:
    using Block = std::array<u8, k_page>;

    explicit MemoryDisk(u64 blocks)
        : durable(blocks) {}

    bool move(bool write, u64 block, u8* bytes) override {
        if (block >= durable.size()) return false;
        if (write && (writes_left == 0 || --writes_left == 0)) return false;
        if (write) {
            std::memcpy(pending[block].data(), bytes, k_page);
        } else {
            auto const newer = pending.find(block);
            Block const& from = newer != pending.end() ? newer->second : durable[block];
            std::memcpy(bytes, from.data(), k_page);
        }
        return true;
    }
    bool flush() override {
        for (auto const& [block, bytes] : pending)
            durable[block] = bytes;
        pending.clear();
        return true;
    }
    /// The power is gone: of what was not flushed, any sector may have got there.
    void crash(std::mt19937_64& random) {
        constexpr u64 k_sector_bytes = 512;
        for (auto const& [block, bytes] : pending)
            for (u64 at = 0; at < k_page; at += k_sector_bytes)
                if (random() % 2 == 0)
                    std::memcpy(durable[block].data() + at, bytes.data() + at, k_sector_bytes);
        pending.clear();
    }

    std::vector<Block> durable;
    std::map<u64, Block> pending;
    u64 writes_left = ~0ull; // then none works any more
};

/// The kernel with that disk at /disk, and the memory of the program that makes the calls.
class DiskMachine {
public:
    static constexpr UserAddr k_memory = 0x50000000;
    static constexpr u64 k_path_at = 1 << 20; // in it, behind what is read and written

    explicit DiskMachine(MemoryDisk& disk)
        : disk_(disk) {
        need_memory();
        linear<iso_boot_info>(ISO_BOOT_INFO_GPA)->disk_sectors = disk.durable.size() * 8;
        port::host_disk = &disk_;
        mount();
    }
    ~DiskMachine() { forget(); }
    DiskMachine(DiskMachine const&) = delete;
    DiskMachine& operator=(DiskMachine const&) = delete;

    void remount() {
        diskfs::unmount();
        forget();
        mount();
    }
    void crash(std::mt19937_64& random) {
        disk_.crash(random);
        forget();
        mount();
    }

    UserAddr path(std::string const& text, u64 which = 0) {
        UserAddr const at = k_memory + k_path_at + which * k_page;
        put(at, text + '\0');
        return at;
    }
    Result open(std::string const& name, int flags = O_RDWR) {
        return sys_open(path(name), static_cast<u64>(flags), 0644);
    }
    void close(Result fd) { REQUIRE(sys_close(static_cast<u64>(fd)) == 0); }
    /// pwrite(2) of a new or old file; how many bytes.
    Result write(std::string const& name, std::string const& text, u64 offset = 0) {
        Result const fd = open(name, O_RDWR | O_CREAT);
        if (fd < 0) return fd;
        put(k_memory, text);
        Result const result = sys_pwrite64(static_cast<u64>(fd), k_memory, text.size(), offset);
        close(fd);
        return result;
    }
    std::string read(std::string const& name) {
        Result const fd = open(name, O_RDONLY);
        REQUIRE(fd >= 0);
        std::string all;
        for (;;) {
            Result const got = sys_pread64(static_cast<u64>(fd), k_memory, k_path_at, all.size());
            REQUIRE(got >= 0);
            if (got == 0) break;
            all += get(k_memory, static_cast<u64>(got));
        }
        close(fd);
        return all;
    }
    std::set<std::string> names(std::string const& directory) {
        Node* node = nullptr;
        REQUIRE(find(directory, node) == 0);
        REQUIRE(vfs::load(node) == 0);
        std::set<std::string> all;
        for (Entry const* entry = node->newest; entry != nullptr; entry = entry->older)
            REQUIRE(all.insert(std::string(entry->name.data, entry->name.size)).second);
        return all;
    }
    Result unlink(std::string const& name) { return sys_unlink(path(name)); }
    Result rename(std::string const& from, std::string const& to) {
        return sys_rename(path(from), path(to, 1));
    }
    Result link(std::string const& from, std::string const& to) {
        return sys_link(path(from), path(to, 1));
    }
    Result truncate(std::string const& name, u64 size) { return sys_truncate(path(name), size); }

    u8* byte_at(UserAddr address) {
        AddressSpace& space = current().memory();
        if (space.table.entry(address) == 0)
            REQUIRE(space.fault(address, Access::write) == FaultResult::served);
        return linear(pte_frame(space.table.entry(address))) + address % k_page;
    }
    void put(UserAddr at, std::string const& text) {
        for (u64 done = 0; done < text.size();) {
            u64 const bytes = smaller(text.size() - done, k_page - (at + done) % k_page);
            std::memcpy(byte_at(at + done), text.data() + done, bytes);
            done += bytes;
        }
    }
    std::string get(UserAddr at, u64 size) {
        std::string text;
        while (text.size() < size) {
            u64 const bytes = smaller(size - text.size(), k_page - (at + text.size()) % k_page);
            text.append(reinterpret_cast<char const*>(byte_at(at + text.size())), bytes);
        }
        return text;
    }

private:
    static void need_memory() {
        boot();
        AddressSpace& space = current().memory();
        if (space.table.root == 0) space.table.root = frames.take_zeroed(1).first;
        if (space.area_at(k_memory) != nullptr) return;
        Vma area;
        area.start = k_memory;
        area.end = k_memory + k_path_at + 2 * k_page;
        area.protection = k_prot_read | k_prot_write;
        REQUIRE(space.add(area) == 0);
    }
    void mount() {
        Entry const* const there = vfs::child(vfs::root(), "disk");
        root_ = there != nullptr ? there->node
                                 : vfs::make_static(vfs::root(), "disk", k_type_directory | 0755);
        diskfs::mount();
        diskfs::attach(*root_);
    }
    static void forget_below(Node& directory) {
        while (directory.newest != nullptr) {
            if (vfs::is_directory(directory.newest->node)) forget_below(*directory.newest->node);
            vfs::remove(directory.newest);
        }
    }
    void forget() {
        diskfs::volume.mounted = false; // from here on it does not take notice
        forget_below(*root_);
        root_->special = nullptr;
        diskfs::abandon();
    }

    MemoryDisk& disk_;
    Node* root_ = nullptr;
};

} // namespace iso::guest::test
