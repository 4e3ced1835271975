#include "isolate/life/hooks.hpp"

#include "common/clock.hpp"
#include "common/pidfd.hpp"
#include "isolate/life/namespaces.hpp"
#include "isolate/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace iso::jail {

namespace {

constexpr std::size_t k_longest_answer = 4096; ///< of what a hook says, its end is kept

std::vector<char*> pointers(std::vector<std::string> const& words) {
    std::vector<char*> result;
    for (std::string const& word : words)
        result.push_back(const_cast<char*>(word.c_str()));
    result.push_back(nullptr);
    return result;
}

/// Where a hook runs.
struct HookPlace {
    Pidfd jail; ///< process 1, whose namespaces are joined; none: ours
    int namespaces = 0;
    uid_t uid = 0; ///< whom to be there
    gid_t gid = 0;
};

/// The hook's own process, of which everything that it starts is in one process group.
class HookProcess {
public:
    HookProcess(Hook const& hook, std::string name)
        : hook_(hook)
        , name_(std::move(name)) {}

    Result<void> run(std::string const& state, HookPlace const& place) {
        arguments_ = hook_.arguments;
        if (arguments_.empty()) arguments_.push_back(hook_.path);
        input_ = TRY(Pipe::create());
        output_ = TRY(Pipe::create());
        pid_ = ::fork();
        if (pid_ < 0) return sys_error("fork");
        if (pid_ == 0) child(place);
        ::setpgid(pid_, pid_); // whichever of the two is first
        input_.read.reset();
        output_.write.reset();
        auto const watched = watch(state);
        if (!watched) ::kill(-pid_, SIGKILL);
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        TRY(watched);
        return judge(status);
    }

private:
    [[noreturn]] void child(HookPlace const& place) {
        ::setpgid(0, 0);
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::dup2(input_.read.get(), 0);
        ::dup2(output_.write.get(), 1);
        ::dup2(output_.write.get(), 2);
        if (place.jail.valid()) enter(place);
        ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
        for (int signal = 1; signal < 32; ++signal)
            ::signal(signal, SIG_DFL);
        sigset_t none;
        ::sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        auto const argv = pointers(arguments_);
        auto const envp = pointers(hook_.environment);
        ::execve(hook_.path.c_str(), argv.data(), envp.data());
        fail("execve");
    }

    void enter(HookPlace const& place) {
        if (::setns(place.jail.get(), place.namespaces) != 0) fail("setns");
        if ((place.namespaces & CLONE_NEWUSER) != 0 &&
            (::syscall(SYS_setgroups, 0, nullptr) != 0 ||
             ::syscall(SYS_setresgid, place.gid, place.gid, place.gid) != 0 ||
             ::syscall(SYS_setresuid, place.uid, place.uid, place.uid) != 0))
            fail("setresuid");
        ::prctl(PR_SET_PDEATHSIG, SIGKILL); // changing ids cleared it
        if ((place.namespaces & CLONE_NEWPID) == 0) return;
        // A process namespace is joined by children only: this one waits for the hook.
        pid_t const hook = ::fork();
        if (hook < 0) fail("fork");
        if (hook == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            return;
        }
        ::close_range(0, ~0U, 0);
        int status = 0;
        while (::waitpid(hook, &status, 0) < 0 && errno == EINTR) {
        }
        ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : exit_code::from_signal(WTERMSIG(status)));
    }

    [[noreturn]] static void fail(char const* call) {
        std::string const text = fmt::format("{}: {}", call, std::strerror(errno));
        (void)!::write(2, text.data(), text.size());
        ::_exit(exit_code::cannot_execute);
    }

    /// Gives it the state and reads what it says until it has ended.
    Result<void> watch(std::string const& state) {
        Pidfd const process = TRY(Pidfd::open(pid_));
        sigset_t pipe_signal; // it need not read its input
        ::sigemptyset(&pipe_signal);
        ::sigaddset(&pipe_signal, SIGPIPE);
        ::sigprocmask(SIG_BLOCK, &pipe_signal, nullptr);
        (void)::fcntl(input_.write.get(), F_SETFL, O_NONBLOCK);
        (void)::fcntl(output_.read.get(), F_SETFL, O_NONBLOCK);
        std::uint64_t const deadline =
            hook_.timeout_seconds
                ? monotonic_ns() +
                      static_cast<std::uint64_t>(*hook_.timeout_seconds) * 1'000'000'000
                : 0;
        std::size_t given = 0;
        for (;;) {
            if (given == state.size()) input_.write.reset();
            pollfd polled[3] = {{process.get(), POLLIN, 0},
                                {output_.read.get(), POLLIN, 0},
                                {input_.write.get(), POLLOUT, 0}};
            int const ready = ::poll(polled, 3, deadline == 0 ? -1 : wait_ms(deadline));
            if (ready < 0 && errno != EINTR) return sys_error("poll");
            if (ready == 0)
                return error(
                    name_,
                    fmt::format("took longer than its timeout of {} s", *hook_.timeout_seconds),
                    "a hook that ends in time");
            if (ready < 0) continue;
            if (polled[2].revents != 0) {
                ssize_t const n =
                    ::write(input_.write.get(), state.data() + given, state.size() - given);
                if (n > 0) given += static_cast<std::size_t>(n);
                if (n < 0 && errno != EAGAIN && errno != EINTR) given = state.size();
            }
            if (polled[1].revents != 0) take_answer();
            if (polled[0].revents != 0) break;
        }
        take_answer(); // not to the end of the file: something that it left behind may hold it open
        return {};
    }

    void take_answer() {
        char chunk[1024];
        for (ssize_t n = 0;
             output_.read && (n = ::read(output_.read.get(), chunk, sizeof chunk)) >= 0;) {
            if (n == 0) output_.read.reset();
            answer_.append(chunk, static_cast<std::size_t>(n));
            if (answer_.size() > 2 * k_longest_answer)
                answer_.erase(0, answer_.size() - k_longest_answer);
        }
    }

    Result<void> judge(int status) const {
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
        std::string cause = WIFEXITED(status)
                                ? fmt::format("ended with status {}", WEXITSTATUS(status))
                                : fmt::format("was ended by signal {}", WTERMSIG(status));
        std::string said = answer_;
        while (!said.empty() && said.back() == '\n')
            said.pop_back();
        std::replace(said.begin(), said.end(), '\n', ' ');
        if (!said.empty()) cause += ": " + said;
        return error(name_, std::move(cause));
    }

    Hook const& hook_;
    std::string const name_;
    std::vector<std::string> arguments_;
    Pipe input_;
    Pipe output_;
    std::string answer_;
    pid_t pid_ = -1;
};

Result<void> run_hook(Hook const& hook, char const* moment, std::size_t index,
                      std::string const& state, HookPlace const& place) {
    return HookProcess(hook, fmt::format("hook {}[{}] ({})", moment, index, hook.path))
        .run(state, place);
}

} // namespace

bool has_hooks(JailSpec const& spec, char const* moment) {
    auto const found = spec.hooks.find(moment);
    return found != spec.hooks.end() && !found->second.empty();
}

Result<void> run_hooks(JailSpec const& spec, char const* moment, std::string const& state,
                       pid_t inside) {
    if (!has_hooks(spec, moment)) return {};
    HookPlace place;
    if (inside != 0) {
        place.jail = TRY(Pidfd::open(inside));
        place.namespaces = TRY(foreign_namespaces(inside));
        IdMap const ids = choose_ids(spec);
        place.uid = ids.setup_uid;
        place.gid = ids.setup_gid;
    }
    std::size_t index = 0;
    for (Hook const& hook : spec.hooks.at(moment))
        TRY(run_hook(hook, moment, index++, state, place));
    return {};
}

void run_late_hooks(JailSpec const& spec, char const* moment, std::string const& state) {
    if (!has_hooks(spec, moment)) return;
    std::size_t index = 0;
    for (Hook const& hook : spec.hooks.at(moment))
        if (auto const done = run_hook(hook, moment, index++, state, {}); !done)
            print_error("isolate: warning", done.error());
}

} // namespace iso::jail
