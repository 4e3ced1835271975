// The pv kernel's ELF entry point; rdi: the boot information. The hypervisor gives no stack.
#include "guest/port/pv/layout.h"

    .text
    .globl iso_start
iso_start:
    lea iso_boot_stack + ISO_KERNEL_STACK_BYTES(%rip), %rsp
    xor %ebp, %ebp
    call iso_kernel_main
    ud2

    .section .bss
    .balign 4096
    .globl iso_boot_stack
iso_boot_stack:
    .skip ISO_KERNEL_STACK_BYTES

    .section .note.GNU-stack, "", @progbits
