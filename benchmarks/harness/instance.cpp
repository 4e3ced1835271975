#include "benchmarks/harness/instance.hpp"

#include "benchmarks/harness/strays.hpp"
#include "common/clock.hpp"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <sys/wait.h>

namespace iso::bench {

namespace {

constexpr std::size_t k_keep_bytes = std::size_t{1} << 20U;
constexpr std::uint64_t k_end_ns = 3'000'000'000; // between the polite end and the hard one

/// What is there now, but no more than a pipe holds: whoever writes faster than this reads would
/// keep it here. A stream that has ended is closed: it would be ready for ever.
template <typename Take>
void drain_stream(Fd& stream, Take take) {
    if (!stream.valid()) return;
    char chunk[65536];
    ssize_t const n = ::read(stream.get(), chunk, sizeof chunk);
    if (n < 0) return; // EAGAIN: poll(2) says when there is more
    if (n == 0) stream = Fd();
    take(std::string_view(chunk, static_cast<std::size_t>(n)));
}

/// The first line is all that is looked at: of a flood this much is kept.
void keep(std::string& text, std::string_view bytes) {
    text.append(bytes.substr(0, k_keep_bytes - std::min(k_keep_bytes, text.size())));
}

} // namespace

Result<Instance> Instance::start(SampleRequest const& request) {
    RunOptions options;
    options.program = request.program;
    options.arguments = request.arguments;
    Pipe out = TRY(Pipe::create());
    Pipe err = TRY(Pipe::create());
    for (int const fd : {out.read.get(), err.read.get()})
        if (::fcntl(fd, F_SETFL, O_NONBLOCK) != 0) return sys_error("fcntl(O_NONBLOCK)");
    SpawnRequest plan;
    plan.command = TRY(request.engine->command(options));
    plan.stdout_fd = out.write.get();
    plan.stderr_fd = err.write.get();
    plan.cpu = request.cpu;
    plan.environment = request.engine->manner().environment;
    plan.death_signal = request.engine->manner().stop_signal;
    Spawned const spawned = TRY(spawn(plan));
    Instance instance;
    instance.pid_ = spawned.pid;
    instance.spawn_ns_ = spawned.spawn_ns;
    instance.out_ = std::move(out.read);
    instance.err_ = std::move(err.read);
    if (request.engine->manner().console) instance.console_.emplace();
    auto process = Pidfd::open(spawned.pid);
    if (!process) {
        instance.signal(SIGKILL);
        while (::waitpid(instance.pid_, nullptr, 0) < 0 && errno == EINTR) {
        }
        return tl::unexpected<Error>(process.error());
    }
    instance.process_ = std::move(*process);
    return instance;
}

bool Instance::await(std::uint64_t deadline_ns, int interruption) const {
    pollfd polled[] = {{process_.get(), POLLIN, 0},
                       {interruption, POLLIN, 0},
                       {out_.get(), POLLIN, 0},
                       {err_.get(), POLLIN, 0}};
    ::poll(polled, std::size(polled), wait_ms(deadline_ns));
    return polled[0].revents != 0;
}

void Instance::drain() {
    drain_stream(out_, [this](std::string_view bytes) {
        if (!console_) return keep(said_, bytes);
        std::string framed;
        console_->feed(bytes, framed);
        keep(said_, framed);
    });
    drain_stream(err_, [this](std::string_view bytes) { keep(complained_, bytes); });
}

Instance::Heard Instance::wait_for_line(std::uint64_t deadline_ns, Interrupts& interrupts) {
    for (;;) {
        bool const gone = await(deadline_ns, interrupts.fd());
        std::uint64_t const now = monotonic_ns();
        bool const silent = said_.empty();
        drain();
        if (silent && !said_.empty()) said_ns_ = now;
        if (interrupts.pending() != 0) return Heard::interruption;
        if (said_.find('\n') != std::string::npos) return Heard::line;
        if (gone) return Heard::end;
        if (now >= deadline_ns) return Heard::nothing;
    }
}

std::string Instance::why_not(Heard heard) const {
    std::string const words =
        complained_.substr(0, std::min(complained_.find('\n'), std::size_t{200}));
    return std::string(heard == Heard::end ? "ended before it said anything"
                                           : "did not start in time") +
           (words.empty() ? "" : ": ") + words;
}

bool Instance::ended() const {
    pollfd polled{process_.get(), POLLIN, 0};
    return ::poll(&polled, 1, 0) == 1;
}

void Instance::signal(int number) const {
    ::kill(-pid_, number);
}

bool Instance::reap(std::uint64_t deadline_ns) {
    for (bool waiting = true; waiting;) {
        waiting = monotonic_ns() < deadline_ns;
        (void)await(deadline_ns, -1);
        drain(); // it may be blocked on a full pipe
        pid_t const ended = ::waitpid(pid_, nullptr, WNOHANG);
        if (ended == pid_ || (ended < 0 && errno != EINTR)) return true;
    }
    signal(SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    return false;
}

void end_instances(std::vector<Instance>& instances, Engine const& engine) {
    if (instances.empty()) return;
    for (Instance const& one : instances)
        one.signal(engine.manner().stop_signal);
    std::uint64_t const deadline = monotonic_ns() + k_end_ns;
    bool orderly = true;
    for (Instance& one : instances)
        orderly = one.reap(deadline) && orderly;
    settle(engine.manner().settle_ns);
    orderly = end_strays().empty() && orderly;
    if (!orderly) engine.clean_up();
    for (std::size_t i = 0; orderly && i < instances.size(); ++i)
        engine.ended_well();
    instances.clear();
}

} // namespace iso::bench
