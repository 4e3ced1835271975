#include "paravirt-demo/control_block.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <sys/mman.h>

namespace iso::pv {

Result<Fd> sealed_memory(char const* name, std::uint64_t bytes) {
    Fd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd) return sys_error("memfd_create");
    if (::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0)
        return sys_error("ftruncate(memfd)", "a smaller --memory");
    if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return sys_error("fcntl(F_ADD_SEALS)");
    return fd;
}

Result<ControlBlock> ControlBlock::create() {
    ControlBlock block;
    block.fd_ = TRY(sealed_memory("isolab-control", k_control_file_bytes));
    block.memory_ = TRY(
        Mapping::create(k_control_file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, block.fd_.get()));
    return block;
}

Result<void> ControlBlock::clear_slot(unsigned slot) const {
    if (::fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                    static_cast<off_t>(slot_offset(slot)), k_slot_bytes) != 0)
        return sys_error("fallocate(PUNCH_HOLE)");
    return {};
}

} // namespace iso::pv
