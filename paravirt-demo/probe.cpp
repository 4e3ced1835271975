#include "paravirt-demo/probe.hpp"

#include "paravirt-demo/control_block.hpp"

#include <cpuid.h>
#include <unistd.h>

#include <linux/seccomp.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

namespace iso::pv {

namespace {

constexpr unsigned long k_hwcap2_fsgsbase = 2; // asm/hwcap2.h

EngineProbe missing(std::string reason, std::string next_step) {
    return {false, k_backend, std::move(reason), std::move(next_step)};
}

bool has_xsave() {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_OSXSAVE) != 0;
}

} // namespace

EngineProbe probe() {
    std::uint32_t action = SECCOMP_RET_TRAP;
    if (::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) != 0)
        return missing("the kernel has no seccomp filters", "a kernel with CONFIG_SECCOMP_FILTER");
    if (!has_xsave())
        return missing("the CPU (or what emulates it) has no XSAVE", "another machine");
    if ((::getauxval(AT_HWCAP2) & k_hwcap2_fsgsbase) == 0)
        return missing("the kernel does not let programs use WRFSBASE",
                       "Linux 5.9 or later on a CPU with FSGSBASE");
    auto const memory = sealed_memory("isolab-probe", k_page);
    if (!memory)
        return missing(memory.error().op + ": " + memory.error().cause,
                       "memfd_create must be allowed");
    return {true, k_backend, "no /dev/kvm and no root needed", {}};
}

} // namespace iso::pv
