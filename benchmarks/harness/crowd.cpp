#include "benchmarks/harness/crowd.hpp"

#include "benchmarks/harness/console.hpp"
#include "benchmarks/harness/memory.hpp"
#include "benchmarks/harness/strays.hpp"
#include "common/clock.hpp"
#include "common/pidfd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <sys/wait.h>

namespace iso::bench {

namespace {

constexpr std::uint64_t k_end_ns = 3'000'000'000; // between the polite end and the hard one
// Before memory is read: what an engine gives back after it has started a program is given back by
// then. Nothing tells when, so this is the one wait that is for a time.
constexpr std::uint64_t k_calm_ns = 200'000'000;

/// For poll(2): the milliseconds until then, rounded up.
int wait_ms(std::uint64_t deadline) {
    std::uint64_t const now = monotonic_ns();
    return now >= deadline ? 0 : static_cast<int>((deadline - now + 999'999) / 1'000'000);
}

/// One member: its process, and what it says. Ended and reaped by the crowd, never by itself.
struct Member {
    pid_t pid = -1;
    Pidfd process;
    Fd out;
    Fd err;
    std::optional<ConsoleFrame> console;
    std::string said;
    std::string complained;

    /// Until it says something, ends, or the time comes. True: it has ended, and what it said is
    /// there to be drained.
    [[nodiscard]] bool await(std::uint64_t deadline, int interruption) const {
        pollfd polled[] = {{process.get(), POLLIN, 0},
                           {interruption, POLLIN, 0},
                           {out.get(), POLLIN, 0},
                           {err.get(), POLLIN, 0}};
        ::poll(polled, std::size(polled), wait_ms(deadline));
        return polled[0].revents != 0;
    }

    void drain() {
        drain(out, [this](std::string_view bytes) {
            if (console)
                console->feed(bytes, said);
            else
                said += bytes;
        });
        drain(err, [this](std::string_view bytes) { complained += bytes; });
    }

private:
    /// What is there now. A stream that has ended is closed: it would be ready for ever.
    template <typename Take>
    static void drain(Fd& stream, Take take) {
        char chunk[4096];
        while (stream.valid()) {
            ssize_t const n = ::read(stream.get(), chunk, sizeof chunk);
            if (n < 0) return; // EAGAIN: poll(2) says when there is more
            if (n == 0) stream = Fd();
            take(std::string_view(chunk, static_cast<std::size_t>(n)));
        }
    }
};

class Crowd {
public:
    Crowd(SampleRequest const& request, Interrupts& interrupts)
        : request_(request)
        , interrupts_(interrupts)
        , began_ns_(monotonic_ns())
        , deadline_ns_(began_ns_ + request.timeout_ns) {}
    ~Crowd() { end(); }
    Crowd(Crowd const&) = delete;
    Crowd& operator=(Crowd const&) = delete;

    Result<void> grow(Sample& sample) {
        for (unsigned level = 1; level <= k_crowd && failure_.empty() && !late_ && !interrupted_;
             ++level) {
            std::uint64_t const before = TRY(start_one());
            if (!wait_for_line(level)) break;
            sample.counters["density.instances"] = level;
            if (std::find(std::begin(k_crowd_levels), std::end(k_crowd_levels), level) !=
                std::end(k_crowd_levels))
                sample.counters[fmt::format("density.start_{}_ns", level)] = said_ns_ - before;
            if (level == 1) one_ = memory_now();
        }
        if (failure_.empty() && !interrupted_) take_memory(sample);
        return {};
    }

    /// Politely, then not; everything is reaped.
    void end() {
        int const polite = request_.engine->manner().stop_signal;
        for (Member const& member : members_)
            ::kill(-member.pid, polite);
        std::uint64_t const deadline = monotonic_ns() + k_end_ns;
        bool orderly = true;
        for (Member& member : members_)
            orderly = reap(member, deadline) && orderly;
        settle(request_.engine->manner().settle_ns);
        orderly = end_strays().empty() && orderly;
        if (!orderly && !members_.empty()) request_.engine->clean_up();
        members_.clear();
    }

    [[nodiscard]] std::string const& failure() const { return failure_; }
    [[nodiscard]] bool interrupted() const { return interrupted_; }
    [[nodiscard]] std::uint64_t began_ns() const { return began_ns_; }
    [[nodiscard]] std::optional<OwnOutput> const& own() const { return own_; }

private:
    Result<std::uint64_t> start_one() {
        RunOptions options;
        options.program = request_.program;
        options.arguments = request_.arguments;
        Pipe out = TRY(Pipe::create());
        Pipe err = TRY(Pipe::create());
        for (int const fd : {out.read.get(), err.read.get()})
            if (::fcntl(fd, F_SETFL, O_NONBLOCK) != 0) return sys_error("fcntl(O_NONBLOCK)");
        SpawnRequest plan;
        plan.command = TRY(request_.engine->command(options));
        plan.stdout_fd = out.write.get();
        plan.stderr_fd = err.write.get();
        plan.cpu = request_.cpu;
        plan.environment = request_.engine->manner().environment;
        plan.death_signal = request_.engine->manner().stop_signal;
        Spawned const spawned = TRY(spawn(plan));
        Member member;
        member.pid = spawned.pid;
        member.out = std::move(out.read);
        member.err = std::move(err.read);
        if (request_.engine->manner().console) member.console.emplace();
        members_.push_back(std::move(member)); // from here on it is ended and reaped
        members_.back().process = TRY(Pidfd::open(spawned.pid));
        return spawned.spawn_ns;
    }

    /// Until the youngest has said its line. False: it has not, and the reason is known.
    bool wait_for_line(unsigned level) {
        Member& member = members_.back();
        for (;;) {
            bool const gone = member.await(deadline_ns_, interrupts_.fd());
            std::uint64_t const now = monotonic_ns();
            std::size_t const heard = member.said.size();
            member.drain();
            if (heard == 0 && !member.said.empty()) said_ns_ = now;
            if (interrupts_.pending() != 0) {
                interrupted_ = true;
                return false;
            }
            if (member.said.find('\n') != std::string::npos) return judge(member, level);
            if (!gone && now < deadline_ns_) continue;
            if (!gone && level > 2) {
                late_ = true;
                return false;
            }
            std::string const words = member.complained.substr(
                0, std::min(member.complained.find('\n'), std::size_t{200}));
            failure_ = fmt::format("instance {} {}{}{}", level,
                                   gone ? "ended before it said anything" : "did not start in time",
                                   words.empty() ? "" : ": ", words);
            return false;
        }
    }

    bool judge(Member const& member, unsigned level) {
        auto own = parse_own_output(member.said);
        if (!own) {
            failure_ = fmt::format("instance {}: {}", level, own.error().cause);
            return false;
        }
        if (!own->not_available.empty()) {
            failure_ = fmt::format("instance {}: {}", level, own->not_available);
            return false;
        }
        if (!own_) own_ = std::move(*own);
        return true;
    }

    std::optional<MemoryUse> memory_now() {
        pollfd interruption{interrupts_.fd(), POLLIN, 0};
        ::poll(&interruption, 1, wait_ms(monotonic_ns() + k_calm_ns));
        interrupted_ = interrupts_.pending() != 0;
        if (interrupted_) return {};
        return memory_of_descendants();
    }

    void take_memory(Sample& sample) {
        auto const instances = sample.counters["density.instances"];
        auto const all = memory_now();
        if (instances < 2 || !one_ || !all) return;
        auto each = [&](std::uint64_t whole, std::uint64_t one) {
            return whole > one ? (whole - one) / (instances - 1) : 0;
        };
        sample.counters["density.pss_bytes"] = each(all->pss, one_->pss);
        sample.counters["density.private_bytes"] = each(all->private_, one_->private_);
    }

    /// False: it had to be killed.
    static bool reap(Member& member, std::uint64_t deadline) {
        for (bool waiting = true; waiting;) {
            waiting = monotonic_ns() < deadline;
            (void)member.await(deadline, -1);
            member.drain(); // it may be blocked on a full pipe
            pid_t const ended = ::waitpid(member.pid, nullptr, WNOHANG);
            if (ended == member.pid || (ended < 0 && errno != EINTR)) return true;
        }
        ::kill(-member.pid, SIGKILL);
        while (::waitpid(member.pid, nullptr, 0) < 0 && errno == EINTR) {
        }
        return false;
    }

    SampleRequest const& request_;
    Interrupts& interrupts_;
    std::uint64_t began_ns_;
    std::uint64_t deadline_ns_;
    std::vector<Member> members_;
    std::optional<MemoryUse> one_;
    std::optional<OwnOutput> own_;
    std::uint64_t said_ns_ = 0;
    std::string failure_;
    bool late_ = false;
    bool interrupted_ = false;
};

} // namespace

Result<Taken> take_crowd(SampleRequest const& request, Interrupts& interrupts) {
    Taken taken;
    Sample& sample = taken.sample;
    Crowd crowd(request, interrupts);
    TRY(crowd.grow(sample));
    crowd.end();
    sample.arm = request.engine->name();
    sample.at_ns = crowd.began_ns();
    sample.wall_ns = monotonic_ns() - crowd.began_ns();
    sample.own = crowd.own();
    sample.failure = crowd.interrupted() ? "interrupted" : crowd.failure();
    taken.raw.interrupted = crowd.interrupted();
    return taken;
}

} // namespace iso::bench
