#include "isolate/supervise.hpp"

#include "common/clock.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>

namespace iso::jail {

namespace {

/// What a program that was asked to stop may take for it.
constexpr std::uint64_t k_grace_ns = 1'000'000'000;
constexpr std::size_t k_most_polled = 8;

} // namespace

bool asks_to_stop(int signal) {
    return signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT;
}

Result<Waited> supervise(Pidfd const& jail, StopSignals const& signals, std::uint64_t deadline_ns,
                         Service const& service) {
    Waited waited;
    pollfd polled[k_most_polled] = {{jail.get(), POLLIN, 0}, {signals.fd(), POLLIN, 0}};
    std::size_t const more = std::min(service.polled.size(), k_most_polled - 2);
    for (;;) {
        for (std::size_t i = 0; i < more; ++i)
            polled[2 + i] = service.polled[i];
        timespec left{};
        if (deadline_ns != 0) {
            std::uint64_t const now = monotonic_ns();
            std::uint64_t const rest = deadline_ns > now ? deadline_ns - now : 0;
            left = {static_cast<time_t>(rest / 1'000'000'000),
                    static_cast<long>(rest % 1'000'000'000)};
        }
        int const ready = ::ppoll(polled, 2 + more, deadline_ns != 0 ? &left : nullptr, nullptr);
        if (ready < 0 && errno != EINTR) return sys_error("ppoll");
        if (ready > 0) {
            bool serve = false;
            for (std::size_t i = 0; i < more; ++i) {
                service.polled[i].revents = polled[2 + i].revents;
                serve = serve || polled[2 + i].revents != 0;
            }
            if (serve) service.serve(deadline_ns);
            if (polled[0].revents != 0) break;
        }
        if (ready == 0) {
            if (waited.stopped_by == 0) waited.timed_out = true;
            TRY(jail.send(SIGKILL));
            deadline_ns = 0;
        }
        int const signal = signals.take();
        if (signal == 0) continue;
        if (!asks_to_stop(signal)) {
            if (service.other_signal) service.other_signal(signal);
            continue;
        }
        TRY(jail.send(waited.stopped_by == 0 ? signal : SIGKILL));
        if (waited.stopped_by == 0) waited.stopped_by = signal;
        deadline_ns = monotonic_ns() + k_grace_ns;
    }
    return waited;
}

} // namespace iso::jail
