#include "vmm-mini/vcpu_timer.hpp"

#include "common/abi/guest_abi.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <utility>

namespace iso::vmm {

namespace {

constexpr std::uint64_t k_second = 1'000'000'000;

// What the handler touches.
std::atomic<bool> g_expired{false};
std::atomic<kvm_run*> g_run{nullptr};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<kvm_run*>::is_always_lock_free);

extern "C" void on_timer_signal(int) {
    g_expired.store(true, std::memory_order_release);
    // A signal between the look at g_expired and KVM_RUN would be slept through: this makes that
    // KVM_RUN return at once.
    if (kvm_run* const run = g_run.load(std::memory_order_acquire)) run->immediate_exit = 1;
}

} // namespace

Result<VcpuTimer> VcpuTimer::create(Vcpu const& vcpu) {
    VcpuTimer timer(vcpu);
    g_run.store(&vcpu.run(), std::memory_order_release);
    struct sigaction action {};
    action.sa_handler = on_timer_signal; // without SA_RESTART: KVM_RUN must return
    if (::sigaction(SIGRTMIN, &action, nullptr) != 0) return sys_error("sigaction(SIGRTMIN)");
    sigset_t signal{};
    sigaddset(&signal, SIGRTMIN);
    ::sigprocmask(SIG_UNBLOCK, &signal, nullptr);
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGRTMIN;
    if (::timer_create(CLOCK_MONOTONIC, &event, &timer.timer_) != 0)
        return sys_error("timer_create", "a higher limit on pending signals (ulimit -i)");
    timer.armed_ = true;
    return timer;
}

VcpuTimer::VcpuTimer(VcpuTimer&& other) noexcept
    : vcpu_(other.vcpu_)
    , timer_(other.timer_)
    , armed_(std::exchange(other.armed_, false))
    , due_(other.due_) {}

VcpuTimer::~VcpuTimer() {
    if (!armed_) return;
    (void)set(0); // deleting it would need one more system call under the filter
    g_run.store(nullptr, std::memory_order_release);
}

std::int64_t VcpuTimer::set(std::uint64_t deadline_ns) {
    itimerspec const setting{
        {0, 0},
        {static_cast<time_t>(deadline_ns / k_second), static_cast<long>(deadline_ns % k_second)}};
    // What the last setting left is taken back; then a moment that has passed raises its signal
    // here.
    g_expired.store(false, std::memory_order_release);
    due_ = false;
    return ::timer_settime(timer_, TIMER_ABSTIME, &setting, nullptr) == 0 ? 0 : -errno;
}

Result<void> VcpuTimer::offer() {
    kvm_run& run = vcpu_->run();
    if (g_expired.exchange(false, std::memory_order_acq_rel)) due_ = true;
    if (due_ && run.ready_for_interrupt_injection != 0) {
        kvm_interrupt interrupt{ISO_TIMER_VECTOR};
        TRY(ISO_KVM(vcpu_->fd, KVM_INTERRUPT, &interrupt));
        due_ = false;
    }
    run.request_interrupt_window = due_ ? 1 : 0;
    return {};
}

} // namespace iso::vmm
