#pragma once

#include "guest/kernel/vm.hpp"

namespace iso::guest {

/// The program's memory as the kernel reaches it: by walking its page table, page by page, and
/// through the linear map; never through the program's address. A bad pointer is -EFAULT, pages
/// that are not there yet are brought in as if the program had touched them.

/// Where `address` lies, good to the end of its page; 0 when the program may not access it so.
Gpa user_page(UserAddr address, Access access);

Result copy_in(void* to, UserAddr from, u64 bytes);
Result copy_out(UserAddr to, void const* from, u64 bytes);
/// Copies a zero-terminated text of at most `size` - 1 characters; its length, or -EFAULT, or
/// -ENAMETOOLONG.
Result copy_string(char* to, UserAddr from, u64 size);
/// Fills [to, to + bytes) of the program from guest-physical memory.
Result copy_out_physical(UserAddr to, Gpa from, u64 bytes);
Result zero_out(UserAddr to, u64 bytes);

template <typename T>
Result get_user(T& value, UserAddr from) {
    return copy_in(&value, from, sizeof value);
}
template <typename T>
Result put_user(UserAddr to, T const& value) {
    return copy_out(to, &value, sizeof value);
}

/// Translates up to `most` pieces of [address, address + bytes) into guest-physical ranges,
/// neighbours merged. Returns how many bytes they cover, or -EFAULT when not even the first byte is
/// accessible.
Result gather(iso_range* ranges, u32& count, u32 most, UserAddr address, u64 bytes, Access access);

} // namespace iso::guest
