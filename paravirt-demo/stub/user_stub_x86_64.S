// The code that a guest address space's process runs besides guest user code: the signal entry of
// the virtual CPU, and the mapper. No stack of its own, no data: everything is in registers, in the
// slot's pages, or in the frame that the host kernel pushed.
//
// Offsets into ucontext (asm/ucontext.h, asm/sigcontext.h) and into the slot's pages
// (boundary.hpp); user_stub.cpp asserts them.
#define UC_R8 0x28
#define UC_RDI 0x68
#define UC_RAX 0x90
#define UC_RSP 0xa0
#define UC_RIP 0xa8
#define UC_EFLAGS 0xb0
#define UC_FPSTATE 0xe0

#define EV_SEQ 0
#define EV_SIGNAL 4
#define EV_FRAME 8
#define EV_INFO 16
#define EV_FS 24
#define EV_MAP_ERROR 32
#define EV_MAPPER_READY 36
#define EV_ASLEEP 40
#define EV_TICK 44
#define EV_GS 48
#define EV_GO 64

#define CMD_TAIL 0
#define CMD_FS 8
#define CMD_SPIN 16
#define CMD_KERNEL_ASLEEP 28
#define CMD_GS 32
#define CMD_RING 1024
#define CMD_RING_MASK 31

#define COMMAND_VA 0x7e0010000000
#define EVENT_VA 0x7e0010001000
#define STUB_BASE 0x7e0000000000
#define STUB_BYTES 0x100000

#define NR_write 1
#define NR_futex 202
#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define SIGALRM 14
#define ACK_FD 5

        .text
// The one instruction at which the virtual CPU's filter lets a system call through (futex only).
        .globl iso_gate, iso_gate_return
iso_gate:
        syscall
iso_gate_return:
        ret

// Signal entry: edi signal, rsi siginfo, rdx ucontext, rsp at the frame on the signal stack.
        .globl iso_signal_entry
iso_signal_entry:
        pushq   $0                      // whatever user code left in NT, AC, DF: gone
        popfq
        movabs  $EVENT_VA, %rbx
        mov     UC_RIP(%rdx), %rax
        movabs  $STUB_BASE, %rcx
        sub     %rcx, %rax
        cmp     $STUB_BYTES, %rax
        jae     post                    // guest user code was interrupted: the ordinary case
        cmp     $SIGALRM, %edi
        jne     post                    // user code jumped into the stub and faulted: its own affair
        // A tick while the stub itself runs. If the stub is leaving, the tick takes the place of the
        // departure; else it is latched, and taken before the next departure. Never lost, never a
        // reason to return through a half-restored state.
        lea     iso_leave_begin(%rip), %rcx
        mov     UC_RIP(%rdx), %rax
        cmp     %rcx, %rax
        jb      latch
        lea     iso_leave_end(%rip), %rcx
        cmp     %rcx, %rax
        jae     latch
        mov     EV_FRAME(%rbx), %rdx
        mov     EV_INFO(%rbx), %rsi
        lea     -8(%rdx), %rsp
        jmp     depart_first

latch:
        movl    $1, EV_TICK(%rbx)
        mov     %rdx, %r13
        jmp     leave_nested

tick_instead:
        mov     $SIGALRM, %edi
        mov     EV_INFO(%rbx), %rsi
        mov     %r13, %rdx

// The departure that did not happen may have been another thread's than the one that came: the event
// has to show the bases that were to be loaded.
depart_first:
        movabs  $COMMAND_VA, %r14
        mov     CMD_FS(%r14), %rax
        wrfsbase %rax
        mov     CMD_GS(%r14), %rax
        wrgsbase %rax

// Tell the guest kernel, then sleep until it answers.
post:
        mov     %rdx, %r13
        mov     %edi, EV_SIGNAL(%rbx)
        mov     %rdx, EV_FRAME(%rbx)
        mov     %rsi, EV_INFO(%rbx)
        rdfsbase %rax
        mov     %rax, EV_FS(%rbx)
        rdgsbase %rax
        mov     %rax, EV_GS(%rbx)
        movl    $0, EV_TICK(%rbx)
        mov     EV_SEQ(%rbx), %r12d
        inc     %r12d
        mov     %r12d, %eax
        xchg    %eax, EV_SEQ(%rbx)      // a barrier: the event is seen, or it is seen who sleeps
        movabs  $COMMAND_VA, %r14
        cmpl    $0, CMD_KERNEL_ASLEEP(%r14)
        je      posted
        lea     EV_SEQ(%rbx), %rdi
        mov     $FUTEX_WAKE, %esi
        mov     $1, %edx
        mov     $NR_futex, %eax
        call    iso_gate
posted:
        mov     CMD_SPIN(%r14), %r15d
await:
        mov     EV_GO(%rbx), %edx
        cmp     %r12d, %edx
        je      iso_leave_begin
        test    %r15d, %r15d
        jz      sleep
        dec     %r15d
        pause
        jmp     await
// Whoever answers first stores the answer, then looks whether anybody sleeps: one of the two sees the
// other, and a wake-up of somebody awake is saved.
sleep:
        mov     $1, %eax
        xchg    %eax, EV_ASLEEP(%rbx)
        mov     EV_GO(%rbx), %edx
        cmp     %r12d, %edx
        je      awake
        lea     EV_GO(%rbx), %rdi
        mov     $FUTEX_WAIT, %esi
        xor     %r10d, %r10d
        mov     $NR_futex, %eax
        call    iso_gate
awake:
        movl    $0, EV_ASLEEP(%rbx)
        jmp     await

        .macro restore_and_return
        mov     UC_FPSTATE(%r13), %rsi
        mov     $-1, %eax
        mov     $-1, %edx
        xrstor64 (%rsi)
        mov     %r13, %rdx
        lea     -8(%rdx), %rsp
        pushq   $0x2b                   // same-ring iretq: the host's user stack segment
        pushq   UC_RSP(%rdx)
        pushq   UC_EFLAGS(%rdx)
        pushq   $0x33                   // and its user code segment
        pushq   UC_RIP(%rdx)
        mov     0x28(%rdx), %r8
        mov     0x30(%rdx), %r9
        mov     0x38(%rdx), %r10
        mov     0x40(%rdx), %r11
        mov     0x48(%rdx), %r12
        mov     0x50(%rdx), %r13
        mov     0x58(%rdx), %r14
        mov     0x60(%rdx), %r15
        mov     0x68(%rdx), %rdi
        mov     0x70(%rdx), %rsi
        mov     0x78(%rdx), %rbp
        mov     0x80(%rdx), %rbx
        mov     0x90(%rdx), %rax
        mov     0x98(%rdx), %rcx
        mov     0x88(%rdx), %rdx
        iretq
        .endm

// Leave to guest user code with the registers that the guest kernel put into the frame. Not by
// rt_sigreturn: it is in no filter, so the guest can never change its signal mask and dodge ticks.
        .globl iso_leave_begin, iso_leave_end
iso_leave_begin:
        movabs  $COMMAND_VA, %r14
        cmpl    $0, EV_TICK(%rbx)
        jne     tick_instead
        mov     CMD_FS(%r14), %rax
        wrfsbase %rax
        mov     CMD_GS(%r14), %rax
        wrgsbase %rax
        restore_and_return
iso_leave_end:

// Return into the stub itself after a latched tick.
leave_nested:
        restore_and_return

// The mapper: takes commands in order from the ring, which is read-only here, and makes them.
// r12 commands taken, r13 command page, rbx event page. Entered with all signals blocked.
        .globl iso_mapper_begin, iso_mapper_end, iso_mapper_entry
iso_mapper_begin:
iso_mapper_entry:
        movabs  $COMMAND_VA, %r13
        movabs  $EVENT_VA, %rbx
        xor     %r12d, %r12d
        movl    $1, EV_MAPPER_READY(%rbx)
        lea     EV_MAPPER_READY(%rbx), %rdi
        mov     $FUTEX_WAKE, %esi
        mov     $1, %edx
        mov     $NR_futex, %eax
        syscall
mapper_next:
        mov     CMD_TAIL(%r13), %edx
        cmp     %r12d, %edx
        jne     mapper_take
        lea     CMD_TAIL(%r13), %rdi
        mov     $FUTEX_WAIT, %esi
        xor     %r10d, %r10d
        mov     $NR_futex, %eax
        syscall
        jmp     mapper_next
mapper_take:
        mov     %r12d, %eax
        inc     %r12d
        and     $CMD_RING_MASK, %eax
        shl     $6, %eax
        lea     CMD_RING(%r13,%rax), %r14
        mov     (%r14), %eax
        cmp     $1, %eax
        je      mapper_resume
        cmp     $2, %eax
        je      mapper_ack
        mov     8(%r14), %rax
        mov     16(%r14), %rdi
        mov     24(%r14), %rsi
        mov     32(%r14), %rdx
        mov     40(%r14), %r10
        mov     48(%r14), %r8
        mov     56(%r14), %r9
        syscall
        cmp     $-4095, %rax
        jb      mapper_next
        neg     %eax
        mov     %eax, EV_MAP_ERROR(%rbx)
        jmp     mapper_next
mapper_resume:
        mov     16(%r14), %eax
        xchg    %eax, EV_GO(%rbx)
        cmpl    $0, EV_ASLEEP(%rbx)
        je      mapper_next
        lea     EV_GO(%rbx), %rdi
        mov     $FUTEX_WAKE, %esi
        mov     $1, %edx
        mov     $NR_futex, %eax
        syscall
        jmp     mapper_next
mapper_ack:
        mov     $ACK_FD, %edi
        lea     one(%rip), %rsi
        mov     $8, %edx
        mov     $NR_write, %eax
        syscall
        jmp     mapper_next
iso_mapper_end:

// The last steps of the start: the stack goes away, the filter comes, then signals, and the first
// event says that this address space is ready. rdi the filter program, rsi the signal mask.
        .globl iso_user_finish
iso_user_finish:
        mov     %rdi, %r12
        mov     %rsi, %r13
        movabs  $0x7e0030000000, %rdi   // k_unmap_from
        movabs  $0x7fffffffe000, %rsi   // k_unmap_to - 1 page
        sub     %rdi, %rsi
        mov     $11, %eax               // munmap
        syscall
        mov     $317, %eax              // seccomp(SECCOMP_SET_MODE_FILTER, 0, program)
        mov     $1, %edi
        xor     %esi, %esi
        mov     %r12, %rdx
        syscall
        test    %rax, %rax
        jnz     failed
        movabs  $(EVENT_VA + 0x8000), %rsp // in the signal stack: for the gate's return
        mov     $14, %eax               // rt_sigprocmask(SIG_SETMASK, mask, 0, 8): see the filter
        mov     $2, %edi
        mov     %r13, %rsi
        xor     %edx, %edx
        mov     $8, %r10d
        call    iso_gate
        test    %rax, %rax
        jnz     failed
        xor     %esp, %esp              // events use the signal stack from its top
        mov     $39, %eax               // any system call: the filter turns it into the first event
        syscall
failed:
        ud2

        .globl iso_restorer
iso_restorer:                           // the host kernel asks for one; nothing ever returns to it
        ud2

        .section .rodata
        .align 8
one:    .quad 1
        .section .note.GNU-stack,"",@progbits
