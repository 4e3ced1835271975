#include "guest/kernel/stack_builder.hpp"

#include "guest/kernel/memory.hpp"

#include <linux/auxvec.h>

namespace iso::guest {

namespace {

constexpr u64 k_auxiliary_entries = 20;
constexpr Text k_platform = "x86_64";

} // namespace

u64 stack_size(StackContents const& contents) {
    u64 const words =
        1 + contents.argument_count + 1 + contents.environment_count + 1 + 2 * k_auxiliary_entries;
    return contents.strings.size + contents.executable.size + 1 + k_platform.size + 1 + 16 +
           words * 8 + 64;
}

UserAddr build_stack(u8* end, UserAddr user_end, StackContents const& contents) {
    u8* at = end - 8; // a zero word ends the stack, as on Linux
    auto const user = [&](void const* here) {
        return user_end - static_cast<u64>(end - static_cast<u8 const*>(here));
    };
    auto const push = [&](void const* from, u64 bytes) {
        at -= bytes;
        copy_small(at, from, bytes);
        return user(at);
    };

    *--at = 0;
    UserAddr const executable = push(contents.executable.data, contents.executable.size);
    UserAddr const strings = push(contents.strings.data, contents.strings.size);
    char const* const text = reinterpret_cast<char const*>(at);
    *--at = 0;
    UserAddr const platform = push(k_platform.data, k_platform.size);
    UserAddr const random = push(contents.random, 16);

    ElfImage const& image = *contents.image;
    struct {
        u64 type, value;
    } const auxiliary[] = {
        {AT_HWCAP, contents.hardware_capabilities},
        {AT_PAGESZ, k_page},
        {AT_CLKTCK, 100},
        {AT_PHDR, image.headers},
        {AT_PHENT, image.header_bytes},
        {AT_PHNUM, image.header_count},
        {AT_BASE, 0},
        {AT_FLAGS, 0},
        {AT_ENTRY, image.entry},
        {AT_UID, contents.uid},
        {AT_EUID, contents.uid},
        {AT_GID, contents.gid},
        {AT_EGID, contents.gid},
        {AT_SECURE, 0},
        {AT_RANDOM, random},
        {AT_EXECFN, executable},
        {AT_PLATFORM, platform},
        {AT_MINSIGSTKSZ, 2048},
        {AT_NULL, 0},
    };
    static_assert(sizeof auxiliary / sizeof auxiliary[0] <= k_auxiliary_entries);

    u64 const words = 1 + contents.argument_count + 1 + contents.environment_count + 1;
    u64 const place = (user(at) - words * 8 - sizeof auxiliary) & ~15ull;
    u8* const bottom = end - (user_end - place);
    auto* word = reinterpret_cast<u64*>(bottom);
    *word++ = contents.argument_count;

    u64 offset = 0;
    auto const pointers = [&](u32 count) {
        for (u32 i = 0; i < count; ++i) {
            *word++ = strings + offset;
            offset += text_length(text + offset, contents.strings.size - offset) + 1;
        }
        *word++ = 0;
    };
    pointers(contents.argument_count);
    pointers(contents.environment_count);
    for (auto const& entry : auxiliary) {
        *word++ = entry.type;
        *word++ = entry.value;
    }
    return place;
}

} // namespace iso::guest
