/* Where the pv kernel's image lies. For C++, assembly and the linker script. */
#ifndef ISO_GUEST_PV_LAYOUT_H
#define ISO_GUEST_PV_LAYOUT_H

#define ISO_TEXT_BASE 0x600000200000 /* ISO_KERNEL_BASE + ISO_KERNEL_GPA */

#define ISO_KERNEL_STACK_BYTES 16384

#endif
