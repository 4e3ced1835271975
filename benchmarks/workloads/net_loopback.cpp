// net-loopback: one operation sends a message of size= bytes to a child process over the loopback
// device, or a UNIX socket, and gets it back. transport= is tcp, udp or unix.
#include "benchmarks/workloads/runtime/process.hpp"

#include <initializer_list>

namespace iso::workload {

namespace {

constinit Parameter g_ops{"ops", 400};
constinit Parameter g_size{"size", 1};
constinit Parameter g_transport{"transport", 0, "tcp"};

constexpr uint64_t k_largest = 32768; // a UDP datagram holds it, and no socket buffer overflows
constexpr long k_inet = 2;
constexpr long k_unix = 1;
constexpr long k_stream = 1;
constexpr long k_datagram = 2;

/// struct sockaddr_in (ip(7)); numbers in network byte order.
struct Address {
    uint16_t family = k_inet;
    uint16_t port = 0;              // the kernel chooses
    uint32_t address = 0x0100007fU; // 127.0.0.1
    uint64_t padding = 0;
};

unsigned char g_buffer[k_largest];

struct Ends {
    int parent;
    int child;
};

/// A socket bound to a port of the loopback device; the port goes into `address`.
int bound_socket(long type, Address& address) {
    using namespace linux_call;
    long const fd = need("socket(AF_INET)", call(socket, k_inet, type, 0));
    address = {};
    need("bind(127.0.0.1)", call(bind, fd, linux_call::address(&address), sizeof address));
    uint32_t size = sizeof address;
    need("getsockname",
         call(getsockname, fd, linux_call::address(&address), linux_call::address(&size)));
    return static_cast<int>(fd);
}

void connect_to(int fd, Address const& address) {
    need("connect(127.0.0.1)",
         linux_call::call(linux_call::connect, fd, linux_call::address(&address), sizeof address));
}

Ends make_tcp() {
    using namespace linux_call;
    Address address;
    int const listener = bound_socket(k_stream, address);
    need("listen", call(listen, listener, 1));
    long const fd = need("socket(AF_INET)", call(socket, k_inet, k_stream, 0));
    connect_to(static_cast<int>(fd), address); // the queue of connections takes it
    long const other = need("accept4", call(accept4, listener, 0, 0, 0));
    call(close, listener);
    int const yes = 1;
    for (long const end : {fd, other})
        need("setsockopt(TCP_NODELAY)",
             call(setsockopt, end, 6, 1, linux_call::address(&yes), sizeof yes));
    return {static_cast<int>(fd), static_cast<int>(other)};
}

Ends make_udp() {
    Address one;
    Address two;
    Ends const ends{bound_socket(k_datagram, one), bound_socket(k_datagram, two)};
    connect_to(ends.parent, two);
    connect_to(ends.child, one);
    return ends;
}

Ends make_ends() {
    if (equal(g_transport.text, "tcp")) return make_tcp();
    if (equal(g_transport.text, "udp")) return make_udp();
    if (!equal(g_transport.text, "unix")) refuse("transport is tcp, udp or unix", g_transport.text);
    Ends ends{-1, -1};
    need("socketpair(AF_UNIX)",
         linux_call::call(linux_call::socketpair, k_unix, k_stream, 0, linux_call::address(&ends)));
    return ends;
}

bool send(int fd, uint64_t size) {
    return linux_call::write_all(fd, reinterpret_cast<char const*>(g_buffer), size) == 0;
}

/// False at the end, or when something went wrong.
bool receive(int fd, uint64_t size) {
    for (uint64_t got = 0; got < size;) {
        long const n = linux_call::call(linux_call::read, fd, linux_call::address(g_buffer + got),
                                        static_cast<long>(size - got));
        if (n == -linux_call::k_eintr) continue;
        if (n <= 0) return false;
        got += static_cast<uint64_t>(n);
    }
    return true;
}

/// The child sends every message back with its first byte changed. It ends after so many: a
/// datagram socket has no end of file.
[[noreturn]] void echo(int fd, uint64_t size, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
        if (!receive(fd, size)) linux_call::exit_with(1);
        g_buffer[0] = static_cast<unsigned char>(g_buffer[0] ^ 0x55U);
        if (!send(fd, size)) linux_call::exit_with(1);
    }
    linux_call::exit_with(0);
}

uint64_t round_trip(int fd, uint64_t size, uint64_t i) {
    g_buffer[0] = static_cast<unsigned char>(i);
    if (!send(fd, size) || !receive(fd, size)) return 0;
    return g_buffer[0] == ((i & 255U) ^ 0x55U) ? 1 : 0;
}

} // namespace

char const* const k_name = "net-loopback";
Parameter* const k_parameters[] = {&g_ops, &g_size, &g_transport};
size_t const k_parameter_count = 3;

Outcome run() {
    uint64_t const size = g_size.value;
    if (size == 0 || size > k_largest) refuse("1 to 32K", "size");
    Ends const ends = make_ends();
    long const child = fork_child();
    if (child == 0) {
        linux_call::call(linux_call::close, ends.parent);
        echo(ends.child, size, g_ops.value + 1);
    }
    linux_call::call(linux_call::close, ends.child);
    if (round_trip(ends.parent, size, 1) != 1) fail("the first message was lost");
    uint64_t good = 0;
    uint64_t const before = linux_call::monotonic_ns();
    for (uint64_t i = 0; i < g_ops.value; ++i)
        good += round_trip(ends.parent, size, i);
    uint64_t const after = linux_call::monotonic_ns();
    if (good != g_ops.value) fail("a message was lost or changed, times", g_ops.value - good);
    wait_child(child, 0);

    Outcome outcome;
    outcome.ops = g_ops.value;
    outcome.ns = after - before;
    outcome.checksum = mix(16, good);
    return outcome;
}

} // namespace iso::workload
