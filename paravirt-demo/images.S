// The programs that this program starts, inside it: it needs no other file to run.
        .section .rodata
        .macro image name, file
        .globl  \name\()_begin, \name\()_end
        .balign 64
\name\()_begin:
        .incbin "\file"
\name\()_end:
        .endm
        image   iso_pv_user_stub, ISO_USER_STUB_FILE
        image   iso_pv_kernel_stub, ISO_KERNEL_STUB_FILE
        image   iso_pv_guest_kernel, ISO_GUEST_KERNEL_FILE
        .section .note.GNU-stack,"",@progbits
