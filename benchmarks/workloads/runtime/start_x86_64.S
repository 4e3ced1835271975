/* The first instructions of a program. At entry the stack pointer points to argc, argv, envp and
 * the auxiliary vector (AMD64 psABI 3.4.1); rdx may hold a function for atexit, which a static
 * program has no use for. entry() receives that pointer and never returns. */
    .section .text.start, "ax", @progbits
    .globl _start
    .type _start, @function
_start:
    xor %ebp, %ebp          /* marks the outermost frame for debuggers (psABI 3.4.1) */
    mov %rsp, %rdi
    and $-16, %rsp          /* the call below pushes 8: entry() sees the alignment it expects */
    call iso_entry
    ud2
    .size _start, . - _start
    .section .note.GNU-stack, "", @progbits
