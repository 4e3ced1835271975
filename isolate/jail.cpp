#include "isolate/jail.hpp"

#include "common/clock.hpp"
#include "isolate/explain.hpp"
#include "isolate/hints.hpp"
#include "isolate/image/image.hpp"
#include "isolate/launch.hpp"
#include "isolate/limits/jail_limits.hpp"
#include "isolate/network/bridge_link.hpp"
#include "isolate/supervise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <unistd.h>

#include <sys/resource.h>
#include <sys/wait.h>

namespace iso::jail {

namespace {

/// A run in the foreground, in progress: owns everything that has to be undone.
class Run {
public:
    Run(JailOptions const& options, IdMap const& ids, NamedRun* named, RunReport& report)
        : options_(options)
        , ids_(ids)
        , named_(named)
        , report_(report) {}

    Result<void> all() {
        if (options_.dry_run) return tell_plan();
        TRY(signals_.open(named_ != nullptr ? named_->also_signal : 0));
        if (is_image(options_.spec.root)) {
            if (!TRY(unpack())) return {};
        }
        TRY(prepare_limits());
        plan_ = TRY(make_plan(options(), ids_, memory_));
        if (named_ != nullptr && named_->child.terminal_socket >= 0) add_terminal(plan_);
        if (named_ != nullptr && named_->child.start_listener >= 0) hold_at_start(plan_);
        bool const on_bridge = options_.spec.network.mode == NetworkSpec::Mode::bridge;
        if (on_bridge) await_cable();
        Launch launch(plan_);
        TRY(launch.prepare(options_.run.trace));
        if (named_ != nullptr) TRY(launch.announce(named_->child));
        if (unpacked_) launch.keep_out(unpacked_->root.descriptor());
        TRY(launch.start(options_.command_line, options_.run.explain));
        if (named_ != nullptr)
            TRY(named_->begun(launch, limits_.joins() ? limits_.group().record() : std::string()));
        TRY(launch.map_ids());
        if (limits_.joins()) {
            TRY(limits_.join(launch.pid(), false));
            launch.go();
        }
        if (on_bridge) {
            network_ = TRY(BridgeLink::plug(options_.spec.network, launch.pid()));
            report_.facts["network.addresses"] =
                fmt::format("{}", fmt::join(network_.addresses(), " "));
            launch.go();
        }
        Waited const waited =
            TRY(named_ == nullptr ? supervise(launch.pidfd(), signals_, deadline())
                                  : supervise_named(launch));
        rusage usage{};
        int const init_status = TRY(launch.reap(&usage));
        TRY(conclude(launch, waited, init_status, usage));
        return {};
    }

private:
    /// The last step before the program: until then the cable is plugged in beside the set-up.
    void await_cable() {
        Step const step{.op = Op::await_parent,
                        .why = "isolate plugs the network in meanwhile",
                        .path = {},
                        .text = {}};
        plan_.steps.insert(plan_.steps.begin() + static_cast<std::ptrdiff_t>(plan_.program_step),
                           step);
        ++plan_.program_step;
    }

    /// A root that has to be unpacked, and the options of a jail that has it.
    struct UnpackedJail {
        UnpackedRoot root;
        JailOptions options;
    };

    [[nodiscard]] JailOptions const& options() const {
        return unpacked_ ? unpacked_->options : options_;
    }

    /// False: it was asked to stop meanwhile, which the report says.
    Result<bool> unpack() {
        std::uint64_t const start = monotonic_ns();
        if (ids_.by_helper && options_.spec.root.mode == RootSpec::Mode::writable)
            return error("--root-mode writable",
                         "an image's files would belong to ids that only the jail has, and isolate "
                         "could not remove them",
                         "--root-mode overlay");
        report_.facts["root.from"] = TRY(image_origin(options_.spec.root));
        int signal = 0;
        auto const stopped = [&] {
            if (signal == 0) signal = signals_.take();
            return asks_to_stop(signal);
        };
        auto root = UnpackedRoot::create(options_.spec, owners(), stopped);
        if (!root && root.error().code == EINTR && signal != 0) {
            report_.ended = Ended::killed;
            report_.signal = signal;
            return false;
        }
        if (!root) return tl::unexpected<Error>(std::move(root.error()));
        unpacked_ = std::make_unique<UnpackedJail>();
        unpacked_->root = std::move(*root);
        unpacked_->options = options_;
        unpacked_->options.unpacked = unpacked_->root.path();
        Unpacked const& got = unpacked_->root.unpacked();
        report_.counters["root.unpack_ns"] = monotonic_ns() - start;
        report_.counters["root.entries"] = got.entries;
        report_.counters["root.bytes"] = got.bytes;
        report_.counters["root.devices_left_out"] = got.devices;
        report_.counters["root.set_ids_taken_away"] = got.set_ids;
        return true;
    }

    /// To whom the files of an unpacked root belong: those ids inside that the archive names, as
    /// far as they exist there; the rest is the one's who sets the jail up. Without the right to
    /// give files away all are the caller's.
    [[nodiscard]] Owners owners() const {
        Owners owners;
        bool const maps = ids_.fresh && ids_.by_parent && !ids_.by_helper;
        owners.change = ids_.fresh ? maps : ::geteuid() == 0;
        owners.exact = !ids_.fresh;
        owners.uids = ids_.uids;
        owners.gids = ids_.gids;
        owners.other_uid = ids_.host_uid;
        owners.other_gid = ids_.host_gid;
        return owners;
    }

    /// --dry-run: nothing is made, no group either.
    Result<void> tell_plan() {
        if (is_image(options_.spec.root))
            report_.facts["root.from"] = TRY(image_origin(options_.spec.root));
        plan_ = TRY(make_plan(options_, ids_, memory_));
        TRY(write_all(STDERR_FILENO, explain_plan(plan_, options_.spec, report_, memory_)));
        report_.ended = Ended::exited;
        return {};
    }

    Result<void> prepare_limits() {
        GroupOptions group;
        group.backend = options_.group_backend;
        group.every_controller = named_ != nullptr; // it can be paused, counted, changed
        TRY(limits_.prepare(options_.spec, group));
        for (std::string const& line : limits_.warnings())
            (void)write_all(STDERR_FILENO, "isolate: " + line + "\n");
        if (limits_.address_space()) {
            memory_ =
                limits_.joins() ? MemoryLimit::address_space_in_cgroup : MemoryLimit::address_space;
        } else if (limits_.joins()) {
            memory_ = MemoryLimit::cgroup;
        }
        return {};
    }

    Result<Waited> supervise_named(Launch const& launch) {
        std::vector<pollfd> polled{{launch.ready_fd(), POLLIN, 0}};
        polled.insert(polled.end(), named_->polled.begin(), named_->polled.end());
        Service service;
        service.polled = polled;
        service.other_signal = named_->signalled;
        service.serve = [&](std::uint64_t& until) {
            if (polled[0].revents != 0) {
                char byte = 0;
                bool const waits = ::read(launch.ready_fd(), &byte, 1) == 1;
                if (!waits) polled[0].fd = -1;
                if (!waits && options_.run.timeout_ns != 0) // counted from the start
                    until = monotonic_ns() + options_.run.timeout_ns;
                if (waits || !launch.failed()) named_->ready(waits);
            }
            for (std::size_t i = 0; i < named_->polled.size(); ++i)
                named_->polled[i].revents = polled[i + 1].revents;
            named_->serve(named_->polled);
            std::copy(named_->polled.begin(), named_->polled.end(), polled.begin() + 1);
        };
        return supervise(launch.pidfd(), signals_,
                         named_->child.start_listener >= 0 ? 0 : deadline(), service);
    }

    [[nodiscard]] std::uint64_t deadline() const {
        return options_.run.timeout_ns == 0
                   ? 0
                   : report_.phases.create.value_or(0) + options_.run.timeout_ns;
    }

    Result<void> conclude(Launch const& launch, Waited const& waited, int init_status,
                          rusage const& usage) {
        Shared const& shared = launch.shared();
        auto phase = [](std::uint64_t ns) { return ns == 0 ? std::optional<std::uint64_t>() : ns; };
        report_.phases.load = phase(shared.load_ns);
        report_.phases.enter = phase(shared.enter_ns);
        report_.phases.exit = shared.exit_ns != 0 ? shared.exit_ns : monotonic_ns();
        count(launch, usage);
        limits_.tell(report_);
        TRY(limits_.group().remove());
        network_.unplug();
        if (unpacked_)
            if (auto removed = unpacked_->root.remove(); !removed)
                (void)write_all(STDERR_FILENO, "isolate: " + removed.error().message() + "\n");
        report_.phases.destroy = monotonic_ns();
        if (shared.refused_step >= 0)
            report_.facts["refused"] =
                describe(plan_.steps[static_cast<std::size_t>(shared.refused_step.load())]);

        if (options_.run.explain) {
            std::string const text = explain(plan_, options_.spec, shared, report_, memory_);
            (void)write_all(STDERR_FILENO, text);
            std::string limits;
            for (std::string const& line : limits_.explained())
                limits += (limits.empty() ? "  limits: " : "    ") + line + "\n";
            (void)write_all(STDERR_FILENO, limits);
        }
        if (waited.timed_out) {
            report_.ended = Ended::timeout;
        } else if (waited.stopped_by != 0) {
            report_.ended = Ended::killed;
            report_.signal = waited.stopped_by;
        } else if (shared.failed_step >= 0) {
            return tl::unexpected<Error>(launch.failure());
        } else {
            ended_by_itself(shared.ended ? shared.wait_status : init_status);
        }
        return {};
    }

    /// Process 1 ends by a signal only from outside: the out-of-memory killer, or kill -9.
    void ended_by_itself(int status) {
        if (WIFSIGNALED(status)) {
            report_.ended = Ended::signalled;
            report_.signal = WTERMSIG(status);
        } else {
            report_.ended = Ended::exited;
            report_.status = WEXITSTATUS(status);
        }
    }

    void count(Launch const& launch, rusage const& usage) {
        auto set = [&](char const* name, long value) {
            report_.counters[name] = static_cast<std::uint64_t>(value);
        };
        set("host.minor_faults", usage.ru_minflt);
        set("host.voluntary_switches", usage.ru_nvcsw);
        set("host.involuntary_switches", usage.ru_nivcsw);
        set("host.max_rss_kib", usage.ru_maxrss);
        set("jail.steps", static_cast<long>(plan_.steps.size()));
        set("jail.filter_instructions", static_cast<long>(plan_.filter.size()));
        std::uint64_t const begun = launch.shared().start_ns;
        set("jail.clone_ns",
            static_cast<long>(begun > launch.clone_start_ns() ? begun - launch.clone_start_ns()
                                                              : 0));
    }

    JailOptions const& options_;
    IdMap const ids_;
    NamedRun* const named_;
    RunReport& report_;
    StopSignals signals_;
    MemoryLimit memory_ = MemoryLimit::none;
    std::unique_ptr<UnpackedJail> unpacked_; // removed after the launch, which ends who uses it
    BridgeLink network_;
    JailLimits limits_; // its group is removed after the launch, which ends what is in it
    JailPlan plan_;
};

} // namespace

RunReport run(JailOptions const& options, NamedRun* named) {
    RunReport report;
    report.engine = "isolate";
    report.phases.create = monotonic_ns();
    IdMap const ids = choose_ids(options.spec);
    report.backend = ids.backend();
    Run run(options, ids, named, report);
    if (auto done = run.all(); !done) {
        report.ended = Ended::engine_failed;
        report.failure = std::move(done.error());
    }
    return report;
}

} // namespace iso::jail
