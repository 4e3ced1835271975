#include "common/machine/stop.hpp"

#include <atomic>
#include <csignal>

#include <sys/time.h>

namespace iso {

namespace {

constexpr std::uint64_t k_second = 1'000'000'000;
constexpr long k_repeat_us = 2000;

// What the handler touches; lock-free, or it would not be safe there.
std::atomic<int> g_stop_signal{0}; // the first signal wins; SIGALRM stands for the timeout
std::atomic<std::uint8_t volatile*> g_flag{nullptr};
static_assert(std::atomic<int>::is_always_lock_free &&
              std::atomic<std::uint8_t volatile*>::is_always_lock_free);

extern "C" void on_stop_signal(int signal) {
    int none = 0;
    if (g_stop_signal.compare_exchange_strong(none, signal) && signal != SIGALRM) {
        itimerval const repeat{{0, k_repeat_us}, {0, k_repeat_us}};
        ::setitimer(ITIMER_REAL, &repeat, nullptr); // a plain system call, safe in a handler
    }
    if (auto* const flag = g_flag.load(std::memory_order_acquire)) *flag = 1;
}

} // namespace

Stop stop_requested() {
    int const signal = g_stop_signal.load(std::memory_order_acquire);
    if (signal == 0) return {};
    if (signal == SIGALRM) return {StopReason::timeout, 0};
    return {StopReason::signal, signal};
}

bool stopping() {
    return g_stop_signal.load(std::memory_order_relaxed) != 0;
}

Result<void> arm_stop(std::uint64_t timeout_ns) {
    struct sigaction action {};
    action.sa_handler = on_stop_signal; // without SA_RESTART: blocking calls return with EINTR
    for (int const signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM})
        sigaddset(&action.sa_mask, signal);
    for (int const signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM}) {
        struct sigaction before {};
        ::sigaction(signal, nullptr, &before);
        // nohup(1) and shells' background jobs ignore signals on purpose: that stays.
        if (signal != SIGALRM && before.sa_handler == SIG_IGN) continue;
        ::sigaction(signal, &action, nullptr);
    }
    sigset_t unblocked{}; // whoever started this process may have left them blocked
    for (int const signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM})
        sigaddset(&unblocked, signal);
    ::sigprocmask(SIG_UNBLOCK, &unblocked, nullptr);
    // Errors of write(2) go back to the program as Linux would give them.
    std::signal(SIGPIPE, SIG_IGN);
    if (timeout_ns == 0) return {};
    itimerval timer{{0, k_repeat_us},
                    {static_cast<time_t>(timeout_ns / k_second),
                     static_cast<suseconds_t>(timeout_ns % k_second / 1000)}};
    if (timer.it_value.tv_sec == 0 && timer.it_value.tv_usec == 0) timer.it_value.tv_usec = 1;
    if (::setitimer(ITIMER_REAL, &timer, nullptr) != 0)
        return sys_error("setitimer(--timeout)", "a shorter --timeout");
    return {};
}

void kick_on_stop(std::uint8_t* flag) {
    g_flag.store(flag, std::memory_order_release);
    if (flag != nullptr && stopping()) *flag = 1;
}

} // namespace iso
