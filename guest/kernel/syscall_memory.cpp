// System calls on memory.
#include "guest/kernel/diskfs.hpp"
#include "guest/kernel/frame.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/kernel/vfs.hpp"

#include <asm/mman.h>
#include <linux/fcntl.h>
#include <linux/mman.h>

namespace iso::guest {

namespace {

bool in_page(u64 address) {
    return (address & (k_page - 1)) != 0;
}

// A range of whole pages inside the program's addresses.
bool valid_range(UserAddr start, u64 length) {
    return start <= ISO_USER_HIGH && length <= ISO_USER_HIGH - start;
}

u8 protection_bits(u64 protection) {
    return static_cast<u8>(protection & 7);
}
static_assert(PROT_READ == k_prot_read && PROT_WRITE == k_prot_write && PROT_EXEC == k_prot_exec);

Result view_file(Vma& area, u64 fd, u64 offset, u64 flags) {
    OpenFile const* const file = current().files().at(fd);
    if (file == nullptr) return -EBADF;
    if (file->node == nullptr || !vfs::is_file(file->node)) return -ENODEV;
    if ((file->flags & O_ACCMODE) == O_WRONLY) return -EACCES;
    area.shared = (flags & MAP_TYPE) != MAP_PRIVATE;
    bool const writable = (file->flags & O_ACCMODE) == O_RDWR;
    // As Linux has it: a shared view of a file that is open for reading never becomes writable.
    if (area.shared && !writable && (area.protection & k_prot_write) != 0) return -EACCES;
    area.read_only = area.shared && !writable;
    area.view(*file->node, offset);
    return 0;
}

// Held until a mapping holds it.
struct NamelessFile {
    Node* node = nullptr;

    bool make(u64 bytes) {
        node = vfs::make_nameless(k_type_file | 0600);
        if (node == nullptr) return false;
        vfs::hold(node);
        node->size = bytes;
        return true;
    }
    ~NamelessFile() {
        if (node != nullptr) vfs::unhold(node);
    }
};

} // namespace

Result sys_mmap(u64 address, u64 length, u64 protection, u64 flags, u64 fd, u64 offset) {
    if (in_page(offset) || length == 0) return -EINVAL;
    u64 const type = flags & MAP_TYPE;
    if (type != MAP_PRIVATE && type != MAP_SHARED && type != MAP_SHARED_VALIDATE) return -EINVAL;
    length = page_up(length);
    if (length == 0 || length > ISO_USER_HIGH) return -ENOMEM;
    AddressSpace& memory = current().memory();

    Vma area;
    area.protection = protection_bits(protection);
    if ((flags & MAP_ANONYMOUS) == 0) {
        if (Result const result = view_file(area, fd, offset, flags); result != 0) return result;
    } else if ((protection & PROT_WRITE) != 0 && (flags & MAP_NORESERVE) == 0 &&
               length > frames.total() * k_page) {
        return -ENOMEM; // more than there is at all: Linux's overcommit heuristic refuses it too
    }
    NamelessFile memory_file; // what a shared mapping without a file is a view of
    if ((flags & MAP_ANONYMOUS) != 0 && type != MAP_PRIVATE) {
        if (!memory_file.make(length)) return -ENOMEM;
        area.shared = true;
        area.view(*memory_file.node, 0);
    }

    bool const fixed = (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0;
    if (fixed) {
        if (in_page(address)) return -EINVAL;
        if (!valid_range(address, length)) return -ENOMEM;
        if (address < ISO_USER_LOW) return -EPERM; // as vm.mmap_min_addr
        if ((flags & MAP_FIXED_NOREPLACE) != 0) {
            if (!memory.is_free(address, address + length)) return -EEXIST;
        } else if (Result const result = memory.unmap(address, address + length); result != 0) {
            return result;
        }
        area.start = address;
    } else {
        UserAddr const hint = page_down(address);
        bool const usable = hint >= ISO_USER_LOW && valid_range(hint, length) &&
                            memory.is_free(hint, hint + length);
        area.start = usable ? hint : memory.find_room(length);
        if (area.start == 0) return -ENOMEM;
    }
    area.end = area.start + length;
    if (Result const result = memory.add(area); result != 0) return result;
    return static_cast<Result>(area.start);
}

Result sys_munmap(u64 address, u64 length) {
    length = page_up(length);
    if (in_page(address) || length == 0 || !valid_range(address, length)) return -EINVAL;
    return current().memory().unmap(address, address + length);
}

Result sys_mprotect(u64 address, u64 length, u64 protection) {
    if (in_page(address) || (protection & ~7ull) != 0) return -EINVAL;
    if (length == 0) return 0;
    length = page_up(length);
    if (length == 0 || !valid_range(address, length)) return -ENOMEM;
    if ((protection & PROT_WRITE) != 0 && !current().memory().may_write(address, address + length))
        return -EACCES;
    return current().memory().protect(address, address + length, protection_bits(protection));
}

Result sys_mremap(u64 address, u64 old_length, u64 length, u64 flags, u64) {
    old_length = page_up(old_length);
    length = page_up(length);
    // Neither a target address nor duplicating (old_length 0) is served.
    if (in_page(address) || length == 0 || old_length == 0 || (flags & ~u64{MREMAP_MAYMOVE}) != 0)
        return -EINVAL;
    if (!valid_range(address, old_length) || length > ISO_USER_HIGH) return -EFAULT;
    return current().memory().resize(address, old_length, length, (flags & MREMAP_MAYMOVE) != 0);
}

Result sys_madvise(u64 address, u64 length, u64 advice) {
    u64 const asked = length;
    length = page_up(length);
    if (in_page(address) || (asked != 0 && length == 0)) return -EINVAL;
    if (!valid_range(address, length)) return -ENOMEM;
    AddressSpace& memory = current().memory();
    switch (advice) {
    case MADV_DONTNEED:
    case MADV_FREE:
        return memory.forget(address, address + length);
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_WILLNEED:
    case MADV_HUGEPAGE:
    case MADV_NOHUGEPAGE:
    case MADV_DONTDUMP:
    case MADV_DODUMP:
        return memory.is_mapped(address, address + length) ? 0 : -ENOMEM;
    default:
        return -EINVAL;
    }
}

Result sys_msync(u64 address, u64 length, u64 flags) {
    constexpr u64 k_both = MS_ASYNC | MS_SYNC;
    u64 const asked = length;
    length = page_up(length);
    if ((flags & ~u64{MS_ASYNC | MS_INVALIDATE | MS_SYNC}) != 0 || (flags & k_both) == k_both ||
        in_page(address))
        return -EINVAL;
    if ((asked != 0 && length == 0) || !valid_range(address, length)) return -ENOMEM;
    if (!current().memory().is_mapped(address, address + length)) return -ENOMEM;
    return (flags & MS_SYNC) != 0 ? diskfs::sync() : 0;
}

Result sys_brk(u64 address) {
    return static_cast<Result>(current().memory().move_break(address));
}

} // namespace iso::guest
