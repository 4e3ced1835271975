// What a host has one of: names, shared memory, groups, the network.
#include "isolate/audit/battery/attempts.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/ioctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/utsname.h>

namespace iso::battery {

Finding shared_memory() {
    if (!g_facts.known || g_facts.segment < 0)
        return not_here("the host has no segment to look for");
    void* const at = ::shmat(g_facts.segment, nullptr, SHM_RDONLY);
    if (at == reinterpret_cast<void*>(-1)) {
        if (errno == EINVAL || errno == EIDRM)
            return held(By::ipc_namespace, "there is no such segment");
        return refused(call_of(SYS_shmat, g_facts.segment, nullptr, SHM_RDONLY), errno,
                       CAP_IPC_OWNER);
    }
    bool const same = std::memcmp(at, g_facts.token, sizeof g_facts.token) == 0;
    ::shmdt(at);
    return same ? open_hole("read the host's segment %d", g_facts.segment)
                : held(By::ipc_namespace, "the segment of that number is another");
}

Finding host_name() {
    if (!g_facts.known) return not_here("nothing is known of the host");
    utsname names{};
    ::uname(&names);
    if (std::strcmp(names.nodename, g_facts.host_name) == 0) return open_hole("%s", names.nodename);
    return held(By::uts_namespace, "it is %s", names.nodename);
}

Finding set_host_name() {
    Call const call = call_of(SYS_sethostname, 1L, 1L); // an address that nothing is at
    long const result = make(call);
    if (result != -EFAULT) return refused(call, static_cast<int>(-result), CAP_SYS_ADMIN);
    if (g_facts.known && own_space(k_uts) != 0 && !shares(k_uts))
        return held(By::uts_namespace, "it would change its own name only");
    return open_hole("reached: %s", std::strerror(EFAULT));
}

Finding group_paths() {
    char text[4096];
    if (!read_text("/proc/self/cgroup", text, sizeof text))
        return held(By::root, "there is no /proc");
    for (char* line = std::strtok(text, "\n"); line != nullptr; line = std::strtok(nullptr, "\n")) {
        char const* const path = std::strstr(line, ":/");
        if (path != nullptr && path[2] != '\0') return open_hole("%.150s", path + 1);
    }
    if (g_facts.known && shares(k_cgroup)) return open_hole("the group namespace is the host's");
    return held(By::cgroup_namespace, "every path is /");
}

Finding host_mounts() {
    if (!g_facts.known) return not_here("nothing is known of the host");
    if (own_space(k_mnt) == 0) {
        // Without /proc it cannot be told, unless the root is the host's.
        struct stat root {};
        ::stat("/", &root);
        if (root.st_dev == g_facts.directories[0].device &&
            root.st_ino == g_facts.directories[0].inode)
            return open_hole("the root is the host's");
        return not_here("there is no /proc to learn it from");
    }
    if (shares(k_mnt)) return open_hole("the mount namespace is the host's");
    return held(By::mount_namespace, "a mount namespace of its own");
}

Finding host_root() {
    char text[256];
    if (!read_text("/proc/self/uid_map", text, sizeof text))
        return ::geteuid() != 0 ? held(By::user_namespace, "it is uid %u", ::geteuid())
                                : open_hole("it is uid 0, and no /proc says of which namespace");
    unsigned const own = ::geteuid();
    for (char* line = std::strtok(text, "\n"); line != nullptr; line = std::strtok(nullptr, "\n")) {
        unsigned long inside = 0;
        unsigned long outside = 0;
        unsigned long count = 0;
        if (std::sscanf(line, "%lu %lu %lu", &inside, &outside, &count) != 3) continue;
        if (own < inside || own - inside >= count) continue;
        unsigned long const is = outside + (own - inside);
        return is == 0 ? open_hole("uid %u inside is uid 0 outside", own)
                       : held(By::user_namespace, "uid %u inside is uid %lu outside", own, is);
    }
    return held(By::user_namespace, "uid %u inside is nobody outside", own);
}

Finding host_loopback() {
    if (!g_facts.known || g_facts.port == 0) return not_here("no port of the host to look for");
    int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return refused(call_of(SYS_socket, AF_INET, SOCK_STREAM, 0), errno);
    timeval const patience{2, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(g_facts.port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0)
        return held(By::network_namespace, "%s", std::strerror(errno));
    char token[sizeof g_facts.token] = {};
    std::size_t got = 0;
    while (got + 1 < sizeof token) {
        ssize_t const n = ::recv(fd, token + got, sizeof token - 1 - got, 0);
        if (n <= 0) break;
        got += static_cast<std::size_t>(n);
    }
    ::close(fd);
    if (std::strcmp(token, g_facts.token) == 0) return open_hole("port %u answers", g_facts.port);
    return held(By::network_namespace, "another listens there");
}

Finding abstract_sockets() {
    if (!g_facts.known || g_facts.socket_name[0] == '\0')
        return not_here("no socket of the host to look for");
    int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return refused(call_of(SYS_socket, AF_UNIX, SOCK_STREAM, 0), errno);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::size_t const length = std::strlen(g_facts.socket_name);
    std::memcpy(address.sun_path + 1, g_facts.socket_name, length);
    int const result =
        ::connect(fd, reinterpret_cast<sockaddr const*>(&address),
                  static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length));
    int const error = errno;
    ::close(fd);
    if (result == 0) return open_hole("connected to one");
    return held(By::network_namespace, "%s", std::strerror(error));
}

Finding interfaces() {
    int const fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return refused(call_of(SYS_socket, AF_INET, SOCK_DGRAM, 0), errno);
    // By number: the kernel has a few tunnels of its own in every namespace, which are down.
    Finding found = held(By::network_namespace, "none is up but lo");
    for (int index = 1; index < 256; ++index) {
        ifreq request{};
        request.ifr_ifindex = index;
        if (::ioctl(fd, SIOCGIFNAME, &request) != 0) continue;
        if (::ioctl(fd, SIOCGIFFLAGS, &request) != 0) continue;
        if ((request.ifr_flags & IFF_UP) == 0 || (request.ifr_flags & IFF_LOOPBACK) != 0) continue;
        found = open_hole("%s is up", request.ifr_name);
        break;
    }
    ::close(fd);
    return found;
}

Finding way_out() {
    int const fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return refused(call_of(SYS_socket, AF_INET, SOCK_DGRAM, 0), errno);
    sockaddr_in far{};
    far.sin_family = AF_INET;
    far.sin_port = htons(53);
    Finding found = held(By::network_namespace, "%s", std::strerror(ENETUNREACH));
    // An address for documentation (RFC 5737), and the clouds' metadata service.
    for (std::uint32_t const address : {0xc0000201U, 0xa9fea9feU}) {
        far.sin_addr.s_addr = htonl(address);
        if (::connect(fd, reinterpret_cast<sockaddr const*>(&far), sizeof far) != 0) continue;
        found = open_hole("there is a route");
        break;
    }
    ::close(fd);
    return found;
}

Finding raw_sockets() {
    return must_fail(call_of(SYS_socket, AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP),
                     CAP_NET_RAW);
}

Finding packet_sockets() {
    return must_fail(call_of(SYS_socket, AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), CAP_NET_RAW);
}

} // namespace iso::battery
