/* Addresses fixed in the bare kernel's image, so that descriptor tables are constants: nothing is
 * computed at boot. For C++, assembly and the linker script. */
#ifndef ISO_GUEST_BARE_LAYOUT_H
#define ISO_GUEST_BARE_LAYOUT_H

#define ISO_TEXT_BASE                                                                              \
    0x600000200000 /* ISO_KERNEL_BASE + ISO_KERNEL_GPA; also where `syscall` enters */
#define ISO_TEXT_BASE_LOW 0x00200000
#define ISO_TEXT_BASE_HIGH 0x6000
#define ISO_STUBS_OFFSET 0x100       /* exception stubs, 16 bytes each */
#define ISO_STUBS 33                 /* the exceptions, and the timer */
#define ISO_TIMER_STUB 32            /* guest_abi.h: ISO_TIMER_VECTOR */
#define ISO_DATA_BASE 0x600000300000 /* the TSS lies first in the data */

#define ISO_STAR_USER 0x33 /* SYSRET adds 16 for the code and 8 for the stack selector */

#define ISO_KERNEL_STACK_BYTES 16384

#endif
