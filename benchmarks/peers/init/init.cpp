// The first process of a Linux that was booted to run one program: mounts what a program expects,
// runs the words in /isolab/command, says on the console how that ended, and powers the machine
// off.
//
// Everything between the two marks is what the program wrote: the harness throws the rest away, as
// a kernel's console carries its own messages too (benchmarks/harness/console.hpp has the same
// marks).
#include "benchmarks/workloads/runtime/linux.hpp"
#include "benchmarks/workloads/runtime/text.hpp"

namespace {

using namespace iso::linux_call;

// What no workload calls; numbers as in linux.hpp.
constexpr long k_ioctl = 16;
constexpr long k_mount = 165;
constexpr long k_reboot = 169;
constexpr long k_mkdir = 83;

constexpr int k_console = 1;
constexpr size_t k_command_bytes = 8192;
constexpr size_t k_words = 256;

char g_command[k_command_bytes];
char const* g_words[k_words + 1];

void say(iso::Text const& text) {
    write_all(k_console, text.data(), text.size());
}

/// A machine without a power switch would halt for ever instead: its monitor ends at a reset.
bool g_restart = false;

/// reboot(2). The machine's process ends with this, and with it everything in the machine.
[[noreturn]] void power_off() {
    constexpr long restart = 0x01234567; // LINUX_REBOOT_CMD_RESTART
    constexpr long off = 0x4321fedc;     // LINUX_REBOOT_CMD_POWER_OFF
    for (;;)
        call(k_reboot, static_cast<long>(0xfee1dead), 0x28121969, g_restart ? restart : off);
}

[[noreturn]] void give_up(char const* what, long result) {
    iso::Text text;
    text.add("isolab init: ").add(what).add(": errno ");
    text.add_decimal(static_cast<uint64_t>(-result)).add("\n");
    say(text);
    power_off();
}

/// A mount that fails is no reason to stop: the program that needs it says what it lacks.
void mount(char const* type, char const* where) {
    call(k_mkdir, address(where), 0755);
    call(k_mount, address(type), address(where), address(type), 0, 0);
}

/// The terminal passes bytes on as they are: no carriage return before a newline (termios(3),
/// OPOST).
void make_raw() {
    unsigned termios[64] = {};
    constexpr long tcgets = 0x5401;
    constexpr long tcsets = 0x5402;
    if (failed(call(k_ioctl, k_console, tcgets, address(termios)))) return;
    termios[1] &= ~1U; // c_oflag, OPOST
    call(k_ioctl, k_console, tcsets, address(termios));
}

/// ifconfig lo up (netdevice(7)).
void loopback_up() {
    struct {
        char name[16] = "lo";
        short flags = 0x1 | 0x40; // IFF_UP | IFF_RUNNING
        char rest[22] = {};
    } request;
    long const fd = call(socket, 2 /* AF_INET */, 2 /* SOCK_DGRAM */);
    if (failed(fd)) return;
    call(k_ioctl, fd, 0x8914 /* SIOCSIFFLAGS */, address(&request));
    call(close, fd);
}

/// Words that each end with a zero byte.
void read_command() {
    long const fd = call(openat, -100 /* AT_FDCWD */, address("/isolab/command"), 0);
    if (failed(fd)) give_up("open(/isolab/command)", fd);
    size_t size = 0;
    while (size < k_command_bytes) {
        long const n =
            call(read, fd, address(g_command + size), static_cast<long>(k_command_bytes - size));
        if (failed(n)) give_up("read(/isolab/command)", n);
        if (n == 0) break;
        size += static_cast<size_t>(n);
    }
    call(close, fd);
    constexpr long too_big = -7; // E2BIG
    if (size == 0 || size == k_command_bytes) give_up("/isolab/command", too_big);
    size_t words = 0;
    for (size_t at = 0; at < size; at += iso::text_length(g_command + at) + 1) {
        if (words == k_words) give_up("/isolab/command", too_big);
        g_words[words++] = g_command + at;
    }
}

[[noreturn]] void run_program() {
    char const* const no_environment[] = {nullptr};
    call(109 /* setpgid */, 0, 0);
    long const result =
        call(execve, address(g_words[0]), address(g_words), address(no_environment));
    constexpr long enoent = -2;
    exit_with(result == enoent ? 127 : 126);
}

/// The status a shell would show.
unsigned wait_for(long child) {
    for (;;) { // orphans are reaped on the way
        int how = 0;
        long const ended = call(wait4, -1, address(&how), 0, 0);
        if (ended == -k_eintr) continue;
        if (failed(ended)) give_up("wait4", ended);
        if (ended != child) continue;
        auto const status = static_cast<unsigned>(how);
        return (status & 0x7fU) == 0 ? status >> 8U & 0xffU : 128 + (status & 0x7fU);
    }
}

} // namespace

/// The words behind `--` on the kernel's command line are its first process's arguments
/// (Documentation/admin-guide/kernel-parameters.rst).
extern "C" [[noreturn]] void iso_entry(long const* stack) {
    long const argc = stack[0];
    auto const* const argv = reinterpret_cast<char const* const*>(stack + 1);
    g_restart = argc > 1 && argv[1][0] == 'r'; // "restart"
    mount("proc", "/proc");
    mount("sysfs", "/sys");
    mount("devtmpfs", "/dev");
    mount("tmpfs", "/tmp");
    make_raw();
    loopback_up();
    read_command();
    say(iso::Text().add("\x1eisolab begin\n"));
    long const child = call(fork);
    if (failed(child)) give_up("fork", child);
    if (child == 0) run_program();
    unsigned const status = wait_for(child);
    say(iso::Text().add("\x1eisolab end ").add_decimal(status).add("\n"));
    power_off();
}
