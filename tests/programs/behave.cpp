#include "tests/programs/behave.hpp"

namespace iso::behave {

namespace {

using namespace linux_call;

uint64_t number(char const* text) {
    uint64_t value = 0;
    for (; *text >= '0' && *text <= '9'; ++text)
        value = value * 10 + static_cast<uint64_t>(*text - '0');
    return value;
}

/// `bytes` bytes of a pattern that shows any loss, doubling or disorder.
int flood(uint64_t bytes) {
    static char chunk[65536];
    for (uint64_t done = 0; done < bytes;) {
        uint64_t const size = bytes - done < sizeof chunk ? bytes - done : sizeof chunk;
        for (uint64_t i = 0; i < size; ++i)
            chunk[i] = static_cast<char>(((done + i) * 0x9e3779b97f4a7c15U) >> 56U);
        if (long const failure = write_all(1, chunk, size); failure != 0) {
            Text line;
            complain(
                line.add("flood: errno ").add_decimal(static_cast<uint64_t>(-failure)).add("\n"));
            return 4;
        }
        done += size;
    }
    return k_done;
}

/// Many writes of few bytes to both outputs in turn: what an engine gathers, it must keep in order.
int chatter(uint64_t lines) {
    for (uint64_t i = 0; i < lines; ++i) {
        Text line;
        line.add("line ").add_decimal(i);
        (void)write_all(i % 2 == 0 ? 1 : 2, line.data(), line.size());
        (void)write_all(i % 2 == 0 ? 1 : 2, "\n", 1);
    }
    return k_done;
}

int echo() {
    static char buffer[4096];
    for (;;) {
        long const n = call(read, 0, address(buffer), sizeof buffer);
        if (n == 0) return k_done;
        if (n == -k_eintr) continue;
        if (failed(n)) {
            say_result("read", n);
            return 4;
        }
        if (write_all(1, buffer, static_cast<size_t>(n)) != 0) return 4;
    }
}

/// Takes and touches memory until there is no more, or `limit` bytes are held.
int allocate(uint64_t limit) {
    constexpr uint64_t k_step = uint64_t{1} << 20U;
    for (uint64_t held = 0; held < limit; held += k_step) {
        auto* const memory = static_cast<char volatile*>(map_pages(k_step));
        if (memory == nullptr) {
            Text line;
            say(line.add("alloc: refused\n"));
            return 12; // ENOMEM
        }
        for (uint64_t i = 0; i < k_step; i += 4096)
            memory[i] = 1;
    }
    Text line;
    say(line.add("alloc: the limit was reached\n"));
    return k_done;
}

int fork_once() {
    long const child = call(fork);
    if (child == 0) exit_with(7);
    if (failed(child)) {
        say_result("fork", child);
        return static_cast<int>(-child);
    }
    int status = 0;
    long waited = -k_eintr;
    while (waited == -k_eintr)
        waited = call(wait4, child, address(&status));
    Text line;
    say(line.add(waited == child && status == 7 << 8 ? "fork: the child ended with 7\n"
                                                     : "fork: the child was lost\n"));
    return k_done;
}

/// Forks children that never end, then ends: whoever started this must end them.
int leave_orphans() {
    for (int i = 0; i < 3; ++i) {
        long const child = call(fork);
        if (failed(child)) {
            say_result("fork", child);
            return static_cast<int>(-child);
        }
        if (child == 0) {
            long const hour[2] = {3600, 0};
            for (;;)
                call(nanosleep, address(hour));
        }
    }
    return 5;
}

int sleep_for(uint64_t seconds) {
    long const time[2] = {static_cast<long>(seconds), 0};
    long const slept = call(nanosleep, address(time));
    say_result("nanosleep", slept);
    return failed(slept) ? 4 : k_done;
}

/// argc, then every argument and variable in the order of arrival, each with its length.
int show_arguments(char const* const* stack) {
    auto const count = static_cast<size_t>(reinterpret_cast<uintptr_t>(stack[0]));
    Text head;
    say(head.add("argc ").add_decimal(count).add("\n"));
    char const* const* word = stack + 1;
    char const* const kinds[] = {"argument", "variable"};
    for (char const* kind : kinds) {
        for (; *word != nullptr; ++word) {
            Text prefix;
            say(prefix.add(kind).add(" ").add_decimal(text_length(*word)).add(" "));
            (void)write_all(1, *word, text_length(*word)); // may be longer than a Text holds
            (void)write_all(1, "\n", 1);
        }
        ++word;
    }
    return k_done;
}

/// Copies a file to stdout.
int show_file(char const* path) {
    static char buffer[4096];
    long const fd = call(openat, -100 /* AT_FDCWD */, address(path), 0 /* O_RDONLY */);
    if (failed(fd)) {
        say_result("openat", fd);
        return 4;
    }
    for (;;) {
        long const n = call(read, fd, address(buffer), sizeof buffer);
        if (n == 0) return k_done;
        if (failed(n)) {
            say_result("read", n);
            return 4;
        }
        if (write_all(1, buffer, static_cast<size_t>(n)) != 0) return 4;
    }
}

/// Says whether a file can be opened for writing.
int open_to_write(char const* path) {
    say_result("openat", call(openat, -100 /* AT_FDCWD */, address(path), 1 /* O_WRONLY */) >= 0
                             ? 0
                             : call(openat, -100, address(path), 1));
    return k_done;
}

/// The descriptors below 256 that are open: reading or writing nothing fails only where there is
/// none.
int show_descriptors() {
    char const byte = 0;
    for (long fd = 0; fd < 256; ++fd) {
        long const closed = -9; // EBADF
        if (call(read, fd, address(&byte), 0) == closed &&
            call(write, fd, address(&byte), 0) == closed)
            continue;
        Text line;
        say(line.add("open ").add_decimal(static_cast<uint64_t>(fd)).add("\n"));
    }
    return k_done;
}

/// Output without a newline at its end, as a program leaves it that dies or hangs.
void say_before() {
    Text line;
    say(line.add("before\n"));
    Text rest;
    say(rest.add("no newline"));
}

struct Mode {
    char const* name;
    int (*run)(char const* value, char const* const* stack);
};

constexpr Mode k_modes[] = {
    {"exit", [](char const* value, auto) { return static_cast<int>(number(value)); }},
    {"crash", [](char const* value, auto) { return crash(value); }},
    {"loop",
     [](char const*, auto) -> int {
         for (;;)
             asm volatile("pause");
     }},
    {"hang-after-output",
     [](char const*, auto) -> int {
         say_before();
         for (;;)
             asm volatile("pause");
     }},
    {"crash-after-output",
     [](char const*, auto) {
         say_before();
         return crash("null");
     }},
    {"flood", [](char const* value, auto) { return flood(number(value)); }},
    {"chatter", [](char const* value, auto) { return chatter(number(value)); }},
    {"fork", [](char const*, auto) { return fork_once(); }},
    {"orphans", [](char const*, auto) { return leave_orphans(); }},
    {"alloc", [](char const* value, auto) { return allocate(number(value)); }},
    {"sleep", [](char const* value, auto) { return sleep_for(number(value)); }},
    {"args", [](char const*, auto stack) { return show_arguments(stack); }},
    {"stdin", [](char const*, auto) { return echo(); }},
    {"cat", [](char const* value, auto) { return show_file(value); }},
    {"write", [](char const* value, auto) { return open_to_write(value); }},
    {"fds", [](char const*, auto) { return show_descriptors(); }},
    {"nosys", [](char const*, auto) { return unserved_calls(); }},
    {"badptr", [](char const*, auto) { return bad_pointers(); }},
};

/// Runs the mode that the first argument names: "MODE" or "MODE=VALUE".
int behave(char const* const* stack) {
    auto const count = static_cast<size_t>(reinterpret_cast<uintptr_t>(stack[0]));
    char const* const argument = count > 1 ? stack[2] : "";
    for (Mode const& mode : k_modes) {
        size_t const length = text_length(mode.name);
        size_t matched = 0;
        while (matched < length && argument[matched] == mode.name[matched])
            ++matched;
        if (matched != length || (argument[length] != '\0' && argument[length] != '=')) continue;
        return mode.run(argument[length] == '=' ? argument + length + 1 : argument + length, stack);
    }
    Text line;
    complain(line.add("behave: unknown mode '").add(argument).add("'\n"));
    return k_usage;
}

} // namespace

bool equal(char const* a, char const* b) {
    while (*a != '\0' && *a == *b) {
        ++a;
        ++b;
    }
    return *a == *b;
}

} // namespace iso::behave

extern "C" [[noreturn]] void iso_entry(char const* const* stack) {
    iso::linux_call::exit_with(iso::behave::behave(stack));
}
