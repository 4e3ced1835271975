// The one quirk of KVM's PVM backend that the kernel has to know.
//
// There, `syscall` in ring 3 loads rcx, r11 and rip = LSTAR as it should but stays in ring 3, so that
// the fetch from the supervisor page at LSTAR faults: #PF with error 0x15 (present, user, fetch) and
// rip == LSTAR. That fault is the system call. It is told apart from all others by error and rip:
// no program can run at LSTAR, and one that jumps there on purpose has made a system call with the
// registers it chose, which it could have had by `syscall` as well; flags and address are therefore
// not trusted. On hardware `syscall` never faults so: LSTAR is entered in ring 0.
// iso_counters.syscall_gate says which way the program came.
#include "guest/port/bare/frame.h"

#define GATE_ERROR 0x15
#define TRUSTED_FLAGS 0x240dd5 /* CF PF AF ZF SF TF DF OF AC ID, and nothing that has privilege */

    .text
    .globl iso_page_fault
iso_page_fault:
    cmpl $GATE_ERROR, (%rsp)
    jne iso_real_page_fault
    cmpl $ISO_TEXT_BASE_LOW, 8(%rsp)
    jne iso_real_page_fault
    cmpl $ISO_TEXT_BASE_HIGH, 12(%rsp)
    jne iso_real_page_fault

    // Make the frame the one that a system call builds: rip, flags and selectors of the program.
    and $TRUSTED_FLAGS, %r11
    or $0x202, %r11
    mov %rcx, 8(%rsp)
    movq $ISO_USER_CS, 16(%rsp)
    mov %r11, 24(%rsp)
    movq $ISO_USER_DS, 40(%rsp)
    movb $1, iso_counter_of_gate(%rip)
    cld
    jmp iso_syscall_common

    .section .note.GNU-stack, "", @progbits
