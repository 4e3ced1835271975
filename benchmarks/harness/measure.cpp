#include "benchmarks/harness/measure.hpp"

#include "benchmarks/harness/console.hpp"
#include "benchmarks/harness/measure_aloud.hpp"
#include "benchmarks/harness/strays.hpp"
#include "common/clock.hpp"
#include "common/pidfd.hpp"
#include "common/sha256.hpp"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <sys/resource.h>
#include <sys/wait.h>

namespace iso::bench {

namespace {

constexpr std::size_t k_keep_bytes = std::size_t{64} << 10U;  // of each output, for the report
constexpr std::size_t k_report_bytes = std::size_t{1} << 20U; // more is not a report
constexpr std::uint64_t k_grace_ns = 1'000'000'000;           // between a polite and a hard end

std::uint64_t to_ns(timeval const& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(time.tv_usec) * 1000U;
}

/// The reading side of one pipe. The first bytes are kept, all are counted.
struct Stream {
    Fd fd;
    std::size_t keep = 0;
    std::string text;
    std::uint64_t bytes = 0; ///< of the program; without a console that is all there are
    std::uint64_t raw_bytes = 0;
    Sha256 hash;
    std::optional<ConsoleFrame> console = {};
    std::function<void(std::string_view)> watcher = {};

    /// Takes what is there now, at most what a pipe holds: whoever writes faster than this reads
    /// would keep it here, past every limit. Closes at the end of the file.
    void drain() {
        char chunk[65536];
        ssize_t n = 0;
        do {
            n = ::read(fd.get(), chunk, sizeof chunk);
        } while (n < 0 && errno == EINTR);
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) {
            fd.reset();
            return;
        }
        std::string_view const arrived(chunk, static_cast<std::size_t>(n));
        raw_bytes += arrived.size();
        if (watcher) watcher(arrived);
        if (console) {
            std::string framed;
            console->feed(arrived, framed);
            take(framed);
        } else {
            take(arrived);
        }
    }

    void take(std::string_view of_program) {
        bytes += of_program.size();
        hash.update(of_program.data(), of_program.size());
        text.append(of_program.substr(0, keep - std::min(keep, text.size())));
    }
};

/// The pipe for one stream: its reading side goes into `stream`, the writing side is returned.
Result<Fd> open_stream(Stream& stream, std::size_t keep) {
    Pipe pipe = TRY(Pipe::create());
    if (::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK) != 0) return sys_error("fcntl(O_NONBLOCK)");
    stream.fd = std::move(pipe.read);
    stream.keep = keep;
    return std::move(pipe.write);
}

/// Why the process has to end before it wants to.
enum class Stop { none, timeout, flood, interrupt };

/// One running sample: its pipes, its deadline, and the two steps in which it is ended early.
class Watch {
public:
    Watch(MeasureRequest const& request, Interrupts& interrupts, Spawned const& spawned)
        : request_(request)
        , interrupts_(interrupts)
        , pid_(spawned.pid)
        , deadline_(request.timeout_ns == 0 ? 0 : spawned.spawn_ns + request.timeout_ns) {}

    /// Returns when the process has ended (it is not reaped yet). `pidfd` says when.
    void until_end(int pidfd, Stream& out, Stream& err, Stream& report, RawRun& run) {
        for (;;) {
            pollfd polled[] = {{pidfd, POLLIN, 0},
                               {out.fd.get(), POLLIN, 0},
                               {err.fd.get(), POLLIN, 0},
                               {report.fd.get(), POLLIN, 0},
                               {stop_ == Stop::none ? interrupts_.fd() : -1, POLLIN, 0}};
            ::poll(polled, std::size(polled), wait_ms());
            if (polled[0].revents != 0) return; // before anything else: this is what is timed
            if (polled[1].revents != 0) {
                std::uint64_t const now = monotonic_ns();
                out.drain();
                if (!run.first_output_ns && out.bytes != 0) run.first_output_ns = now;
            }
            if (polled[2].revents != 0) err.drain();
            if (polled[3].revents != 0) report.drain();
            if (out.raw_bytes + err.raw_bytes > request_.output_limit) stop(Stop::flood);
            if (polled[4].revents != 0 && interrupts_.pending() != 0) stop(Stop::interrupt);
            if (deadline_ != 0 && monotonic_ns() >= deadline_) stop(Stop::timeout);
        }
    }

    [[nodiscard]] Stop stopped() const { return stop_; }

private:
    /// First the polite signal, so that an engine can tear down; a second later the hard one.
    void stop(Stop why) {
        bool const first = stop_ == Stop::none;
        if (!first && monotonic_ns() < deadline_) return;
        if (first) stop_ = why;
        ::kill(-pid_, first ? request_.manner.stop_signal : SIGKILL);
        deadline_ = monotonic_ns() + k_grace_ns;
    }

    [[nodiscard]] int wait_ms() const {
        if (deadline_ == 0) return -1;
        std::uint64_t const now = monotonic_ns();
        if (now >= deadline_) return 0;
        return static_cast<int>(std::min<std::uint64_t>((deadline_ - now) / 1'000'000 + 1, 60'000));
    }

    MeasureRequest const& request_;
    Interrupts& interrupts_;
    pid_t pid_;
    std::uint64_t deadline_;
    Stop stop_ = Stop::none;
};

void take_usage(rusage const& usage, RawRun& run) {
    run.user_ns = to_ns(usage.ru_utime);
    run.system_ns = to_ns(usage.ru_stime);
    run.minor_faults = static_cast<std::uint64_t>(usage.ru_minflt);
    run.voluntary_switches = static_cast<std::uint64_t>(usage.ru_nvcsw);
    run.involuntary_switches = static_cast<std::uint64_t>(usage.ru_nivcsw);
    run.max_rss_kib = static_cast<std::uint64_t>(usage.ru_maxrss);
}

} // namespace

int RawRun::exit_status() const {
    if (timed_out) return exit_code::timed_out;
    if (console && program_status && WIFEXITED(wait_status)) return *program_status;
    if (console && WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0)
        return exit_code::engine_failed; // it is gone, and never said how the program ended
    if (WIFEXITED(wait_status)) return WEXITSTATUS(wait_status);
    return exit_code::from_signal(WTERMSIG(wait_status));
}

Result<RawRun> measure(MeasureRequest const& request, Interrupts& interrupts) {
    return measure_aloud(request, interrupts, {});
}

Result<RawRun> measure_aloud(MeasureRequest const& request, Interrupts& interrupts,
                             std::function<void(std::string_view)> on_output) {
    Stream out;
    Stream err;
    Stream report;
    if (request.manner.console) out.console.emplace();
    out.watcher = std::move(on_output);
    Fd out_write = TRY(open_stream(out, k_keep_bytes));
    Fd err_write = TRY(open_stream(err, k_keep_bytes));
    Fd report_write;
    if (request.report) report_write = TRY(open_stream(report, k_report_bytes));

    SpawnRequest plan;
    plan.command = request.command;
    plan.stdout_fd = out_write.get();
    plan.stderr_fd = err_write.get();
    plan.report_fd = report_write.get();
    plan.cpu = request.cpu;
    plan.environment = request.manner.environment;
    plan.death_signal = request.manner.stop_signal;
    plan.before_exec = request.before_exec;
    Spawned const spawned = TRY(spawn(plan));
    out_write.reset();
    err_write.reset();
    report_write.reset();

    RawRun run;
    run.spawn_ns = spawned.spawn_ns;
    Watch watch(request, interrupts, spawned);
    if (auto const pidfd = Pidfd::open(spawned.pid)) {
        watch.until_end(pidfd->get(), out, err, report, run);
    } else {
        ::kill(-spawned.pid, SIGKILL);
        while (::waitpid(spawned.pid, nullptr, 0) < 0 && errno == EINTR) {
        }
        return tl::unexpected<Error>(pidfd.error());
    }
    rusage usage{};
    while (::wait4(spawned.pid, &run.wait_status, 0, &usage) < 0 && errno == EINTR) {
    }
    run.reaped_ns = monotonic_ns();

    take_usage(usage, run);
    if (request.manner.settle_ns != 0) run.user_ns += settle(request.manner.settle_ns);
    run.strays = end_strays();
    if (!run.first_output_ns && out.fd) {
        out.drain();
        if (out.bytes != 0) run.first_output_ns = run.reaped_ns;
    }
    for (Stream* const stream : {&out, &err, &report}) {
        std::uint64_t before = ~std::uint64_t{0}; // every writer is gone: what is there is all
        while (stream->fd && stream->raw_bytes != before) {
            before = stream->raw_bytes;
            stream->drain();
        }
    }
    run.timed_out = watch.stopped() == Stop::timeout;
    run.flooded = watch.stopped() == Stop::flood;
    run.interrupted = watch.stopped() == Stop::interrupt;
    run.out = std::move(out.text);
    run.out_bytes = out.bytes;
    char digest[2 * Sha256::digest_size + 1];
    out.hash.finish_hex(digest);
    run.out_sha256 = digest;
    if (out.console) {
        run.console = true;
        run.program_status = out.console->status();
        run.last_words = out.console->last_words();
    }
    run.err = std::move(err.text);
    run.report = std::move(report.text);
    return run;
}

} // namespace iso::bench
