#pragma once

#include "guest/kernel/process.hpp"

namespace iso::guest {

/// The program's memory as the kernel reaches it: by walking its page table, page by page, and
/// through the linear map; never through the program's address. A bad pointer is -EFAULT, pages
/// that are not there yet are brought in as if the program had touched them.

/// user_page() for a page that is not there yet, or not for this access.
Gpa bring_in(UserAddr address, Access access);
/// Counts a call that ends with EFAULT.
Result bad_pointer();

/// Where `address` lies, good to the end of its page; 0 when the program may not access it so.
inline Gpa user_page(UserAddr address, Access access) {
    constexpr Pte k_read = k_pte_present | k_pte_user;
    Pte const needs = access == Access::write ? k_read | k_pte_write : k_read;
    if (address >= ISO_USER_HIGH) return 0;
    Pte const entry = current().memory().table.entry(address);
    if ((entry & needs) != needs) return bring_in(address, access);
    return pte_frame(entry) | (address & (k_page - 1));
}

Result copy_in(void* to, UserAddr from, u64 bytes);
Result copy_out(UserAddr to, void const* from, u64 bytes);
/// Copies a zero-terminated text of at most `size` - 1 characters; its length, or -EFAULT, or
/// -ENAMETOOLONG.
Result copy_string(char* to, UserAddr from, u64 size);
/// Fills [to, to + bytes) of the program from guest-physical memory, or with zeros. As read(2) does
/// it: returns how many bytes there was room for, -EFAULT only when there was none.
Result fill_out(UserAddr to, Gpa from, u64 bytes);
Result zero_out(UserAddr to, u64 bytes);
/// The other way, as write(2) does it: how many bytes could be read.
Result fetch_in(Gpa to, UserAddr from, u64 bytes);

template <typename T>
Result get_user(T& value, UserAddr from) {
    if ((from & (k_page - 1)) > k_page - sizeof value) return copy_in(&value, from, sizeof value);
    Gpa const gpa = user_page(from, Access::read);
    if (gpa == 0) return bad_pointer();
    __builtin_memcpy(&value, linear(gpa), sizeof value);
    return 0;
}

template <typename T>
Result put_user(UserAddr to, T const& value) {
    if (sizeof value > 64 || (to & (k_page - 1)) > k_page - sizeof value)
        return copy_out(to, &value, sizeof value);
    Gpa const gpa = user_page(to, Access::write);
    if (gpa == 0) return bad_pointer();
    __builtin_memcpy(linear(gpa), &value, sizeof value);
    return 0;
}

/// Translates up to `most` pieces of [address, address + bytes) into guest-physical ranges,
/// neighbours merged. Returns how many bytes they cover, or -EFAULT when not even the first byte is
/// accessible.
Result gather(iso_range* ranges, u32& count, u32 most, UserAddr address, u64 bytes, Access access);

} // namespace iso::guest
