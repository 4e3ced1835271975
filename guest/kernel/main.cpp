// The kernel's table of contents.
#include "guest/kernel/boot.hpp"
#include "guest/kernel/diskfs.hpp"
#include "guest/kernel/frame.hpp"
#include "guest/kernel/log.hpp"
#include "guest/kernel/process.hpp"
#include "guest/kernel/syscall.hpp"
#include "guest/port/port.hpp"

using namespace iso::guest;

namespace {

void check_contract(iso_boot_info const& boot) {
    if (boot.magic != ISO_ABI_MAGIC || boot.version != ISO_ABI_VERSION)
        panic("the engine speaks another version of the guest ABI");
    if (boot.module_count == 0) panic("there is no program to run");
}

} // namespace

extern "C" [[noreturn]] void iso_kernel_main(iso_boot_info const& boot) {
    port::init(boot);                                  // traps and system calls arrive
    check_contract(boot);                              // the engine and we agree
    frames.init(ISO_FREE_GPA, boot.ram_bytes);         // page frames
    if (boot.flags & ISO_BOOT_TRACE) trace_syscalls(); // who asks for it sees every call
    if (boot.disk_sectors != 0) diskfs::mount();       // its files, at /disk
    run_first_process();                               // module 0, in ring 3
}
