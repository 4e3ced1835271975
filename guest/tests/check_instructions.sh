#!/bin/sh
# Checks a kernel image for what must not be in it: instructions that KVM's PVM backend cannot emulate
# in ring 0, instructions that are sensitive without trapping, segments that are writable and
# executable, and anything that would need relocating. Usage: check_instructions.sh KERNEL.elf
set -u
kernel=$1
fail=0
# name, then a pattern over objdump's mnemonic column (with operands)
check() {
    found=$(printf '%s\n' "$listing" | grep -E "$2" | head -3)
    if [ -n "$found" ]; then
        printf 'FAILED: %s in %s:\n%s\n' "$1" "$kernel" "$found"
        fail=1
    fi
}
listing=$(objdump -d --no-show-raw-insn "$kernel") || exit 2
count=$(printf '%s\n' "$listing" | grep -cE '^ *[0-9a-f]+:')
[ "$count" -gt 1000 ] || { echo "FAILED: $kernel holds only $count instructions"; exit 1; }

op='^ *[0-9a-f]+:[[:space:]]+((lock|rep|repz|repnz|cs|ds|data16|rex[.A-Z]*) )*'
check 'a hypercall'                  "$op"'(vmcall|vmmcall)'
check 'a software interrupt'         "$op"'(int|int1|int3|into|icebp)([[:space:]]|$)'
check 'clac or stac'                 "$op"'(clac|stac)'
check 'extended state'               "$op"'(xsave|xrstor|xgetbv|xsetbv|ldmxcsr|stmxcsr|fx(save|rstor)[[:space:]])' # the 64-bit forms are emulated
check 'rdtscp, rdpid or invpcid'     "$op"'(rdtscp|rdpid|invpcid|rdpmc)'
check 'cmpxchg16b'                   "$op"'cmpxchg16b'
check 'an instruction beyond x86-64' "$op"'(popcnt|tzcnt|lzcnt|andn|bextr|bls[irm]|blsmsk|pdep|pext|rorx|[sr][ah][lr]x|mulx|bzhi|adcx|adox|movbe|crc32)'
check 'pushf or popf'                "$op"'(pushf|popf)'
check 'a sensitive instruction'      "$op"'(sgdt|sidt|sldt|str|smsw|lar|lsl|verr|verw)([[:space:]]|$)'
check 'a read of a segment register' "$op"'(mov|push)[a-z]*[[:space:]]+%(cs|ds|es|ss)(,|$)'
check 'a vector or x87 register'     '%([xyz]mm|mm[0-7]|st)'
check 'a system call in the kernel'  "$op"'(syscall|sysenter|monitor|mwait|endbr64|swapgs)'

objdump -p "$kernel" | grep -qE 'flags rwx' && { echo "FAILED: $kernel has a segment that is writable and executable"; fail=1; }
objdump -R "$kernel" 2>/dev/null | grep -qE '^[0-9a-f]{16}' && { echo "FAILED: $kernel has dynamic relocations"; fail=1; }
[ "$fail" = 0 ] && echo "$kernel: $count instructions, none forbidden"
exit "$fail"
