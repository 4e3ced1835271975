#include "paravirt-demo/monitor.hpp"

#include "common/clock.hpp"
#include "common/machine/stop.hpp"
#include "paravirt-demo/images.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <linux/futex.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

namespace iso::pv {

namespace {

/// Descriptors that stubs get must not lie where the stubs expect them: dup2 would trample on one
/// before it is copied.
constexpr int k_first_own_fd = 64;

/// How long user code may ignore ticks. Generous: on a loaded host a process waits for its turn.
constexpr std::uint64_t k_tick_patience_ns = 10'000'000'000;

Result<Fd> moved_up(int fd, char const* what) {
    Fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, k_first_own_fd));
    if (!copy) return sys_error(std::string("fcntl(F_DUPFD ") + what + ")");
    return copy;
}

void futex_wake(std::uint32_t const* word) {
    ::syscall(SYS_futex, word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

template <typename T>
T read_once(T const& word) {
    return __atomic_load_n(&word, __ATOMIC_ACQUIRE);
}

} // namespace

Result<Monitor> Monitor::create(ControlBlock const& block, Doorbell& doorbell, int ram_fd,
                                Options const& options) {
    Monitor monitor(block, doorbell);
    monitor.options_ = options;
    monitor.ram_ = TRY(moved_up(ram_fd, "memory"));
    monitor.control_ = TRY(moved_up(block.fd(), "control"));
    Fd const acknowledge(::eventfd(0, EFD_CLOEXEC));
    Fd const bell(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!acknowledge || !bell) return sys_error("eventfd");
    monitor.acknowledge_ = TRY(moved_up(acknowledge.get(), "acknowledge"));
    monitor.bell_ = TRY(moved_up(bell.get(), "bell"));
    monitor.timer_ = Fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!monitor.timer_) return sys_error("timerfd_create");
    Fd const user = TRY(make_executable("isolab-user-stub", user_stub_image()));
    Fd const kernel = TRY(make_executable("isolab-kernel-stub", kernel_stub_image()));
    monitor.user_program_ = TRY(moved_up(user.get(), "user stub"));
    monitor.kernel_program_ = TRY(moved_up(kernel.get(), "kernel stub"));
    monitor.spaces_.resize(k_max_slots);
    monitor.granted_.resize(k_max_slots);
    return monitor;
}

Result<void> Monitor::start(KernelLaunch const& launch) {
    Control& control = block_->control();
    control.launch = launch;
    control.spin = options_.spin;
    control.monitor_pid = static_cast<std::uint32_t>(::getpid());
    TRY(start_space(0));
    kernel_ = TRY(StubProcess::start(
        kernel_program_, 0, {ram_.get(), control_.get(), acknowledge_.get(), bell_.get()}));
    if (options_.tick_ns != 0) {
        timespec const interval{static_cast<time_t>(options_.tick_ns / 1'000'000'000),
                                static_cast<long>(options_.tick_ns % 1'000'000'000)};
        itimerspec const setting{interval, interval};
        if (::timerfd_settime(timer_.get(), 0, &setting, nullptr) != 0)
            return sys_error("timerfd_settime");
    }
    return {};
}

Result<void> Monitor::start_space(unsigned slot) {
    CommandPage& command = block_->command(slot);
    if (command.dead != 0) TRY(block_->clear_slot(slot)); // the first of its processes died unused
    command.spin = options_.spin;
    command.slot = slot;
    command.monitor_pid = static_cast<std::uint32_t>(::getpid());
    spaces_[slot] = TRY(StubProcess::start(user_program_, slot,
                                           {ram_.get(), control_.get(), acknowledge_.get(), -1}));
    ++spaces_started_;
    return {};
}

Result<Monitor::End> Monitor::serve() {
    while (!end_) {
        if (stopping()) return End::stopped;
        std::vector<pollfd> sources = {
            {bell_.get(), POLLIN, 0}, {timer_.get(), POLLIN, 0}, {kernel_.pidfd(), POLLIN, 0}};
        std::vector<unsigned> slots;
        for (unsigned slot = 0; slot < k_max_slots; ++slot)
            if (spaces_[slot].running()) {
                sources.push_back({spaces_[slot].pidfd(), POLLIN, 0});
                slots.push_back(slot);
            }
        if (::poll(sources.data(), sources.size(), -1) < 0) {
            if (errno == EINTR) continue; // a stop was asked for, perhaps
            return sys_error("poll");
        }
        std::uint64_t count = 0;
        if (sources[0].revents != 0 && ::read(bell_.get(), &count, sizeof count) == sizeof count)
            serve_request();
        if (end_) break;
        if (sources[1].revents != 0 && ::read(timer_.get(), &count, sizeof count) == sizeof count) {
            ++ticks_;
            raise_event(ISO_EVENT_TIMER);
        }
        for (std::size_t i = 0; i < slots.size(); ++i)
            if (sources[3 + i].revents != 0) space_died(slots[i]);
        if (sources[2].revents != 0) kernel_died();
    }
    return *end_;
}

void Monitor::serve_request() {
    Control& control = block_->control();
    std::uint32_t const sequence = read_once(control.request_seq);
    if (sequence == answered_) return; // the bell without a request
    std::uint32_t const number = read_once(control.request_number);
    std::array<std::uint64_t, 5> arguments{};
    for (std::size_t i = 0; i < arguments.size(); ++i)
        arguments[i] = read_once(control.request_argument[i]);
    std::int64_t const result = answer(number, arguments);
    if (end_ || stopping()) return;
    control.answer = result;
    answered_ = sequence;
    __atomic_store_n(&control.answer_seq, sequence, __ATOMIC_RELEASE);
    futex_wake(&control.answer_seq);
}

std::int64_t Monitor::answer(std::uint32_t number, std::array<std::uint64_t, 5> const& arguments) {
    if (number < crossings_.size()) ++crossings_[number];
    switch (number) {
    case ISO_HC_DOORBELL:
        if (doorbell_->ring(static_cast<std::uint32_t>(arguments[0])) == Doorbell::Next::ended)
            end_ = End::guest_ended;
        return 0;
    case ISO_HC_MMUEXT_OP:
        if (arguments[0] == ISO_MMUEXT_NEW_SPACE) return new_space();
        if (arguments[0] == ISO_MMUEXT_FREE_SPACE) return free_space(arguments[1]);
        return -ENOSYS;
    case ISO_HC_SET_TIMER_OP:
        return set_timer(arguments[0]);
    case ISO_HC_XEN_VERSION:
        return ISO_HYPERCALL_VERSION;
    case ISO_HC_SCHED_OP:
        crash_ = "the guest kernel shut down without saying how its program ended";
        end_ = End::kernel_crashed;
        return 0;
    case k_request_acknowledge:
        acknowledge();
        return 0;
    case k_request_crash:
        describe_crash(arguments);
        end_ = End::kernel_crashed;
        return 0;
    default:
        return -ENOSYS;
    }
}

std::int64_t Monitor::new_space() {
    for (unsigned slot = 0; slot < k_max_slots; ++slot) {
        if (granted_[slot]) continue;
        if (!spaces_[slot].running())
            if (auto const started = start_space(slot); !started)
                return -(started.error().code != 0 ? started.error().code : EAGAIN);
        granted_[slot] = true;
        return slot;
    }
    return -EAGAIN;
}

std::int64_t Monitor::free_space(std::uint64_t slot) {
    if (slot >= k_max_slots || !granted_[slot]) return -EINVAL;
    spaces_[slot].end();
    granted_[slot] = false;
    if (auto const cleared = block_->clear_slot(static_cast<unsigned>(slot)); !cleared)
        return -cleared.error().code;
    return 0;
}

std::int64_t Monitor::set_timer(std::uint64_t deadline_ns) {
    if (options_.tick_ns != 0) return 0; // the ticks asked for on the command line come first
    itimerspec const setting{{0, 0},
                             {static_cast<time_t>(deadline_ns / 1'000'000'000),
                              static_cast<long>(deadline_ns % 1'000'000'000)}};
    return ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &setting, nullptr) == 0 ? 0 : -errno;
}

/// Sets the event pending, then makes the guest kernel run: by interrupting the user code that
/// runs, or by waking the kernel that sleeps. K does the reverse (enter_user), so one sees the
/// other.
void Monitor::raise_event(unsigned port) {
    iso_shared_info& shared = block_->shared_info();
    Control& control = block_->control();
    __atomic_fetch_or(&shared.pending[port / 32], 1U << (port % 32), __ATOMIC_SEQ_CST);
    __atomic_store_n(&shared.upcall_pending, 1U, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&control.event_seq, 1U, __ATOMIC_SEQ_CST);
    futex_wake(&control.event_seq);
    std::uint32_t const running = __atomic_load_n(&control.running, __ATOMIC_SEQ_CST);
    if (running == 0 || running > k_max_slots) return;
    watch(running - 1);
    spaces_[running - 1].send(SIGALRM);
}

/// User code can make the stub beside it sleep or spin for ever, and then takes no tick. That keeps
/// the guest kernel from running anything else, so the process is ended, and the kernel told. What
/// counts is how often K entered user code: K cannot have been entered without entering it again.
void Monitor::watch(unsigned slot) {
    std::uint64_t const entries = read_once(block_->control().hypercalls[ISO_HC_IRET]);
    std::uint64_t const now = monotonic_ns();
    if (slot != watched_.slot || entries != watched_.entries)
        watched_ = {slot, entries, now};
    else if (now - watched_.since_ns > k_tick_patience_ns)
        spaces_[slot].send(SIGKILL);
}

void Monitor::space_died(unsigned slot) {
    spaces_[slot].end();
    __atomic_store_n(&block_->command(slot).dead, 1U, __ATOMIC_SEQ_CST);
    futex_wake(&block_->event(slot).event_seq);
    // K may wait for an acknowledgement that nobody will give any more.
    if (read_once(block_->control().awaits_ack) == slot + 1) acknowledge();
}

/// Makes a wait for an acknowledgement end. A counter that takes no more (K can have a mapper fill
/// it) ends the wait as it is, and must not make this process wait.
void Monitor::acknowledge() {
    pollfd room{acknowledge_.get(), POLLOUT, 0};
    std::uint64_t const one = 1;
    if (::poll(&room, 1, 0) == 1) (void)!::write(acknowledge_.get(), &one, sizeof one);
}

void Monitor::kernel_died() {
    int const status = kernel_.end();
    crash_ = WIFSIGNALED(status)
                 ? fmt::format(
                       "the guest kernel's process was killed by signal {}{}", WTERMSIG(status),
                       WTERMSIG(status) == SIGSYS ? " (a system call that its filter forbids)" : "")
                 : fmt::format("the guest kernel's process could not be set up (step {})",
                               WEXITSTATUS(status));
    end_ = End::kernel_crashed;
}

void Monitor::describe_crash(std::array<std::uint64_t, 5> const& a) {
    bool const host_call = a[4] == SIGSYS;
    crash_ = host_call ? fmt::format("guest kernel code made a host system call at {:#x}", a[2])
                       : fmt::format("guest kernel code faulted: vector {}, error {:#x}, rip "
                                     "{:#x}, address {:#x}, signal {}",
                                     a[0], a[1], a[2], a[3], a[4]);
}

void Monitor::finish(rusage& usage) {
    for (StubProcess& space : spaces_)
        space.end(&usage);
    kernel_.end(&usage);
}

} // namespace iso::pv
