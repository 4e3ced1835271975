// Corners of processes and signals: what Linux does there is what is expected of every engine. One
// function per claim, each in a child of its own so that none disturbs another.
#include <atomic>
#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <initializer_list>
#include <poll.h>
#include <pthread.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <linux/futex.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

namespace {

using Word = std::atomic<int>;

Word* shared_words() {
    return static_cast<Word*>(
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}

template <typename Child>
pid_t start(Child child) {
    pid_t const pid = fork();
    if (pid == 0) _exit(child());
    return pid;
}

std::string status_of(pid_t pid, int options = 0) {
    int status = 0;
    pid_t const got = waitpid(pid, &status, options);
    if (got < 0) return std::string("error ") + strerrorname_np(errno);
    if (WIFSTOPPED(status)) return "stopped " + std::to_string(WSTOPSIG(status));
    if (WIFCONTINUED(status)) return "continued";
    if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
    return "exit " + std::to_string(WEXITSTATUS(status));
}

// The answers are found in their order, as the elements of a list are.
void say(char const* what, std::initializer_list<std::string> answers) {
    std::printf("%s:", what);
    for (std::string const& answer : answers)
        std::printf(" %s", answer.c_str());
    std::puts("");
    std::fflush(stdout);
}
void say(char const* what, std::string const& answer) {
    say(what, {answer});
}

// Somebody else gets a turn, however far away the next timer is.
void spin_with_far_timer() {
    Word* const word = shared_words();
    alarm(1000);
    pid_t const child = start([&] { return word->store(1), 0; });
    while (word->load() == 0) {
    }
    say("turn", status_of(child));
}

// A child that makes `call` once; stopped and continued meanwhile.
template <typename Call>
std::string stopped_during(Call call, int then = 0) {
    Word* const word = shared_words();
    pid_t const child = start([&] {
        struct sigaction action = {};
        action.sa_handler = [](int) {};
        action.sa_flags = SA_RESTART;
        sigaction(SIGUSR1, &action, nullptr);
        word->store(1);
        int const result = call() == 0 ? 0 : errno;
        while (word->load() != 2)
            usleep(10'000);
        return result;
    });
    while (word->load() == 0)
        sched_yield();
    usleep(20'000); // it blocks by now, else the answer is the same
    kill(child, SIGSTOP);
    std::string answer = status_of(child, WUNTRACED);
    kill(child, SIGCONT);
    answer += ", ";
    answer += status_of(child, WCONTINUED);
    word->store(2);
    if (then != 0) {
        usleep(20'000);
        kill(child, then);
    }
    answer += ", ";
    return answer + status_of(child);
}

void stops() {
    say("nanosleep", stopped_during([] {
            timespec const time{0, 150'000'000};
            return nanosleep(&time, nullptr);
        }));
    say("clock_nanosleep", stopped_during([] {
            timespec time;
            clock_gettime(CLOCK_MONOTONIC, &time);
            time.tv_sec += 1;
            return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
        }));
    say("poll", stopped_during([] { return poll(nullptr, 0, 150); }));
    say("select", stopped_during([] {
            timeval time{0, 150'000};
            return select(0, nullptr, nullptr, nullptr, &time);
        }));
    say("ppoll", stopped_during([] {
            timespec const time{0, 150'000'000};
            sigset_t set;
            sigemptyset(&set);
            return ppoll(nullptr, 0, &time, &set);
        }));
    say("pause", stopped_during([] { return pause(); }, SIGUSR1));
    say("sigsuspend", stopped_during(
                          [] {
                              sigset_t set;
                              sigemptyset(&set);
                              return sigsuspend(&set);
                          },
                          SIGUSR1));
    say("futex", stopped_during([] {
            int word = 0;
            timespec const time{0, 150'000'000};
            return static_cast<int>(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &time, nullptr, 0));
        }));
    say("epoll_wait", stopped_during([] {
            epoll_event event;
            return epoll_wait(epoll_create1(0), &event, 1, 150);
        }));
    say("read", stopped_during(
                    [] {
                        int ends[2];
                        if (pipe(ends) != 0) return 1;
                        char c;
                        return static_cast<int>(read(ends[0], &c, 1));
                    },
                    SIGKILL));
    // A handler with SA_RESTART: sleeping and polling end all the same.
    say("nanosleep, handled", stopped_during([] { return usleep(10'000'000); }, SIGUSR1));
    say("poll, handled", stopped_during([] { return poll(nullptr, 0, 10'000); }, SIGUSR1));
}

void ignored_is_gone() {
    sigset_t set, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    raise(SIGUSR1);
    kill(getpid(), SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    sigpending(&pending);
    say("ignored", std::to_string(sigismember(&pending, SIGUSR1)));
    signal(SIGUSR1, SIG_DFL);
    kill(getpid(), SIGUSR1);
    long const got = syscall(SYS_rt_sigtimedwait, &set, 8, nullptr, 8);
    say("sigtimedwait", got < 0 ? strerrorname_np(errno) : "no error");
}

// Whoever executes a program has the process's number afterwards.
void exec_in_thread() {
    pid_t const child = start([&] {
        std::thread([] { execl("/proc/self/exe", "corners", "who", nullptr); }).join();
        return 99;
    });
    say("exec in a thread", status_of(child));
}

void many_execs() {
    for (int round = 0; round < 10; ++round) {
        pid_t const child = start([&] {
            std::vector<std::thread> threads;
            Word ready{0};
            for (int t = 0; t < 4; ++t)
                threads.emplace_back([&] {
                    ++ready;
                    while (ready.load() < 4)
                        sched_yield();
                    execl("/proc/self/exe", "corners", "who", nullptr);
                });
            for (auto& thread : threads)
                thread.join();
            return 99;
        });
        std::string const answer = status_of(child);
        if (answer != "exit 0" || round == 9) say("several execs", answer);
    }
}

// One that does not exist is refused, and the one that was asked for before still comes.
void death_signals() {
    Word* const word = shared_words();
    pid_t const parent = start([&] {
        if (fork() == 0) {
            sigset_t set;
            sigemptyset(&set);
            sigaddset(&set, SIGUSR1);
            sigprocmask(SIG_BLOCK, &set, nullptr);
            prctl(PR_SET_PDEATHSIG, SIGUSR1);
            for (unsigned long const wrong : {65UL, 0x80000001UL, ~0UL, 1UL << 32U})
                if (prctl(PR_SET_PDEATHSIG, wrong) != 0 && errno == EINVAL) ++word[3];
            word[0].store(1);
            int got = 0;
            sigwait(&set, &got);
            word[1].store(got);
            word[2].store(1);
            _exit(0);
        }
        while (word[0].load() == 0)
            usleep(1'000);
        return 0;
    });
    status_of(parent);
    while (word[2].load() == 0)
        usleep(1'000);
    say("death signals refused", std::to_string(word[3].load()));
    say("death signal", std::to_string(word[1].load()));
}

void vforks() {
    // Killed while its child has its memory.
    Word* const word = shared_words();
    pid_t const parent = start([&] {
        pid_t const child = vfork();
        if (child == 0) {
            word[1] = getpid();
            word[0].store(1);
            while (word[2].load() == 0)
                usleep(10'000);
            _exit(0);
        }
        return 5;
    });
    while (word[0].load() == 0)
        usleep(10'000);
    kill(parent, SIGTERM); // waits until the child lets go
    usleep(10'000);
    word[2].store(1);
    say("vfork's parent terminated", status_of(parent));
    word[0] = word[2] = 0;
    pid_t const second = start([&] {
        if (vfork() == 0) {
            word[0].store(1);
            while (word[2].load() == 0)
                usleep(10'000);
            _exit(0);
        }
        return 5;
    });
    while (word[0].load() == 0)
        usleep(10'000);
    kill(second, SIGKILL);
    say("vfork's parent killed", status_of(second));
    word[2].store(1);
    pid_t const plain = vfork();
    if (plain == 0) _exit(6);
    say("vfork", status_of(plain));
}

void unwanted_children() {
    signal(SIGCHLD, SIG_IGN);
    pid_t children[5];
    for (pid_t& child : children)
        child = start([] { return 3; });
    say("SIGCHLD ignored", status_of(-1));
    int left = 0; // who is not to be waited for any more may still be about to vanish
    for (pid_t const child : children) {
        for (int patience = 500; patience > 0 && kill(child, 0) == 0; --patience)
            usleep(10'000);
        left += kill(child, 0) == 0;
    }
    say("left of them", std::to_string(left));
    signal(SIGCHLD, SIG_DFL);
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    action.sa_flags = SA_NOCLDWAIT;
    sigaction(SIGCHLD, &action, nullptr);
    start([] { return 4; });
    say("SA_NOCLDWAIT", status_of(-1));
}

void job_states() {
    pid_t const child = start([] {
        for (;;)
            pause();
        return 0;
    });
    kill(child, SIGSTOP);
    say("stopped", status_of(child, WUNTRACED));
    siginfo_t info = {};
    kill(child, SIGCONT);
    say("continued", {std::to_string(waitid(P_PID, static_cast<id_t>(child), &info, WCONTINUED)),
                      std::to_string(info.si_code)});
    kill(child, SIGSTOP);
    say("again", status_of(child, WUNTRACED));
    info = {};
    waitid(P_ALL, 0, &info, WEXITED | WNOHANG);
    say("nothing ended", std::to_string(info.si_pid));
    kill(child, SIGKILL);
    waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
    say("killed while stopped", std::to_string(info.si_code));
    say("still there", status_of(child));
    say("not any more", status_of(child));
}

void groups() {
    pid_t const leader = start([] {
        setpgid(0, 0);
        for (;;)
            pause();
        return 0;
    });
    setpgid(leader, leader);
    pid_t const second = start([&] {
        setpgid(0, leader);
        for (;;)
            pause();
        return 0;
    });
    setpgid(second, leader);
    say("members", {std::to_string(getpgid(second) == leader),
                    std::to_string(setpgid(second, 1) == 0 || errno != EPERM)});
    kill(-leader, SIGHUP);
    say("group", {status_of(-leader), status_of(-leader), status_of(-leader)});
    say("nobody", std::to_string(kill(-leader, 0) == 0 || errno != ESRCH));
}

void process_ends_from_any_thread() {
    pid_t const child = start([] {
        int ends[2];
        if (pipe(ends) != 0) return 1;
        std::thread([&] {
            char c;
            if (read(ends[0], &c, 1) < 0) c = 0;
        }).detach();
        std::thread([] { sleep(1000); }).detach();
        std::thread([] {
            int word = 0;
            syscall(SYS_futex, &word, FUTEX_WAIT, 0, nullptr, nullptr, 0);
        }).detach();
        std::thread([] {
            for (;;) {
            }
        }).detach();
        std::thread([] {
            usleep(20'000);
            _exit(8);
        }).detach();
        for (;;)
            pause();
        return 0;
    });
    say("exit from a thread", status_of(child));
    pid_t const leaderless = start([] {
        std::thread([] {
            usleep(20'000);
            _exit(9);
        }).detach();
        syscall(SYS_exit, 1); // the first thread only
        return 0;
    });
    usleep(20'000);
    say("first thread gone", {std::to_string(kill(leaderless, 0)), status_of(leaderless)});
}

long futex(Word* word, int operation, int value, unsigned long more = 0, Word* other = nullptr,
           int value3 = 0) {
    return syscall(SYS_futex, word, operation, value, more, other, value3);
}

void requeue() {
    Word* const words = shared_words();
    pid_t children[5];
    for (pid_t& child : children)
        child = start([&] {
            ++words[2];
            return static_cast<int>(futex(&words[0], FUTEX_WAIT, 0));
        });
    while (words[2].load() < 5)
        usleep(10'000);
    long moved = 0;
    while (moved < 5) // those that do not wait yet will
        moved += futex(&words[0], FUTEX_CMP_REQUEUE, 0, 5, &words[1], 0);
    say("requeue", {std::to_string(futex(&words[0], FUTEX_WAKE, 5)),
                    std::to_string(futex(&words[0], FUTEX_CMP_REQUEUE, 1, 1, &words[1], 7)),
                    strerrorname_np(errno), std::to_string(futex(&words[1], FUTEX_WAKE, 2)),
                    std::to_string(futex(&words[1], FUTEX_WAKE, 100))});
    for (pid_t const child : children)
        if (std::string const answer = status_of(child); answer != "exit 0") say("sleeper", answer);
}

sigjmp_buf jump;
void* volatile fault_at = nullptr;

template <typename Touch>
std::string fault_in(Touch touch) {
    struct sigaction action = {};
    action.sa_sigaction = [](int signal, siginfo_t* info, void*) {
        fault_at = info->si_addr;
        siglongjmp(jump, signal);
    };
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, nullptr);
    sigaction(SIGBUS, &action, nullptr);
    int const signal = sigsetjmp(jump, 1);
    if (signal == 0) {
        touch();
        return "no fault";
    }
    return "signal " + std::to_string(signal);
}

void shared_files() {
    std::string const path = "/tmp/isolab-corners." + std::to_string(getpid());
    int const fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    unlink(path.c_str());
    if (ftruncate(fd, 3 * 4096) != 0) return;
    auto* const view = static_cast<char volatile*>(
        mmap(nullptr, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    auto* const copy = static_cast<char volatile*>(
        mmap(nullptr, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
    for (int i = 0; i < 3; ++i)
        view[i * 4096] = static_cast<char>('a' + i);
    copy[0] = 'A';
    pid_t const child = start([&] {
        view[1] = 'z';
        return view[4096] == 'b' && copy[0] == 'A' && copy[4096] == 'b' ? 0 : 1;
    });
    say("shared over fork", {status_of(child), std::string(1, view[1])});
    if (ftruncate(fd, 4096 + 100) != 0) return;
    say("inside", fault_in([&] { (void)view[4096]; }));
    say("cut off",
        {fault_in([&] { (void)view[2 * 4096]; }), std::to_string(fault_at == view + 2 * 4096)});
    say("cut off, written", fault_in([&] { view[2 * 4096] = 1; }));
    say("cut off, private", fault_in([&] { (void)copy[2 * 4096]; }));
    pid_t const other = start([&] {
        signal(SIGBUS, SIG_DFL);
        return view[2 * 4096];
    });
    say("cut off, in a child", status_of(other));
    if (ftruncate(fd, 3 * 4096) != 0) return;
    say("grown again", std::to_string(view[2 * 4096]));
    char const byte = 'q';
    if (pwrite(fd, &byte, 1, 2 * 4096) != 1) return;
    say("written", {std::string(1, view[2 * 4096]), std::string(1, copy[2 * 4096])});
    void* const moved = mremap(const_cast<char*>(view), 3 * 4096, 8 * 4096, MREMAP_MAYMOVE);
    auto* const far = static_cast<char volatile*>(moved);
    far[0] = 'm';
    char back = 0;
    if (pread(fd, &back, 1, 0) != 1) return;
    say("moved",
        {std::string(1, back), std::to_string(far[4096]), fault_in([&] { (void)far[5 * 4096]; })});
}

void run(char const* name, void (*claim)()) {
    std::fflush(stdout);
    pid_t const child = start([&] {
        claim();
        std::fflush(stdout);
        return 0;
    });
    if (std::string const answer = status_of(child); answer != "exit 0") say(name, answer);
}

} // namespace

int main(int argc, char**) {
    if (argc > 1) return getpid() == gettid() ? 0 : 1;
    run("turn", spin_with_far_timer);
    run("stops", stops);
    run("ignored", ignored_is_gone);
    run("exec", exec_in_thread);
    run("execs", many_execs);
    run("death signals", death_signals);
    run("vforks", vforks);
    run("children", unwanted_children);
    run("jobs", job_states);
    run("groups", groups);
    run("ends", process_ends_from_any_thread);
    run("requeue", requeue);
    run("shared", shared_files);
}
