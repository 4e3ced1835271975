#pragma once

// What a test program without a C library needs. The programs run natively too: what Linux answers
// is what is expected of the guest kernel.
#include <asm/unistd_64.h>

using u64 = unsigned long;

inline long sys(long number, u64 a = 0, u64 b = 0, u64 c = 0, u64 d = 0, u64 e = 0, u64 f = 0) {
    long result;
    register u64 r10 asm("r10") = d;
    register u64 r8 asm("r8") = e;
    register u64 r9 asm("r9") = f;
    asm volatile("syscall"
                 : "=a"(result)
                 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
}

inline u64 at(void const* pointer) {
    return reinterpret_cast<u64>(pointer);
}

inline bool same(char const* a, char const* b) {
    while (*a != 0 && *a == *b)
        ++a, ++b;
    return *a == *b;
}

inline void say(char const* text) {
    u64 length = 0;
    while (text[length] != 0)
        ++length;
    sys(__NR_write, 1, at(text), length);
}

inline void say(long number) {
    char digits[24];
    char* p = digits + sizeof digits - 1;
    *p = 0;
    unsigned long value =
        number < 0 ? -static_cast<unsigned long>(number) : static_cast<unsigned long>(number);
    do
        *--p = static_cast<char>('0' + value % 10);
    while ((value /= 10) != 0);
    if (number < 0) *--p = '-';
    say(p);
}

/// One line: a name and a number.
inline void line(char const* name, long value) {
    say(name);
    say(" ");
    say(value);
    say("\n");
}

int main(int argc, char** argv);

extern "C" [[noreturn]] void run_main(u64* stack) {
    sys(__NR_exit_group,
        static_cast<u64>(main(static_cast<int>(stack[0]), reinterpret_cast<char**>(stack + 1))));
    __builtin_unreachable();
}

asm(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call run_main\n");
