# The battery as part of the program, so that isolate is one file.
        .section .rodata
        .balign 4096
        .global iso_audit_battery_start
        .global iso_audit_battery_end
iso_audit_battery_start:
        .incbin ISO_BATTERY_FILE
iso_audit_battery_end:
        .section .note.GNU-stack, "", @progbits
