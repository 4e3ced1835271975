// The pages of RAM files.
#include "guest/kernel/diskfs.hpp"
#include "guest/kernel/frame.hpp"
#include "guest/kernel/ramfs.hpp"
#include "guest/kernel/vm.hpp"
#include "guest/port/port.hpp"

namespace iso::guest {

namespace ramfs {

namespace {

constexpr unsigned k_level_bits = 9;
constexpr u8 k_most_levels = 4;

// How many pages a tree of that height can hold.
constexpr u64 pages_of(unsigned height) {
    return 1ull << k_level_bits * height;
}

Gpa* table_at(Gpa frame) {
    return linear<Gpa>(frame);
}

bool grow_for(Node& file, u64 index) {
    while (index >= pages_of(file.height)) {
        if (file.data != 0) {
            FrameRun const run = frames.take_zeroed(1);
            if (run.count == 0) return false;
            *table_at(run.first) = file.data;
            file.data = run.first;
        }
        ++file.height;
    }
    return true;
}

// Where the frame of page `index` is noted; nullptr when there is no table for it.
Gpa* slot(Node& file, u64 index, bool create) {
    if (index >= pages_of(file.height)) {
        if (!create || index >= pages_of(k_most_levels) || !grow_for(file, index)) return nullptr;
    }
    Gpa* place = &file.data;
    for (unsigned height = file.height; height != 0; --height) {
        if (*place == 0) {
            FrameRun const run = create ? frames.take_zeroed(1) : FrameRun{};
            if (run.count == 0) return nullptr;
            *place = run.first;
        }
        place = table_at(*place) + (index >> k_level_bits * (height - 1)) % k_table_entries;
    }
    return place;
}

// Collects neighbouring frames, so that they are given back in one piece.
class Returned {
public:
    explicit Returned(Node& file)
        : file_(file) {}
    ~Returned() { flush(); }
    void add(Gpa frame) {
        --file_.pages;
        mapped_ = mapped_ || frames.references(frame) > 1;
        if (count_ != 0 && first_ + count_ * k_page == frame) {
            ++count_;
            return;
        }
        flush();
        first_ = frame;
        count_ = 1;
    }

    /// Programs saw some of them.
    bool mapped() const { return mapped_; }

private:
    void flush() {
        if (count_ != 0) frames.release(first_, count_);
        count_ = 0;
    }
    Node& file_;
    Gpa first_ = 0;
    u32 count_ = 0;
    bool mapped_ = false;
};

// Frees what lies from page `from` on in the tree at `place`, which begins with page 0 of its own;
// all of it when `from` is 0.
void cut(Gpa* place, unsigned height, u64 from, Returned& returned) {
    if (*place == 0) return;
    if (height == 0) {
        returned.add(*place);
        *place = 0;
        return;
    }
    u64 const below = pages_of(height - 1);
    for (u64 i = from / below; i < k_table_entries; ++i) {
        cut(table_at(*place) + i, height - 1, from > i * below ? from - i * below : 0, returned);
    }
    if (from != 0) return;
    frames.release(*place, 1);
    *place = 0;
}

} // namespace

// The kernel, page tables and programs that are running need what is left.
bool has_room(u64 pages) {
    return frames.available() >= frames.total() / 16 + pages;
}

Gpa page(Node& file, u64 index, bool create) {
    Gpa* place = slot(file, index, false);
    if (place != nullptr && *place != 0) return *place;
    if (!create || !has_room(k_most_levels + 1)) return 0;
    if (place == nullptr) place = slot(file, index, true);
    if (place == nullptr) return 0;
    FrameRun const run = frames.take_zeroed(1);
    if (run.count == 0) return 0;
    ++file.pages;
    return *place = run.first;
}

namespace {

// The slots from page `index` on that lie side by side; `count` becomes how many. nullptr: no
// table.
Gpa* slots(Node& file, u64 index, bool create, u32& count) {
    Gpa* const first = slot(file, index, create);
    u64 const ahead = file.height == 0 ? 1 : k_table_entries - index % k_table_entries;
    count = smaller(count, static_cast<u32>(ahead));
    return first;
}

// How many of the first `most` slots hold what follows on the first one: neighbouring frames, or
// nothing.
u32 alike(Gpa const* slots, u32 most) {
    u64 const step = *slots != 0 ? k_page : 0;
    Gpa expected = *slots;
    u32 count = 0;
    while (count < most && slots[count] == expected) {
        expected += step;
        ++count;
    }
    return count;
}

} // namespace

u32 run(Node& file, u64 index, u32 most, Gpa& first) {
    Gpa const* const place = slots(file, index, false, most);
    first = place != nullptr ? *place : 0;
    return place != nullptr ? alike(place, most) : most;
}

FrameRun frames_for(Node& file, u64 index, u32 most) {
    constexpr u32 k_at_a_time = 64;
    most = smaller(most, k_at_a_time);
    if (!has_room(k_most_levels + most)) return {};
    Gpa const* const place = slots(file, index, true, most);
    if (place == nullptr) return {};
    return frames.take(alike(place, most));
}

void put_frames(Node& file, u64 index, FrameRun run) {
    if (run.count == 0) return;
    Gpa* place = slot(file, index, false); // the others follow it in the same table
    for (; run.count != 0; ++place, run.first += k_page, --run.count) {
        if (*place == 0) {
            *place = run.first;
            ++file.pages;
        } else { // it came while the frame was filled: by a fault on a mapping of the file
            port::copy(*place, run.first, k_page);
            frames.release(run.first, 1);
        }
    }
}

Result truncate(Node& file, u64 size) {
    if (size > k_largest) return -EFBIG;
    if (file.pages != 0) { // also behind the end there may be some: fallocate(2), mappings
        u64 const keep = page_up(size) >> k_page_bits;
        Returned returned(file);
        if (keep < pages_of(file.height)) cut(&file.data, file.height, keep, returned);
        if (file.data == 0) file.height = 0;
        if (returned.mapped()) cut_all_views(file, size);
        // Of the page that the shorter size ends in, nothing is to be seen behind it later: neither
        // what is cut off, nor what a program wrote there through a mapping.
        u64 const end = smaller(size, file.size);
        u64 const within = end & (k_page - 1);
        if (within != 0 && size != file.size)
            if (Gpa const last = page(file, end >> k_page_bits, false); last != 0)
                port::zero(last + within, k_page - within);
    }
    file.size = size;
    return 0;
}

Result allocate(Node& file, u64 offset, u64 bytes) {
    u64 const last = (offset + bytes - 1) >> k_page_bits;
    u64 const first = offset >> k_page_bits;
    if (!has_room(smaller(last - first, frames.total()))) return -ENOSPC;
    for (u64 index = first; index <= last; ++index)
        if (page(file, index, true) == 0) return -ENOSPC;
    return 0;
}

u64 seek(Node& file, u64 from, bool data) {
    while (from < file.size) {
        u64 const index = from >> k_page_bits;
        if ((page(file, index, false) != 0) == data) return from;
        // Where whole tables are missing, so are all of their pages.
        bool const beyond = index >= pages_of(file.height);
        if (beyond) return data ? file.size : from;
        u64 const step = slot(file, index, false) == nullptr ? pages_of(1) : 1;
        from = ((index & ~(step - 1)) + step) << k_page_bits;
    }
    return file.size;
}

} // namespace ramfs

static_assert(k_no_page == diskfs::k_unreadable);

void file_exposed(Node& node, u64 index) {
    if (vfs::on_disk(&node)) diskfs::expose(node, index);
}

Result cut_file(Node& node, u64 size) {
    return vfs::on_disk(&node) ? diskfs::truncate(node, size) : ramfs::truncate(node, size);
}

Result file_allocate(Node& node, u64 offset, u64 bytes) {
    return vfs::on_disk(&node) ? diskfs::allocate(node, offset, bytes)
                               : ramfs::allocate(node, offset, bytes);
}

u64 file_seek(Node& node, u64 from, bool data) {
    return vfs::on_disk(&node) ? diskfs::seek(node, from, data) : ramfs::seek(node, from, data);
}

Gpa file_page(Node& node, u64 index, bool create) {
    if (node.operations == &ramfs::file_operations) return ramfs::page(node, index, create);
    if (vfs::on_disk(&node)) return diskfs::page(node, index, create);
    return index << k_page_bits < node.size ? node.data + (index << k_page_bits) : 0;
}

u32 file_run(Node& node, u64 index, u32 most, Gpa& first) {
    if (node.operations == &ramfs::file_operations) {
        u32 const count = ramfs::run(node, index, most, first);
        return first != 0 ? count : 0;
    }
    first = file_page(node, index, false);
    if (vfs::on_disk(&node)) {
        if (first == k_no_page) first = 0;
        return first != 0 ? 1 : 0;
    }
    u64 const pages = page_up(node.size) >> k_page_bits;
    return first != 0 ? static_cast<u32>(smaller<u64>(most, pages - index)) : 0;
}

} // namespace iso::guest
