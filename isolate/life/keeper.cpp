#include "isolate/life/keeper.hpp"

#include "isolate/launch.hpp"
#include "isolate/life/cleanup.hpp"
#include "isolate/life/reply.hpp"
#include "isolate/life/terminal.hpp"
#include "isolate/spec/spec_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <memory>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/wait.h>

namespace iso::jail {

namespace {

std::uint64_t seconds_since_1970() {
    return static_cast<std::uint64_t>(::time(nullptr));
}

/// Notes who the jail is. Its process 1 dies with this process until then.
Result<void> write_down(JailDirectory const& jail, Order& order, Launch const& launch,
                        std::string const& group) {
    Record& record = order.record;
    record.init = TRY(identify(launch.pid()));
    record.group = group;
    record.status = order.hold ? Status::created : Status::running;
    return jail.write_record(record);
}

Ending ending_of(RunReport const& report) {
    return {report.exit_status(), to_string(report.ended), seconds_since_1970()};
}

/// The directory goes, unless another command was faster.
void remove_directory(Store const& store, std::string const& name) {
    if (auto jail = store.lock(name)) (void)jail->remove();
}

/// Closes every descriptor above 2 but these.
void close_all_but(std::vector<int> kept) {
    std::sort(kept.begin(), kept.end());
    unsigned from = 3;
    for (int const fd : kept) {
        if (fd < 3) continue;
        if (static_cast<unsigned>(fd) > from) ::close_range(from, static_cast<unsigned>(fd) - 1, 0);
        from = static_cast<unsigned>(fd) + 1;
    }
    ::close_range(from, ~0U, 0);
}

/// The process that stays with a detached jail.
class Keeper {
public:
    Keeper(Store const& store, JailDirectory& jail, Order& order, Fd listener, Fd reply,
           Pipe output)
        : store_(store)
        , jail_(jail)
        , order_(order)
        , listener_(std::move(listener))
        , reply_(std::move(reply))
        , output_(std::move(output)) {}

    [[noreturn]] void live() {
        if (auto settled = settle(); !settled) {
            send_reply(reply_.get(), &settled.error());
            ::_exit(exit_code::engine_failed);
        }
        NamedRun named = named_run();
        RunReport const report = run(order_.options, &named);
        finish(report);
        ::_exit(0);
    }

private:
    /// Away from whoever called: another session, no descriptor and no directory of theirs.
    Result<void> settle() {
        ::setsid();
        ::prctl(PR_SET_NAME, "isolate-keeper");
        if (::chdir("/") != 0) return sys_error("chdir(/)");
        Fd null = TRY(Fd::open("/dev/null", O_RDWR));
        // The jail inherits these three, and so does nothing of the keeper's.
        if (::dup2(null.get(), 0) < 0 || ::dup2(output_.write.get(), 1) < 0 ||
            ::dup2(output_.write.get(), 2) < 0)
            return sys_error("dup2");
        output_.write.reset();
        null.reset();
        std::vector<int> kept = jail_.descriptors();
        kept.insert(kept.end(), {listener_.get(), reply_.get(), output_.read.get(), store_.fd()});
        close_all_but(std::move(kept));
        if (::fcntl(output_.read.get(), F_SETFL, O_NONBLOCK) != 0) return sys_error("fcntl");
        if (order_.options.spec.process.terminal) TRY(terminal_.open());
        log_ = std::make_unique<LogFile>(TRY(LogFile::open(jail_.fd(), order_.log_bytes)));
        order_.record.keeper = TRY(identify(::getpid()));
        return jail_.write_record(order_.record);
    }

    NamedRun named_run() {
        NamedRun named;
        named.child.start_listener = listener_.get();
        named.child.terminal_socket = terminal_.jail_socket();
        ours_ = jail_.descriptors();
        ours_.insert(ours_.end(), {reply_.get(), output_.read.get(), store_.fd()});
        named.child.ours = ours_;
        named.begun = [this](Launch const& launch, std::string const& group) {
            listener_.reset(); // the jail has its own: it alone says whether it still waits
            terminal_.jail_has_it();
            return write_down(jail_, order_, launch, group);
        };
        named.ready = [this](bool) {
            if (!reply_) return;
            send_reply(reply_.get(), nullptr);
            reply_.reset();
            jail_.unlock();
        };
        named.polled = {{output_.read.get(), POLLIN, 0}, {terminal_.socket(), POLLIN, 0}};
        named.serve = [this](std::vector<pollfd>& polled) {
            if (polled[0].revents != 0 && !take_output()) polled[0].fd = -1;
            // With a terminal, all that is written comes from there.
            if (polled[1].revents != 0) {
                if (Fd master = terminal_.take(); master) {
                    output_.read = std::move(master);
                    polled[0].fd = output_.read.get();
                }
                polled[1].fd = -1;
            }
        };
        return named;
    }

    /// Moves of the jail's output to the log what one read gives: a jail that floods it must not
    /// keep the keeper from everything else. False at its end.
    bool take_output() {
        char chunk[65536];
        ssize_t const n = ::read(output_.read.get(), chunk, sizeof chunk);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR; // EIO of a terminal: all have closed it
        if (n == 0) return false;
        log_->append({chunk, static_cast<std::size_t>(n)});
        return true;
    }

    void finish(RunReport const& report) {
        // Our own standard streams are the log's too. Nobody is left in the jail to write.
        ::dup2(0, 1);
        ::dup2(0, 2);
        while (take_output()) {
            pollfd more{output_.read.get(), POLLIN, 0};
            if (::poll(&more, 1, 0) <= 0) break;
        }
        if (reply_) { // never got so far that anybody could have said so
            Error const failure = report.failure.value_or(
                Error{"jail '" + order_.record.name + "'", "ended before its program ran", {}});
            send_reply(reply_.get(), &failure);
            return;
        }
        if (report.failure) log_->append("isolate: " + report.failure->message() + "\n");
        (void)jail_.write("end.json", to_json(ending_of(report)));
        if (order_.record.temporary) remove_directory(store_, order_.record.name);
    }

    Store const& store_;
    JailDirectory& jail_;
    Order& order_;
    Fd listener_; ///< where a created jail waits
    Fd reply_;    ///< to whoever made the jail, until that knows
    Pipe output_;
    std::unique_ptr<LogFile> log_;
    TerminalSocket terminal_;
    std::vector<int> ours_;
};

} // namespace

Result<JailDirectory> take_name(Store const& store, Order& order) {
    Record& record = order.record;
    record.status = Status::creating;
    record.keeper = TRY(identify(::getpid()));
    record.boot = boot_id();
    record.created_at = seconds_since_1970();
    record.uid = ::geteuid();
    record.command = order.options.spec.process.arguments;
    record.root = order.options.spec.root.path;
    auto made = store.create(record);
    if (!made && made.error().code == EEXIST) {
        // A jail that nobody keeps any more and that was not to stay gives its name back.
        auto old = store.lock(record.name);
        if (old) {
            auto const seen = Store::look(*old);
            if (seen && seen->abandoned && (!seen->record.detached || seen->record.init.pid == 0)) {
                TRY(clean_up(seen->record));
                TRY(old->remove());
                made = store.create(record);
            }
        }
    }
    if (!made) return made;
    if (auto written = made->write("spec.json", spec_to_json(order.options.spec)); !written) {
        (void)made->remove();
        return tl::unexpected<Error>(std::move(written.error()));
    }
    return made;
}

RunReport keep_in_foreground(Store const& store, JailDirectory jail, Order& order) {
    NamedRun named;
    TerminalRelay relay;
    if (order.options.spec.process.terminal) {
        if (auto opened = relay.open(); !opened) {
            RunReport report;
            report.failure = std::move(opened.error());
            (void)jail.remove();
            return report;
        }
        winsize const size = relay.size();
        named.child.rows = size.ws_row;
        named.child.columns = size.ws_col;
        named.child.terminal_socket = relay.jail_socket();
        named.polled = relay.polled();
        named.also_signal = SIGWINCH;
        named.signalled = [&](int) { relay.resize(); };
    }
    named.begun = [&](Launch const& launch, std::string const& group) {
        relay.jail_has_it();
        return write_down(jail, order, launch, group);
    };
    named.ready = [&](bool) { jail.unlock(); };
    named.serve = [&](std::vector<pollfd>& polled) {
        if (!polled.empty()) relay.serve(polled);
    };
    RunReport report = run(order.options, &named);
    relay.drain();
    relay.restore();
    jail.unlock();
    remove_directory(store, order.record.name);
    return report;
}

namespace {

Result<void> start_keeper(Store const& store, JailDirectory& jail, Order& order) {
    Fd listener;
    if (order.hold) listener = TRY(listen_for_start(jail.fd()));
    Pipe reply = TRY(Pipe::create());
    Pipe output = TRY(Pipe::create());
    pid_t const pid = ::fork();
    if (pid < 0) return sys_error("fork");
    if (pid == 0) {
        reply.read.reset();
        Keeper(store, jail, order, std::move(listener), std::move(reply.write), std::move(output))
            .live();
    }
    reply.write.reset();
    auto answer = receive_reply(reply.read.get());
    if (!answer)
        while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
        }
    return answer;
}

} // namespace

Result<void> keep_detached(Store const& store, JailDirectory jail, Order& order) {
    auto started = start_keeper(store, jail, order);
    if (!started) (void)jail.remove();
    return started;
}

} // namespace iso::jail
