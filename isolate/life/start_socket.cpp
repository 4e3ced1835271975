// The socket on which a created jail waits for its start, in the jail's directory.
#include "isolate/life/store.hpp"

#include <cerrno>
#include <cstring>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/un.h>

namespace iso::jail {

namespace {

/// By way of the descriptor: a path in sun_path has at most 107 characters.
sockaddr_un start_address(int jail_directory) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string const path = "/proc/self/fd/" + std::to_string(jail_directory) + "/start";
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

} // namespace

Result<Fd> listen_for_start(int jail_directory) {
    Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!listener) return sys_error("socket(AF_UNIX)");
    (void)::unlinkat(jail_directory, "start", 0);
    sockaddr_un const address = start_address(jail_directory);
    if (::bind(listener.get(), reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0)
        return sys_error("bind(start)");
    if (::listen(listener.get(), 16) != 0) return sys_error("listen(start)");
    return listener;
}

Result<Fd> connect_to_start(int jail_directory) {
    Fd connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!connection) return sys_error("socket(AF_UNIX)");
    sockaddr_un const address = start_address(jail_directory);
    if (::connect(connection.get(), reinterpret_cast<sockaddr const*>(&address), sizeof address) !=
        0)
        return sys_error("connect(start)");
    return connection;
}

bool waits_for_start(int jail_directory) {
    return connect_to_start(jail_directory).has_value();
}

} // namespace iso::jail
