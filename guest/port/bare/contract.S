// Names for places that guest_abi.h fixes; descriptors.cpp asserts the numbers.
    .globl iso_counter_of_syscalls
    .set iso_counter_of_syscalls, 0x600000003080
    .globl iso_counter_of_gate
    .set iso_counter_of_gate, 0x600000003028
    .section .note.GNU-stack, "", @progbits
