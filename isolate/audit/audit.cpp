#include "isolate/audit/audit.hpp"

#include "common/clock.hpp"
#include "common/fd.hpp"
#include "common/pidfd.hpp"
#include "isolate/audit/battery_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <optional>
#include <poll.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace iso::jail {

namespace {

constexpr std::uint64_t k_second_ns = 1'000'000'000;
constexpr std::uint64_t k_patience_ns = 120 * k_second_ns; ///< for all attempts together

/// A child process with its stdout in a pipe; killed and reaped at the end.
class Child {
public:
    explicit Child(pid_t pid)
        : pid_(pid) {}
    Child(Child const&) = delete;
    Child& operator=(Child const&) = delete;
    ~Child() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        (void)wait();
    }
    int wait() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        return WIFSIGNALED(status) ? exit_code::from_signal(WTERMSIG(status)) : WEXITSTATUS(status);
    }
    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    pid_t pid_;
};

/// Reads what there is of a child until `enough` of it is there or the child has ended. The end of
/// the file would not do: a program inside may hold the pipe for as long as it likes.
Result<std::string> listen_to(Pidfd const& child, int from, std::uint64_t deadline_ns,
                              bool (*enough)(std::string const&)) {
    std::string text;
    for (bool ended = false; !ended && !enough(text);) {
        std::uint64_t const now = monotonic_ns();
        if (now >= deadline_ns)
            return error("audit", "the battery did not come to its end",
                         "the jail on its own, or one with more processors");
        pollfd polled[] = {{from, POLLIN, 0}, {child.get(), POLLIN, 0}};
        int const left_ms = static_cast<int>((deadline_ns - now) / 1'000'000 + 1);
        if (::poll(polled, 2, left_ms) < 0 && errno != EINTR) return sys_error("poll");
        ended = (polled[1].revents & POLLIN) != 0;
        // What it wrote before it ended is in the pipe.
        for (pollfd more{from, POLLIN, 0}; ::poll(&more, 1, 0) > 0;) {
            char part[4096];
            ssize_t const n = ::read(from, part, sizeof part);
            if (n <= 0) {
                if (!ended) { // it has closed its output and is about to end
                    pollfd end{child.get(), POLLIN, 0};
                    (void)::poll(&end, 1, left_ms);
                    ended = true;
                }
                break;
            }
            text.append(part, static_cast<std::size_t>(n));
            if (text.size() > k_max_answer_bytes)
                return error("the battery's answer", "it is too long",
                             "the jail on its own: somebody inside interferes");
        }
    }
    return text;
}

Result<Pidfd> handle(Child const& child) {
    return Pidfd::open(child.pid());
}

/// A process of the host to be found by what is inside.
class HostProcess {
public:
    Result<std::vector<std::string>> start(int battery) {
        Pipe in = TRY(Pipe::create());
        Pipe out = TRY(Pipe::create());
        pid_t const pid = ::fork();
        if (pid < 0) return sys_error("fork");
        if (pid == 0) {
            ::dup2(in.read.get(), STDIN_FILENO);
            ::dup2(out.write.get(), STDOUT_FILENO);
            char name[] = "isolate-battery";
            char verb[] = "stay";
            char* const argv[] = {name, verb, nullptr};
            char* const envp[] = {nullptr};
            ::syscall(SYS_execveat, battery, "", argv, envp, AT_EMPTY_PATH);
            ::_exit(exit_code::cannot_execute);
        }
        child_.emplace(pid);
        out.write.reset();
        hold_ = std::move(in.write);
        Pidfd const process = TRY(handle(*child_));
        std::string const told =
            TRY(listen_to(process, out.read.get(), monotonic_ns() + 10 * k_second_ns,
                          [](std::string const& text) { return text.find('\n') != text.npos; }));
        if (told.find('\n') == told.npos)
            return error("battery stay", "it ended at once",
                         "vm.memfd_noexec below 2: the battery is executed from memory");
        return read_facts(std::string_view(told).substr(0, told.find('\n')));
    }

private:
    std::optional<Child> child_;
    Fd hold_; ///< it stays as long as this is open
};

[[noreturn]] void run_in_child(RunInside const& run_inside, int battery,
                               std::vector<std::string> const& words, Pipe& answer) {
    // Told to end as a person would: a jail is taken down, not dropped.
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    ::dup2(answer.write.get(), STDOUT_FILENO);
    answer.read.reset();
    answer.write.reset();
    int const status = run_inside(battery, words);
    std::fflush(stderr);
    ::_exit(status);
}

} // namespace

Result<Audited> audit(RunInside const& run_inside, std::vector<std::string> facts) {
    Fd const battery = TRY(sealed_battery());
    HostProcess host;
    std::vector<std::string> words{"battery", "probe"};
    for (std::string& word : TRY(host.start(battery.get())))
        words.push_back(std::move(word));
    for (std::string& word : facts)
        words.push_back(std::move(word));

    Pipe answer = TRY(Pipe::create());
    std::fflush(nullptr); // nothing of ours is to be written twice
    pid_t const pid = ::fork();
    if (pid < 0) return sys_error("fork");
    if (pid == 0) run_in_child(run_inside, battery.get(), words, answer);
    Child child(pid);
    answer.write.reset();
    Pidfd const process = TRY(handle(child));
    auto const told = listen_to(process, answer.read.get(), monotonic_ns() + k_patience_ns,
                                [](std::string const&) { return false; });
    if (!told) { // by a signal that takes the jail down
        (void)process.send(SIGTERM);
        pollfd end{process.get(), POLLIN, 0};
        (void)::poll(&end, 1, 10'000);
        return tl::unexpected<Error>(told.error());
    }
    int const status = child.wait();
    if (status == exit_code::from_signal(SIGKILL))
        return error("audit", "the jail was killed before the battery had come to its end",
                     "more --memory: of a group that is full the kernel ends the largest process");
    if (status != 0) return Audited{{}, status};
    return Audited{TRY(read_outcomes(*told)), 0};
}

} // namespace iso::jail
