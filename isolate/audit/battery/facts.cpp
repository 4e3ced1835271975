// What the battery knows of the host: told by a process of the host, which is one of the things to
// be found.
#include "isolate/audit/battery/facts.hpp"

#include "isolate/audit/battery/attempt.hpp"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/utsname.h>

namespace iso::battery {

namespace {

constexpr int k_nice = 13; ///< few processes have it

/// A disk of this machine: the one under the root, or the first that the kernel lists.
std::uint64_t find_disk() {
    struct stat info {};
    if (::stat("/", &info) == 0 && major(info.st_dev) != 0) return info.st_dev;
    FILE* const list = std::fopen("/proc/partitions", "re");
    char line[160];
    std::uint64_t found = 0;
    while (list != nullptr && found == 0 && std::fgets(line, sizeof line, list) != nullptr) {
        unsigned first = 0;
        unsigned second = 0;
        char name[64];
        if (std::sscanf(line, "%u %u %*s %63s", &first, &second, name) != 3) continue;
        if (std::strncmp(name, "ram", 3) != 0 && std::strncmp(name, "loop", 4) != 0)
            found = makedev(first, second);
    }
    if (list != nullptr) std::fclose(list);
    return found;
}

int listen_tcp(unsigned& port) {
    int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    socklen_t length = sizeof address;
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr const*>(&address), length) != 0 ||
        ::listen(fd, 16) != 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0)
        return -1;
    port = ntohs(address.sin_port);
    return fd;
}

int listen_abstract(char const* name) {
    int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name, std::strlen(name));
    auto const length =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + std::strlen(name));
    if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr const*>(&address), length) != 0 ||
        ::listen(fd, 64) != 0)
        return -1;
    return fd;
}

/// Shared memory with the token in it, that goes with this process.
int make_segment(char const* token, std::size_t size) {
    int const id = ::shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0644);
    if (id < 0) return -1;
    void* const at = ::shmat(id, nullptr, 0);
    if (at != reinterpret_cast<void*>(-1)) std::memcpy(at, token, size);
    ::shmctl(id, IPC_RMID, nullptr); // it stays as long as we are attached, and can be found
    return id;
}

} // namespace

int stay_to_be_found() {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::signal(SIGPIPE, SIG_IGN);
    ::setsid();
    ::setpriority(PRIO_PROCESS, 0, k_nice);
    unsigned char random[16];
    if (::getrandom(random, sizeof random, 0) != sizeof random) return 1;
    char token[33];
    for (std::size_t i = 0; i < sizeof random; ++i)
        std::snprintf(token + 2 * i, 3, "%02x", random[i]);
    char name[64];
    std::snprintf(name, sizeof name, "isolab-audit-%s", token);
    unsigned port = 0;
    int const tcp = listen_tcp(port);
    int const abstract = listen_abstract(name);
    utsname names{};
    ::uname(&names);

    std::printf("pid=%d nice=%d spaces=", static_cast<int>(::getpid()),
                ::getpriority(PRIO_PROCESS, 0));
    for (std::size_t i = 0; i < k_kinds; ++i)
        std::printf("%s%llu", i == 0 ? "" : ",",
                    static_cast<unsigned long long>(own_space(static_cast<Kind>(i))));
    std::printf(" directories=");
    for (std::size_t i = 0; i < k_directories; ++i) {
        struct stat info {};
        if (::stat(k_directory_names[i], &info) != 0) info = {};
        std::printf("%s%llu:%llu", i == 0 ? "" : ",", static_cast<unsigned long long>(info.st_dev),
                    static_cast<unsigned long long>(info.st_ino));
    }
    std::printf(" host=%s socket=%s port=%u token=%s segment=%d disk=%llu\n", names.nodename,
                abstract < 0 ? "" : name, tcp < 0 ? 0 : port, token,
                make_segment(token, sizeof token), static_cast<unsigned long long>(find_disk()));
    std::fflush(stdout);
    for (;;) {
        pollfd polled[] = {{STDIN_FILENO, POLLIN, 0}, {tcp, POLLIN, 0}, {abstract, POLLIN, 0}};
        if (::poll(polled, 3, -1) < 0 && errno != EINTR) return 1;
        if (polled[0].revents != 0) return 0; // nobody has anything to say: it was closed
        for (int const listener : {1, 2}) {
            if (polled[listener].revents == 0) continue;
            int const caller = ::accept4(polled[listener].fd, nullptr, nullptr, SOCK_CLOEXEC);
            if (caller < 0) continue;
            (void)!::send(caller, token, sizeof token - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
            ::close(caller);
        }
    }
}

namespace {

/// What follows "KEY=", or nullptr.
char const* value_of(char const* word, char const* key) {
    std::size_t const length = std::strlen(key);
    return std::strncmp(word, key, length) == 0 && word[length] == '=' ? word + length + 1
                                                                       : nullptr;
}

std::uint64_t number(char const* text) {
    return std::strtoull(text, nullptr, 10);
}

} // namespace

bool take_fact(char const* word) {
    Facts& facts = g_facts;
    if (char const* value = value_of(word, "pid")) {
        facts.pid = static_cast<pid_t>(number(value));
        facts.known = facts.pid > 0;
    } else if ((value = value_of(word, "nice")) != nullptr) {
        facts.nice = static_cast<int>(number(value));
    } else if ((value = value_of(word, "spaces")) != nullptr) {
        for (std::uint64_t& space : facts.spaces) {
            space = number(value);
            value = std::strchr(value, ',');
            if (value == nullptr) break;
            ++value;
        }
    } else if ((value = value_of(word, "directories")) != nullptr) {
        for (Facts::Identity& directory : facts.directories) {
            directory.device = number(value);
            char const* const colon = std::strchr(value, ':');
            if (colon == nullptr) break;
            directory.inode = number(colon + 1);
            value = std::strchr(colon, ',');
            if (value == nullptr) break;
            ++value;
        }
    } else if ((value = value_of(word, "host")) != nullptr) {
        std::snprintf(facts.host_name, sizeof facts.host_name, "%s", value);
    } else if ((value = value_of(word, "socket")) != nullptr) {
        std::snprintf(facts.socket_name, sizeof facts.socket_name, "%s", value);
    } else if ((value = value_of(word, "port")) != nullptr) {
        facts.port = static_cast<unsigned>(number(value));
    } else if ((value = value_of(word, "token")) != nullptr) {
        std::snprintf(facts.token, sizeof facts.token, "%s", value);
    } else if ((value = value_of(word, "segment")) != nullptr) {
        facts.segment = std::atoi(value);
    } else if ((value = value_of(word, "disk")) != nullptr) {
        facts.disk = number(value);
    } else if ((value = value_of(word, "memory")) != nullptr) {
        facts.memory = number(value);
    } else {
        return false;
    }
    return true;
}

void look_at_start() {
    // By number, not by /proc, which need not be there. Nobody who leaves some open by mistake
    // leaves the high numbers alone open.
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    int const last = limit.rlim_cur > 65536 ? 65536 : static_cast<int>(limit.rlim_cur);
    for (int fd = 3; fd < last; ++fd) {
        if (::fcntl(fd, F_GETFD) < 0) continue;
        if (g_inherited++ != 0) continue;
        char path[32];
        char target[100] = "?";
        std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t const n = ::readlink(path, target, sizeof target - 1);
        if (n > 0) target[n] = '\0';
        std::snprintf(g_inherited_text, sizeof g_inherited_text, "%d is %s", fd, target);
    }
    if (::getcwd(g_at_start_directory, sizeof g_at_start_directory) == nullptr)
        g_at_start_directory_errno = errno;
}

} // namespace iso::battery
