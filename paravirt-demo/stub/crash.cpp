// A signal in K: the guest kernel faulted, or made a host system call (which its filter turned into
// one). The monitor ends the domain and says what happened; there is nothing to go back to.

#include "paravirt-demo/stub/host_signal.hpp"
#include "paravirt-demo/stub/kernel_stub.hpp"

extern "C" void iso_kernel_crashed(int signal, void const*, void const* context) {
    sigcontext const& at = static_cast<ucontext const*>(context)->uc_mcontext;
    iso::pv::ask_monitor(iso::pv::k_request_crash, at.trapno, at.err, at.rip, at.cr2,
                         static_cast<uint64_t>(signal));
    for (;;)
        asm volatile("pause");
}
