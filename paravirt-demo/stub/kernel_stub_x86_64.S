// The assembly of the guest kernel's process (K): the hypercall page, the entry to the guest
// kernel's handlers, and the one gate to the host kernel.
#define NR_futex 202

        .text
// long iso_gate_call(number rdi, a rsi, b rdx, c rcx, d r8): the only system calls K can make.
        .globl iso_gate_call, iso_gate_return
iso_gate_call:
        mov     %rdi, %rax
        mov     %rsi, %rdi
        mov     %rdx, %rsi
        mov     %rcx, %rdx
        mov     %r8, %r10
        syscall
iso_gate_return:
        ret

// The hypercall page: 32 bytes for each number. Registers as Xen's: rdi rsi rdx r10 r8; the C
// convention behind it wants the fourth in rcx, and the number follows as the sixth.
        .section .text.hypercall_page,"ax",@progbits
        .globl iso_hypercall_page
iso_hypercall_page:
        .set    number, 0
        .rept   64
        .balign 32
        mov     $number, %r9d
        mov     %r10, %rcx
        jmp     iso_hypercall
        .set    number, number + 1
        .endr
        .balign 4096

        .text
// [[noreturn]] iso_enter_handler(frame rdi, handler rsi, vector rdx): the guest kernel's handler runs
// on its own stack, right below the frame, as after a hardware trap; frame in rdi, vector in rsi.
        .globl iso_enter_handler
iso_enter_handler:
        mov     %rdi, %rsp
        and     $-16, %rsp
        xor     %ebp, %ebp
        mov     %rsi, %rax
        mov     %edx, %esi
        pushq   $0                      // where a return address would be: handlers do not return
        jmp     *%rax

// [[noreturn]] iso_kernel_finish(filter rdi, entry rsi, boot information rdx)
        .globl iso_kernel_finish
iso_kernel_finish:
        mov     %rdi, %r12
        mov     %rsi, %r13
        mov     %rdx, %r14
        movabs  $0x7e0030000000, %rdi
        movabs  $0x7fffffffe000, %rsi
        sub     %rdi, %rsi
        mov     $11, %eax               // munmap: the start-up stack, the vDSO
        syscall
        mov     $317, %eax              // seccomp
        mov     $1, %edi
        xor     %esi, %esi
        mov     %r12, %rdx
        syscall
        test    %rax, %rax
        jnz     1f
        mov     %r14, %rdi
        xor     %esp, %esp              // the guest kernel brings its own stack
        jmp     *%r13
1:      ud2

// A signal in K: the guest kernel faulted or made a host system call. edi, rsi, rdx as always.
        .globl iso_signal_entry
iso_signal_entry:
        pushq   $0
        popfq
        and     $-16, %rsp
        call    iso_kernel_crashed
        ud2

        .globl iso_restorer
iso_restorer:
        ud2
        .section .note.GNU-stack,"",@progbits
