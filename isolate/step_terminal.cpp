// The jail's own terminal, made in the child: nothing here allocates.
#include "isolate/step_parts.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>

namespace iso::jail::steps {

namespace {

/// Sends a descriptor over a socket (unix(7), SCM_RIGHTS), with the one byte that it has to go
/// with.
int send_descriptor(int socket, int fd) {
    char byte = 't';
    iovec text{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    return result(::sendmsg(socket, &message, MSG_NOSIGNAL));
}

} // namespace

/// The terminal is one of the jail's own /dev/pts. Its other side is had from its master, never by
/// a path, which somebody inside could have replaced (CVE-2025-52565).
int open_terminal(Step const& step, ChildSetup const& setup) {
    open_how how{};
    how.flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
    how.resolve = RESOLVE_NO_SYMLINKS;
    int const master =
        static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, "/dev/pts/ptmx", &how, sizeof how));
    if (master < 0) return errno;
    int const unlocked = 0;
    if (::ioctl(master, TIOCSPTLCK, &unlocked) != 0) return errno;
    int const terminal = ::ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0) return errno;
    if (setup.rows != 0 || setup.columns != 0) {
        winsize const size{setup.rows, setup.columns, 0, 0};
        if (::ioctl(master, TIOCSWINSZ, &size) != 0) return errno;
    }
    if (step.number != 0) {
        int const console = open_path(AT_FDCWD, "/dev/console", RESOLVE_NO_SYMLINKS);
        if (console < 0) return errno;
        int const tree = static_cast<int>(
            ::open_tree(terminal, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
        int const failed =
            tree < 0 ? errno
                     : result(::move_mount(tree, "", console, "",
                                           MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
        ::close(console);
        if (tree >= 0) ::close(tree);
        if (failed != 0) return failed;
    }
    if (int const failed = send_descriptor(setup.terminal_socket, master); failed != 0)
        return failed;
    ::close(master);
    ::close(setup.terminal_socket);
    for (int fd = 0; fd < 3; ++fd)
        if (::dup2(terminal, fd) < 0) return errno;
    if (terminal > 2) ::close(terminal);
    return 0;
}

} // namespace iso::jail::steps
