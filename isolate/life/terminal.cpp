#include "isolate/life/terminal.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/un.h>

namespace iso::jail {

Result<Fd> receive_descriptor(int socket) {
    char byte = 0;
    iovec text{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t got = 0;
    do
        got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0) return sys_error("recvmsg(terminal)");
    cmsghdr const* const header = CMSG_FIRSTHDR(&message);
    if (header == nullptr || header->cmsg_type != SCM_RIGHTS ||
        header->cmsg_len != CMSG_LEN(sizeof(int)))
        return error("recvmsg(terminal)", "no descriptor came");
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return Fd(fd);
}

Result<Fd> connect_console(std::string const& path) {
    Fd connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!connection) return sys_error("socket(AF_UNIX)");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string const op = "connect(" + path + ")";
    // By way of a descriptor where it is too long for sun_path.
    Fd const place = TRY(Fd::open(path, O_PATH));
    std::string const name = "/proc/self/fd/" + std::to_string(place.get());
    std::memcpy(address.sun_path, name.data(), name.size());
    if (::connect(connection.get(), reinterpret_cast<sockaddr const*>(&address), sizeof address) !=
        0)
        return sys_error(op, "the socket on which somebody waits for the terminal");
    return connection;
}

Result<void> TerminalSocket::open() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return sys_error("socketpair");
    ours_ = Fd(ends[0]);
    theirs_ = Fd(ends[1]);
    return {};
}

Fd TerminalSocket::take() {
    auto master = receive_descriptor(ours_.get());
    ours_.reset();
    if (!master) return {}; // the jail failed before; its own error says why
    (void)::fcntl(master->get(), F_SETFL, O_RDWR | O_NONBLOCK);
    return std::move(*master);
}

winsize TerminalRelay::size() const {
    winsize size{};
    if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) != 0) (void)::ioctl(1, TIOCGWINSZ, &size);
    return size;
}

std::vector<pollfd> TerminalRelay::polled() const {
    bool const talks = master_.valid();
    return {{socket_.socket(), POLLIN, 0},
            {talks && keys_.empty() && !keys_ended_ ? STDIN_FILENO : -1, POLLIN, 0},
            {master_.get(), static_cast<short>(keys_.empty() ? POLLIN : POLLIN | POLLOUT), 0}};
}

void TerminalRelay::serve(std::vector<pollfd>& polled) {
    if (polled[0].revents != 0) take_master();
    if (polled[1].revents != 0) {
        char typed[1024];
        ssize_t const n = ::read(STDIN_FILENO, typed, sizeof typed);
        if (n > 0) keys_.append(typed, static_cast<std::size_t>(n));
        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
            keys_ended_ = true;
            keys_ += '\x04'; // as a person would say so: Ctrl-D
        }
    }
    if (!keys_.empty() && master_) copy_keys();
    if (polled[2].revents != 0 && !copy_output()) master_.reset();
    // In place: whoever waits looks at these very elements.
    std::vector<pollfd> const next = this->polled();
    std::copy(next.begin(), next.end(), polled.begin());
}

void TerminalRelay::take_master() {
    master_ = socket_.take();
    if (!master_) return;
    resize();
    if (auto entered = raw_.enter(STDIN_FILENO); !entered) print_error("isolate", entered.error());
}

void TerminalRelay::copy_keys() {
    ssize_t const n = ::write(master_.get(), keys_.data(), keys_.size());
    if (n > 0) keys_.erase(0, static_cast<std::size_t>(n));
    if (n < 0 && errno != EAGAIN && errno != EINTR) keys_.clear();
}

bool TerminalRelay::copy_output() {
    char chunk[4096];
    ssize_t const n = ::read(master_.get(), chunk, sizeof chunk);
    if (n < 0) return errno == EAGAIN || errno == EINTR; // EIO: everybody inside has closed it
    if (n == 0) return false;
    return write_all(STDOUT_FILENO, {chunk, static_cast<std::size_t>(n)}).has_value();
}

void TerminalRelay::resize() const {
    winsize const wanted = size();
    if (master_ && (wanted.ws_row != 0 || wanted.ws_col != 0))
        (void)::ioctl(master_.get(), TIOCSWINSZ, &wanted);
}

void TerminalRelay::drain() {
    while (master_) {
        pollfd more{master_.get(), POLLIN, 0};
        if (::poll(&more, 1, 0) <= 0 || !copy_output()) break;
    }
}

} // namespace iso::jail
