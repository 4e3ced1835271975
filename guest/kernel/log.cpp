#include "guest/kernel/log.hpp"

#include "guest/port/port.hpp"

namespace iso::guest {

Line& Line::operator<<(Text text) {
    for (u64 i = 0; i < text.size && size_ < sizeof buffer_; ++i)
        buffer_[size_++] = text.data[i];
    return *this;
}

Line& Line::hex(u64 value) {
    int shift = 60;
    while (shift > 0 && (value >> shift) == 0)
        shift -= 4;
    *this << "0x";
    for (; shift >= 0; shift -= 4)
        *this << Text("0123456789abcdef" + (value >> shift & 15), 1);
    return *this;
}

Line& Line::decimal(u64 value) {
    char digits[20];
    u64 at = sizeof digits;
    do
        digits[--at] = static_cast<char>('0' + value % 10);
    while ((value /= 10) != 0);
    return *this << Text(digits + at, sizeof digits - at);
}

void panic(Text why, TrapFrame const* frame) {
    static Line line; // a panic happens once, perhaps on a stack that is full
    line << "guest kernel: " << why;
    if (frame != nullptr) {
        TrapRegisters const& r = frame->trap;
        struct {
            char const* name;
            u64 value;
        } const registers[] = {{" rip=", r.rip},
                               {" rsp=", r.rsp},
                               {" flags=", r.rflags},
                               {" error=", r.error},
                               {" cr2=", port::fault_address()},
                               {" rax=", r.rax},
                               {" rbx=", frame->rbx},
                               {" rcx=", r.rcx},
                               {" rdx=", r.rdx},
                               {" rsi=", r.rsi},
                               {" rdi=", r.rdi},
                               {" rbp=", frame->rbp},
                               {" r8=", r.r8},
                               {" r9=", r.r9},
                               {" r10=", r.r10},
                               {" r11=", r.r11},
                               {" r12=", frame->r12},
                               {" r13=", frame->r13},
                               {" r14=", frame->r14},
                               {" r15=", frame->r15},
                               {" cs=", r.cs}};
        for (auto const& each : registers)
            (line << each.name).hex(each.value);
    }
    iso_doorbell& page = port::request();
    page.range_count = 1;
    page.ranges[0] = {gpa_of(line.data()), line.size()};
    port::ring(ISO_OP_PANIC);
    port::halt();
}

} // namespace iso::guest
