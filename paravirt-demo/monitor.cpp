#include "paravirt-demo/monitor.hpp"

#include "common/clock.hpp"
#include "common/machine/stop.hpp"
#include "paravirt-demo/images.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <linux/futex.h>
#include <sys/epoll.h>
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

/// What epoll calls the sources; a slot's process is called by its slot.
constexpr std::uint64_t k_source_bell = k_max_slots;
constexpr std::uint64_t k_source_timer = k_max_slots + 1;
constexpr std::uint64_t k_source_kernel = k_max_slots + 2;

/// Processes kept ready, once the domain has shown that it makes address spaces, and how long it
/// must have asked for nothing before one is started: what runs then is the guest's programs, and a
/// start takes a third of a millisecond from the one CPU that they share.
constexpr unsigned k_spares = 2;
constexpr int k_quiet_ms = 1;

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

Result<Monitor> Monitor::create(ControlBlock const& block, Doorbell& doorbell, BlockRing* disk,
                                int ram_fd, Options const& options) {
    Monitor monitor(block, doorbell, disk);
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
    monitor.sources_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
    if (!monitor.sources_) return sys_error("epoll_create1");
    // Edge-triggered: each ring is an event, and nobody needs to read the counter.
    TRY(monitor.watch_descriptor(monitor.bell_.get(), k_source_bell, EPOLLIN | EPOLLET));
    TRY(monitor.watch_descriptor(monitor.timer_.get(), k_source_timer, EPOLLIN));
    Fd const user = TRY(make_executable("isolab-user-stub", user_stub_image()));
    Fd const kernel = TRY(make_executable("isolab-kernel-stub", kernel_stub_image()));
    monitor.user_program_ = TRY(moved_up(user.get(), "user stub"));
    monitor.kernel_program_ = TRY(moved_up(kernel.get(), "kernel stub"));
    monitor.spaces_.resize(k_max_slots);
    monitor.slots_.resize(k_max_slots, Slot::empty);
    return monitor;
}

Result<void> Monitor::watch_descriptor(int fd, std::uint64_t name, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = name;
    if (::epoll_ctl(sources_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return sys_error("epoll_ctl");
    return {};
}

Result<void> Monitor::start(KernelLaunch const& launch) {
    Control& control = block_->control();
    control.launch = launch;
    control.spin = options_.spin;
    control.monitor_pid = static_cast<std::uint32_t>(::getpid());
    TRY(start_space(0));
    kernel_ = TRY(StubProcess::start(
        kernel_program_, 0, {ram_.get(), control_.get(), acknowledge_.get(), bell_.get()}));
    TRY(watch_descriptor(kernel_.pidfd(), k_source_kernel, EPOLLIN));
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
    command.spin = options_.spin;
    command.slot = slot;
    command.monitor_pid = static_cast<std::uint32_t>(::getpid());
    spaces_[slot] = TRY(StubProcess::start(user_program_, slot,
                                           {ram_.get(), control_.get(), acknowledge_.get(), -1}));
    ++spaces_started_;
    slots_[slot] = Slot::spare;
    ++spares_;
    TRY(watch_descriptor(spaces_[slot].pidfd(), slot, EPOLLIN));
    return {};
}

Result<Monitor::End> Monitor::serve() {
    while (!end_) {
        if (stopping()) return End::stopped;
        std::array<epoll_event, 16> events{};
        int const count = ::epoll_wait(sources_.get(), events.data(), events.size(),
                                       wants_spare() ? k_quiet_ms : -1);
        if (count < 0) {
            if (errno == EINTR) continue; // a stop was asked for, perhaps
            return sys_error("epoll_wait");
        }
        if (count == 0) prepare_spare();
        bool kernel_ended = false;
        for (int i = 0; i < count && !end_; ++i) {
            std::uint64_t const source = events[static_cast<std::size_t>(i)].data.u64;
            if (source == k_source_bell)
                serve_request();
            else if (source == k_source_timer)
                take_tick();
            else if (source == k_source_kernel)
                kernel_ended = true; // after what it asked for before
            else
                process_ended(static_cast<unsigned>(source));
        }
        if (kernel_ended && !end_) kernel_died();
    }
    return *end_;
}

void Monitor::take_tick() {
    std::uint64_t count = 0;
    if (::read(timer_.get(), &count, sizeof count) != sizeof count) return; // set anew meanwhile
    ++ticks_;
    raise_event(ISO_EVENT_TIMER);
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
    case ISO_HC_EVENT_CHANNEL_OP:
        return arguments[0] == ISO_EVTCHN_SEND ? send_event(arguments[1]) : -ENOSYS;
    case ISO_HC_BLOCK_OP:
        return disk_ != nullptr ? disk_->operate(arguments[0], arguments[1]) : -ENODEV;
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

/// The disk is done with what was asked when this returns. The event says so all the same: a guest
/// kernel may let others run until it comes.
std::int64_t Monitor::send_event(std::uint64_t port) {
    if (port != ISO_EVENT_DISK || disk_ == nullptr) return -EINVAL;
    std::int64_t result = 0;
    if (disk_->serve(result)) raise_event(ISO_EVENT_DISK);
    return result;
}

std::int64_t Monitor::new_space() {
    auto const take = [this](unsigned slot) {
        slots_[slot] = Slot::granted;
        --spares_;
        return static_cast<std::int64_t>(slot);
    };
    if (auto const spare = find_slot(Slot::spare)) {
        if (spaces_started_ > 1) ++spares_used_; // the first one every domain has
        return take(*spare);
    }
    auto slot = find_slot(Slot::empty);
    if (!slot) { // one that K gave back is waited for
        slot = find_slot(Slot::ending);
        if (slot) end_of_space(*slot);
    }
    if (!slot || slots_[*slot] != Slot::empty) return -EAGAIN;
    if (auto const started = start_space(*slot); !started)
        return -(started.error().code != 0 ? started.error().code : EAGAIN);
    spares_wanted_ = k_spares;
    return take(*slot);
}

std::optional<unsigned> Monitor::find_slot(Slot state) const {
    auto const found = std::find(slots_.begin(), slots_.end(), state);
    if (found == slots_.end()) return std::nullopt;
    return static_cast<unsigned>(found - slots_.begin());
}

bool Monitor::wants_spare() const {
    return spares_ < spares_wanted_;
}

void Monitor::prepare_spare() {
    auto const slot = find_slot(Slot::empty);
    // A host without room for one more process is asked again when K needs one.
    if (!slot || !start_space(*slot)) spares_wanted_ = 0;
}

/// Does not wait for the process to end: that takes the host longer than all else in the life of a
/// small program. Its slot stays its own until it is reaped (end_of_space). The guest's memory
/// needs no such wait: K's stub had the mapper take all of it away, and that was acknowledged.
std::int64_t Monitor::free_space(std::uint64_t slot) {
    if (slot >= k_max_slots || slots_[slot] != Slot::granted) return -EINVAL;
    spaces_[slot].send(SIGKILL);
    slots_[slot] = Slot::ending;
    if (!spaces_[slot].running()) end_of_space(static_cast<unsigned>(slot)); // it died before
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

/// The event may be of a process that was reaped since, and whose slot has another one by now.
void Monitor::process_ended(unsigned slot) {
    pollfd gone{spaces_[slot].pidfd(), POLLIN, 0};
    if (spaces_[slot].running() && ::poll(&gone, 1, 0) == 1) end_of_space(slot);
}

/// A process is gone, or is ended here: no task of it can run any more once it is reaped (wait4(2)
/// waits for all of them), so what was its slot can be another's.
void Monitor::end_of_space(unsigned slot) {
    // Closing alone would not do: a process that is just being started holds a copy of the
    // descriptor until its exec is through, and the event would come again and again meanwhile.
    if (spaces_[slot].running())
        (void)::epoll_ctl(sources_.get(), EPOLL_CTL_DEL, spaces_[slot].pidfd(), nullptr);
    spaces_[slot].end(&ended_);
    if (slots_[slot] == Slot::granted) return tell_of_death(slot);
    if (slots_[slot] == Slot::spare) --spares_;
    // A slot that cannot be cleared is not used again.
    slots_[slot] = block_->clear_slot(slot) ? Slot::empty : Slot::granted;
}

void Monitor::tell_of_death(unsigned slot) {
    __atomic_store_n(&block_->command(slot).dead, 1U, __ATOMIC_SEQ_CST);
    // Changed as well: K may have looked for deaths just before, and be about to sleep.
    __atomic_fetch_add(&block_->event(slot).event_seq, 1U, __ATOMIC_SEQ_CST);
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
    for (StubProcess const& space : spaces_)
        space.send(SIGKILL); // all first: they end while others are waited for
    kernel_.send(SIGKILL);
    for (StubProcess& space : spaces_)
        space.end(&ended_);
    kernel_.end(&ended_);
    usage = ended_;
}

} // namespace iso::pv
