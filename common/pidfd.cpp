#include "common/pidfd.hpp"

#include <cerrno>
#include <unistd.h>

#include <sys/syscall.h>

namespace iso {

Result<Pidfd> Pidfd::open(pid_t pid) {
    auto const fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (fd < 0) return sys_error("pidfd_open");
    return Pidfd(Fd(fd));
}

Result<void> Pidfd::send(int signal) const {
    if (::syscall(SYS_pidfd_send_signal, fd_.get(), signal, nullptr, 0) != 0 && errno != ESRCH)
        return sys_error("pidfd_send_signal");
    return {};
}

} // namespace iso
