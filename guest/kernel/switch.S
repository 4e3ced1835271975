// switch_stack(u64* keep rdi, u64 to rsi): puts the calling thread aside and goes on with another,
// which put itself aside here, too, or was made by Thread::start_at(). Nothing but the registers that
// a function has to preserve: the rest was saved by the compiler, the program's by its trap.
    .text
    .globl iso_switch_stack
iso_switch_stack:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret

    .section .note.GNU-stack, "", @progbits
