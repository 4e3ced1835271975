// Entry of a stub, and the one system call that cannot be made from C: a task on another stack.
        .section .text.start,"ax",@progbits
        .globl iso_stub_start
iso_stub_start:
        mov     %rsp, %rdi              // argc, argv as the host kernel left them
        and     $-16, %rsp
        call    iso_stub_main
        ud2

        .text
// long iso_clone_task(flags rdi, stack rsi, entry rdx): the new task starts at entry; the caller
// gets the host's answer.
        .globl iso_clone_task
iso_clone_task:
        mov     %rdx, %r9
        and     $-16, %rsi
        xor     %edx, %edx
        xor     %r10d, %r10d
        xor     %r8d, %r8d
        mov     $56, %eax               // clone
        syscall
        test    %rax, %rax
        jz      1f
        ret
1:      call    *%r9
        ud2
        .section .note.GNU-stack,"",@progbits
