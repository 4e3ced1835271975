// How traps enter and leave the kernel. Paths are counted in instructions: where ring 0 is emulated
// each one costs 0.35 to 0.7 microseconds.
#include "guest/port/bare/frame.h"

    .section .text.fixed, "ax", @progbits

// `syscall` enters here on hardware: rcx = return address, r11 = flags, interrupts masked by SFMASK,
// still on the program's stack. One entry per processor: its data are found relative to RIP, so no
// swapgs is needed and GS stays the program's.
    .globl iso_syscall_entry
iso_syscall_entry:
    mov %rsp, iso_cpu + CPU_USER_RSP(%rip)
    mov iso_cpu + CPU_KERNEL_RSP(%rip), %rsp
    push $ISO_USER_DS
    push iso_cpu + CPU_USER_RSP(%rip)
    push %r11
    push $ISO_USER_CS
    push %rcx
    push $0

// The stack holds error, rip, cs, rflags, rsp, ss; the arguments are still in their registers.
    .globl iso_syscall_common
iso_syscall_common:
    push %rax
    sub $16, %rsp // rcx and r11: the call may change them
    push %rdi
    push %rsi
    push %rdx
    push %r10
    push %r8
    push %r9
    cmp $ISO_COUNTED_SYSCALLS, %rax
    jae 2f
1:  lea iso_counter_of_syscalls(%rip), %rcx
    incl (%rcx,%rax,4)
    mov iso_syscalls(%rip), %r11
    mov %r10, %rcx
    call *(%r11,%rax,8)
    cmpb $0, iso_work_pending(%rip)
    jne 3f
    pop %r9
    pop %r8
    pop %r10
    pop %rdx
    pop %rsi
    pop %rdi
    // SYSRET to a non-canonical address faults in ring 0 on Intel: go the slow way, which checks.
    mov TAIL_RIP(%rsp), %rcx
    mov %rcx, %r11
    shr $47, %r11
    jne 4f
    mov TAIL_RFLAGS(%rsp), %r11
    mov TAIL_RSP(%rsp), %rsp
    sysretq

2:  mov $(ISO_COUNTED_SYSCALLS - 1), %eax // numbers beyond the table share the last entry
    jmp 1b

4:  sub $48, %rsp // non-canonical: the six registers are still on the stack
    movb $1, iso_work_pending(%rip)
3:  mov %rax, REGISTERS_RAX(%rsp)
    mov REGISTERS_RIP(%rsp), %rcx
    mov %rcx, REGISTERS_RCX(%rsp)
    mov REGISTERS_RFLAGS(%rsp), %rcx
    mov %rcx, REGISTERS_R11(%rsp)

// Completes the frame and lets the kernel work on it.
iso_work:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, %rdi
    call iso_user_work
    mov %rsp, %rdi

// rdi: a TrapFrame to run.
    .globl iso_return_to_user
iso_return_to_user:
    mov %rdi, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
iso_return_short:
    pop %r9
    pop %r8
    pop %r10
    pop %rdx
    pop %rsi
    pop %rdi
    pop %r11
    pop %rcx
    pop %rax
    add $8, %rsp
    iretq

// Exception stubs, 16 bytes each, at a fixed place (layout.h). Vectors 8, 10-14, 17, 21, 29 and 30
// push an error code (AMD64 APM volume 2, table 8-2).
    .org ISO_STUBS_OFFSET
    .globl iso_stubs
iso_stubs:
    .set vector, 0
    .rept ISO_STUBS
    .balign 16
    .if vector == 14
    jmp iso_page_fault
    .elseif vector == ISO_TIMER_STUB
    push $0
    push %rax
    jmp iso_timer_interrupt
    .else
    .if !(vector == 8 || (vector >= 10 && vector <= 13) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
    push $0
    .endif
    push %rax
    mov $vector, %eax
    jmp iso_exception
    .endif
    .set vector, vector + 1
    .endr

    .text
.macro SAVE_SHORT
    push %rcx
    push %r11
    push %rdi
    push %rsi
    push %rdx
    push %r10
    push %r8
    push %r9
    cld
    mov %rsp, %rdi
.endm

// The port's #PF: first a look whether it is a system call (pvm_syscall_gate.S), else a real fault.
    .globl iso_real_page_fault
iso_real_page_fault:
    push %rax
    mov $14, %eax
    SAVE_SHORT
    testb $3, REGISTERS_CS(%rsp)
    jz iso_kernel_fault
    mov %cr2, %rsi
    call iso_user_page_fault
    cmpb $0, iso_work_pending(%rip)
    jne iso_work
    jmp iso_return_short

// Only a program is ever interrupted: the kernel runs with interrupts off.
iso_timer_interrupt:
    SAVE_SHORT
    call iso_timer_tick
    cmpb $0, iso_work_pending(%rip)
    jne iso_work
    jmp iso_return_short

iso_exception:
    SAVE_SHORT
    testb $3, REGISTERS_CS(%rsp)
    jz iso_kernel_fault
    mov %eax, %esi
    call iso_user_exception
    cmpb $0, iso_work_pending(%rip)
    jne iso_work
    jmp iso_return_short

iso_kernel_fault:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, %rdi
    mov %eax, %esi
    call iso_kernel_exception
    ud2

// The ELF entry point; rdi: the boot information.
    .globl iso_start
iso_start:
    lea iso_boot_stack + ISO_KERNEL_STACK_BYTES(%rip), %rsp
    xor %ebp, %ebp
    call iso_kernel_main
    ud2

    .section .note.GNU-stack, "", @progbits
