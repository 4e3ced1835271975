// Who the program is, and the terminal it was started from.
#include "isolate/audit/battery/attempts.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace iso::battery {

namespace {

struct Sets {
    std::uint64_t effective = 0, permitted = 0, inheritable = 0, bounding = 0, ambient = 0;
};

/// By system calls: /proc need not be there.
Sets own_sets() {
    Sets sets;
    std::uint32_t header[2] = {0x20080522, 0};
    std::uint32_t data[6] = {};
    if (::syscall(SYS_capget, header, data) == 0) {
        sets.effective = data[0] | std::uint64_t{data[3]} << 32U;
        sets.permitted = data[1] | std::uint64_t{data[4]} << 32U;
        sets.inheritable = data[2] | std::uint64_t{data[5]} << 32U;
    }
    for (unsigned long bit = 0; bit < 64; ++bit) {
        if (::prctl(PR_CAPBSET_READ, bit, 0, 0, 0) == 1) sets.bounding |= std::uint64_t{1} << bit;
        if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, bit, 0, 0) == 1)
            sets.ambient |= std::uint64_t{1} << bit;
    }
    return sets;
}

} // namespace

Finding capabilities() {
    Sets const sets = own_sets();
    std::uint64_t const any = sets.effective | sets.permitted | sets.ambient;
    if (any == 0) return held(By::capabilities, "none");
    return open_hole("%d of them: %016llx", __builtin_popcountll(any),
                     static_cast<unsigned long long>(any));
}

Finding bounding_set() {
    Sets const sets = own_sets();
    if (sets.bounding == 0) return held(By::capabilities, "none");
    bool const gains = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0;
    if (!gains)
        return held(By::new_privileges, "%d, but no file gives any",
                    __builtin_popcountll(sets.bounding));
    return open_hole("%d of them", __builtin_popcountll(sets.bounding));
}

Finding inheritable() {
    Sets const sets = own_sets();
    if (sets.inheritable == 0) return held(By::capabilities, "none");
    return open_hole("%d of them", __builtin_popcountll(sets.inheritable));
}

Finding new_privileges() {
    return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1
               ? held(By::new_privileges, "set-user-id files give nothing")
               : open_hole("set-user-id files work");
}

Finding filter() {
    int const mode = ::prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
    return mode == 2 ? held(By::seccomp, "there is one") : open_hole("there is none");
}

Finding groups() {
    gid_t list[256];
    int const count = ::getgroups(256, list);
    if (count < 0) return not_here("getgroups: %s", std::strerror(errno));
    int others = 0;
    for (int i = 0; i < count; ++i)
        if (list[i] != ::getegid()) ++others;
    if (others == 0) return held(By::user_namespace, "none but its own");
    char text[16];
    if (read_text("/proc/self/setgroups", text, sizeof text) && std::strncmp(text, "deny", 4) == 0)
        return not_here("%d, which an ordinary user may not give up (user_namespaces(7))", others);
    return open_hole("%d beside its own", others);
}

Finding terminal_input() {
    Finding told = not_here("no terminal is in reach");
    int const own = ::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    for (int const fd : {0, 1, 2, own}) {
        if (fd < 0 || ::isatty(fd) == 0) continue;
        for (unsigned long const request : {TIOCSTI, TIOCLINUX}) {
            // Nothing is typed: there is nothing at this address.
            Finding const now =
                must_fail(call_of(SYS_ioctl, fd, request, 1L), CAP_SYS_ADMIN, {EFAULT});
            if (now.state == State::open) return now;
            if (told.state != State::held) told = now;
        }
    }
    if (told.state == State::held) return told;
    Call const nowhere = call_of(SYS_ioctl, 0, TIOCSTI, 1L);
    if (ask_filter(nowhere) == Filter::answers)
        return held(By::seccomp, "and no terminal is in reach");
    return told;
}

Finding controlling_terminal() {
    int const fd = ::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    int const error = errno;
    if (fd >= 0) {
        ::close(fd);
        return open_hole("/dev/tty can be opened");
    }
    // 0: the leader of the session is outside of this process namespace.
    if (::getsid(0) == 0) return open_hole("its session is one from outside");
    return held(By::session, "/dev/tty: %s", std::strerror(error));
}

} // namespace iso::battery
