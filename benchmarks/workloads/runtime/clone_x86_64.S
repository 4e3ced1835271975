/* iso_clone(rdi flags, rsi stack top, rdx entry, rcx argument, r8 tid): see process.hpp.
 * clone takes: rdi flags, rsi stack, rdx parent's tid, r10 child's tid, r8 TLS (clone(2), NOTES). */
    .section .text.clone, "ax", @progbits
    .globl iso_clone
    .type iso_clone, @function
iso_clone:
    and $-16, %rsi
    sub $16, %rsi
    mov %rdx, 8(%rsi)       /* on the new stack: argument, then entry */
    mov %rcx, 0(%rsi)
    mov %r8, %rdx
    mov %r8, %r10
    xor %r8d, %r8d
    mov $56, %eax           /* clone */
    syscall
    test %rax, %rax
    jnz 1f
    xor %ebp, %ebp          /* the outermost frame (psABI 3.4.1) */
    pop %rdi
    pop %rax
    call *%rax
    mov %eax, %edi
    mov $60, %eax           /* exit: this task alone */
    syscall
    ud2
1:  ret
    .size iso_clone, . - iso_clone
    .section .note.GNU-stack, "", @progbits
