#include "benchmarks/harness/interrupt.hpp"

#include "benchmarks/harness/strays.hpp"

#include <csignal>
#include <unistd.h>

#include <sys/signalfd.h>

namespace iso::bench {

namespace {

sigset_t stop_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGINT);
    ::sigaddset(&set, SIGTERM);
    ::sigaddset(&set, SIGHUP);
    return set;
}

} // namespace

Result<Interrupts> Interrupts::create() {
    TRY(become_subreaper());
    sigset_t const set = stop_signals();
    if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return sys_error("sigprocmask");
    Fd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd) return sys_error("signalfd");
    return Interrupts(std::move(fd));
}

Interrupts::~Interrupts() {
    if (!fd_) return;                       // moved from
    if (pending() != 0) (void)end_strays(); // before a second signal can end us
    sigset_t const set = stop_signals();
    ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

int Interrupts::pending() {
    signalfd_siginfo info{};
    if (signal_ == 0 && ::read(fd_.get(), &info, sizeof info) == sizeof info)
        signal_ = static_cast<int>(info.ssi_signo);
    return signal_;
}

} // namespace iso::bench
