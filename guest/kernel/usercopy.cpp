#include "guest/kernel/usercopy.hpp"

#include "guest/kernel/block_cache.hpp"
#include "guest/kernel/memory.hpp"
#include "guest/port/port.hpp"

namespace iso::guest {

namespace {

u64 left_in_page(UserAddr address, u64 bytes) {
    return smaller(bytes, k_page - (address & (k_page - 1)));
}

// Calls piece(gpa, offset, length) for each page's part of the range; stops at a bad page.
// Returns how many bytes that were.
template <typename Piece>
u64 for_each_piece(UserAddr at, u64 bytes, Access access, Piece piece) {
    u64 done = 0;
    while (done < bytes) {
        Gpa const gpa = user_page(at + done, access);
        if (gpa == 0) break;
        u64 const length = left_in_page(at + done, bytes - done);
        piece(gpa, done, length);
        done += length;
    }
    return done;
}

// The same for neighbouring pages in neighbouring frames at a time: one copy serves them all.
template <typename Piece>
u64 for_each_run(UserAddr at, u64 bytes, Access access, Piece piece) {
    u64 done = 0;
    while (done < bytes) {
        Gpa const first = user_page(at + done, access);
        if (first == 0) break;
        u64 length = left_in_page(at + done, bytes - done);
        while (done + length < bytes && user_page(at + done + length, access) == first + length)
            length += smaller(k_page, bytes - done - length);
        piece(first, done, length);
        done += length;
    }
    return done;
}

// Both may be the same pages: those of a file that is mapped. The engine must not be asked then.
void copy(Gpa to, Gpa from, u64 bytes) {
    bool const overlap = to < from + bytes && from < to + bytes;
    if (overlap)
        copy_small(linear(to), linear(from), bytes);
    else
        port::copy(to, from, bytes);
}

Result all_or_fault(u64 done, u64 bytes) {
    return done == bytes ? 0 : bad_pointer();
}

Result some_or_fault(u64 done, u64 bytes) {
    return done != 0 || bytes == 0 ? static_cast<Result>(done) : bad_pointer();
}

} // namespace

Result bad_pointer() {
    ++linear<iso_counters>(ISO_COUNTERS_GPA)->bad_pointers;
    return -EFAULT;
}

Gpa bring_in(UserAddr address, Access access) {
    AddressSpace& space = current().memory();
    FaultResult result = space.fault(address, access);
    while (result == FaultResult::out_of_memory && block_cache::give_back())
        result = space.fault(address, access);
    // Not at once: whoever called may hold something that has to be given back.
    if (result == FaultResult::out_of_memory) send_signal(this_thread(), 9, {});
    if (result != FaultResult::served) return 0;
    Pte const entry = space.table.entry(address);
    return pte_present(entry) ? pte_frame(entry) | (address & (k_page - 1)) : 0;
}

Result copy_in(void* to, UserAddr from, u64 bytes) {
    auto const piece = [to](Gpa gpa, u64 offset, u64 length) {
        copy_small(static_cast<u8*>(to) + offset, linear(gpa), length);
    };
    return all_or_fault(for_each_piece(from, bytes, Access::read, piece), bytes);
}

Result copy_out(UserAddr to, void const* from, u64 bytes) {
    auto const piece = [from](Gpa gpa, u64 offset, u64 length) {
        copy_small(linear(gpa), static_cast<u8 const*>(from) + offset, length);
    };
    return all_or_fault(for_each_piece(to, bytes, Access::write, piece), bytes);
}

Result fill_out(UserAddr to, Gpa from, u64 bytes) {
    auto const piece = [from](Gpa gpa, u64 offset, u64 length) {
        copy(gpa, from + offset, length);
    };
    return some_or_fault(for_each_run(to, bytes, Access::write, piece), bytes);
}

Result fetch_in(Gpa to, UserAddr from, u64 bytes) {
    auto const piece = [to](Gpa gpa, u64 offset, u64 length) { copy(to + offset, gpa, length); };
    return some_or_fault(for_each_run(from, bytes, Access::read, piece), bytes);
}

Result zero_out(UserAddr to, u64 bytes) {
    auto const piece = [](Gpa gpa, u64, u64 length) { port::zero(gpa, length); };
    return some_or_fault(for_each_run(to, bytes, Access::write, piece), bytes);
}

Result copy_string(char* to, UserAddr from, u64 size) {
    for (u64 done = 0; done < size;) {
        Gpa const gpa = user_page(from + done, Access::read);
        if (gpa == 0) return bad_pointer();
        u64 const length = left_in_page(from + done, size - done);
        u64 const text = text_length(linear<char>(gpa), length);
        copy_small(to + done, linear(gpa), text);
        done += text;
        if (text == length) continue;
        to[done] = 0;
        return static_cast<Result>(done);
    }
    return -ENAMETOOLONG;
}

Result gather(iso_range* ranges, u32& count, u32 most, UserAddr address, u64 bytes, Access access) {
    u64 done = 0;
    while (done < bytes) {
        Gpa const gpa = user_page(address + done, access);
        if (gpa == 0) break;
        u64 const length = left_in_page(address + done, bytes - done);
        if (count != 0 && ranges[count - 1].gpa + ranges[count - 1].bytes == gpa) {
            ranges[count - 1].bytes += length;
        } else {
            if (count == most) break;
            ranges[count++] = {gpa, length};
        }
        done += length;
    }
    return done == 0 && bytes != 0 && count < most ? bad_pointer() : static_cast<Result>(done);
}

} // namespace iso::guest
