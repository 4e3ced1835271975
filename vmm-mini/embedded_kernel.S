# The guest kernel as part of the program, so that vmm-mini is one file. The build system names the
# file; without one the kernel is empty and `probe` says so.
        .section .rodata
        .balign 4096
        .global iso_vmm_kernel_start
        .global iso_vmm_kernel_end
iso_vmm_kernel_start:
#ifdef ISO_KERNEL_FILE
        .incbin ISO_KERNEL_FILE
#endif
iso_vmm_kernel_end:
        .section .note.GNU-stack, "", @progbits
