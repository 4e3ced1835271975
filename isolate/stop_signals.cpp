#include "isolate/stop_signals.hpp"

#include <csignal>
#include <unistd.h>

#include <sys/signalfd.h>

namespace iso::jail {

Result<void> StopSignals::open(int also) {
    sigset_t set;
    ::sigemptyset(&set);
    for (int const signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
        struct sigaction action {};
        ::sigaction(signal, nullptr, &action);
        if (action.sa_handler != SIG_IGN) ::sigaddset(&set, signal);
    }
    if (also != 0) ::sigaddset(&set, also);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    fd_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd_) return sys_error("signalfd");
    return {};
}

int StopSignals::take() const {
    signalfd_siginfo info{};
    return ::read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo)
                                                                : 0;
}

} // namespace iso::jail
