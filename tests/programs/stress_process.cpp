// Processes, pipes, signals, programs: as many and as often as they come.
#include "tests/programs/stress.hpp"

#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <sys/time.h>
#include <sys/wait.h>

namespace stress {

void fail(char const* what) {
    std::perror(what);
    std::_Exit(3);
}

namespace {

int wait_for(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return -1;
    return status;
}

// Writes or reads all of it, whatever signals come.
bool transfer(bool out, int fd, char* data, size_t bytes) {
    while (bytes != 0) {
        ssize_t const done = out ? write(fd, data, bytes) : read(fd, data, bytes);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        data += done;
        bytes -= static_cast<size_t>(done);
    }
    return true;
}

} // namespace

// A tree of processes that all wait for the same pipe to be closed: as many as there can be. Those
// that could not be made are not missed.
long forks(Options const& options, Random random) {
    int gate[2];
    if (pipe(gate) != 0) fail("pipe");
    std::vector<pid_t> children;
    long wrong = 0;
    for (int i = 0; i < options.width; ++i) {
        bool const spawns = random.below(3) == 0;
        pid_t const child = fork();
        if (child < 0) {
            if (errno != EAGAIN && errno != ENOMEM) fail("fork");
            break;
        }
        if (child == 0) {
            close(gate[1]);
            pid_t const below = spawns ? fork() : 0;
            if (spawns && below == 0) _exit(7);
            char c;
            if (read(gate[0], &c, 1) != 0) _exit(1);
            if (below > 0 && wait_for(below) != 7 << 8) _exit(2);
            _exit(i & 0x7f);
        }
        children.push_back(child);
    }
    close(gate[1]);
    for (size_t i = 0; i < children.size(); ++i)
        wrong += wait_for(children[i]) != static_cast<int>(i & 0x7f) << 8;
    return wrong != 0 ? -wrong : 1;
}

// A ring of processes; blocks go round, each process changes them.
long pipes(Options const& options, Random random) {
    int const members = 3 + options.width / 4;
    int const blocks = options.width;
    size_t const bytes = 1 + random.below(12000);
    std::vector<int> ends(static_cast<size_t>(members + 1) * 2);
    for (int i = 0; i <= members; ++i)
        if (pipe(&ends[static_cast<size_t>(i) * 2]) != 0) fail("pipe");
    std::vector<pid_t> children;
    for (int i = 0; i < members; ++i) {
        pid_t const child = fork();
        if (child < 0) fail("fork");
        if (child == 0) {
            int const in = ends[static_cast<size_t>(i) * 2];
            int const out = ends[static_cast<size_t>(i + 1) * 2 + 1];
            for (int const end : ends)
                if (end != in && end != out) close(end);
            std::vector<char> block(bytes);
            for (int b = 0; b < blocks; ++b) {
                if (!transfer(false, in, block.data(), bytes)) _exit(1);
                for (char& c : block)
                    c = static_cast<char>(c + i + 1);
                if (!transfer(true, out, block.data(), bytes)) _exit(2);
            }
            _exit(0);
        }
        children.push_back(child);
    }
    std::thread feeder([&] {
        std::vector<char> block(bytes);
        for (int b = 0; b < blocks; ++b) {
            for (size_t i = 0; i < bytes; ++i)
                block[i] = static_cast<char>(b + static_cast<int>(i));
            if (!transfer(true, ends[1], block.data(), bytes)) fail("feed");
        }
    });
    long wrong = 0;
    std::vector<char> block(bytes);
    for (int b = 0; b < blocks; ++b) {
        if (!transfer(false, ends[static_cast<size_t>(members) * 2], block.data(), bytes))
            return -1;
        for (size_t i = 0; i < bytes; ++i)
            wrong += block[i] !=
                     static_cast<char>(b + static_cast<int>(i) + members * (members + 1) / 2);
    }
    feeder.join();
    for (pid_t const child : children)
        wrong += wait_for(child) != 0;
    return wrong != 0 ? -wrong : static_cast<long>(bytes) * blocks;
}

namespace {

volatile sig_atomic_t handled = 0;
sigjmp_buf escape;
volatile sig_atomic_t may_escape = 0;

void count(int) {
    handled = handled + 1;
}
void jump_out(int) {
    if (may_escape != 0) siglongjmp(escape, 1);
}

void handle(int signal, void (*handler)(int), int flags) {
    struct sigaction action = {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigaction(signal, &action, nullptr);
}

// A process that is interrupted all the time, and all the same brings its bytes over.
int interrupted(int in, int out, size_t bytes, unsigned interval) {
    handle(SIGALRM, count, SA_RESTART);
    handle(SIGUSR1, count, 0);
    handle(SIGUSR2, jump_out, SA_NODEFER);
    itimerval const timer{{0, static_cast<suseconds_t>(interval)},
                          {0, static_cast<suseconds_t>(interval)}};
    setitimer(ITIMER_REAL, &timer, nullptr);
    char buffer[700];
    while (bytes != 0) {
        size_t const piece = bytes < sizeof buffer ? bytes : sizeof buffer;
        if (!transfer(false, in, buffer, piece)) return 1;
        if (sigsetjmp(escape, 1) == 0) {
            may_escape = 1;
            usleep(300);
        }
        may_escape = 0;
        if (!transfer(true, out, buffer, piece)) return 2;
        bytes -= piece;
    }
    return 0;
}

} // namespace

long signals(Options const& options, Random random) {
    size_t const bytes = static_cast<size_t>(options.width) * 600;
    int to[2], from[2];
    if (pipe(to) != 0 || pipe(from) != 0) fail("pipe");
    auto const interval = static_cast<unsigned>(5000 + random.below(20'000));
    pid_t const worker = fork();
    if (worker == 0) {
        close(to[1]);
        close(from[0]);
        _exit(interrupted(to[0], from[1], bytes, interval));
    }
    // A second one that sends signals, until it is killed itself.
    pid_t const sender = fork();
    if (sender == 0) {
        close(to[0]);
        close(to[1]);
        close(from[0]);
        close(from[1]);
        usleep(30'000); // the handlers are there by then, or else the first signal would kill
        for (;;) {
            unsigned long const choice = random.below(10);
            if (kill(worker, choice < 5 ? SIGUSR1 : choice < 9 ? SIGUSR2 : SIGCONT) != 0) _exit(0);
            usleep(static_cast<useconds_t>(5000 + random.below(20'000)));
        }
    }
    close(to[0]);
    close(from[1]);
    std::thread feeder([&] {
        std::vector<char> data(bytes);
        for (size_t i = 0; i < bytes; ++i)
            data[i] = static_cast<char>(i * 7);
        if (!transfer(true, to[1], data.data(), bytes)) fail("feed");
    });
    std::vector<char> data(bytes);
    bool const arrived = transfer(false, from[0], data.data(), bytes);
    feeder.join();
    kill(sender, SIGKILL);
    long wrong = arrived ? 0 : 1;
    for (size_t i = 0; i < bytes; ++i)
        wrong += data[i] != static_cast<char>(i * 7);
    int const ended = wait_for(worker);
    wait_for(sender);
    return ended != 0 ? -1000 - ended : wrong != 0 ? -wrong : static_cast<long>(bytes);
}

// Processes whose threads are busy when one of them executes a program.
long execs(Options const& options, Random random) {
    long sum = 0;
    for (int i = 0; i < options.width / 4 + 1; ++i) {
        int const status = static_cast<int>(random.below(100));
        bool const threads = random.below(2) == 0;
        bool const by_vfork = !threads && random.below(2) == 0;
        std::string const number = std::to_string(status);
        pid_t const child = by_vfork ? vfork() : fork();
        if (child < 0) fail("fork");
        if (child == 0) {
            if (threads) {
                for (int t = 0; t < 3; ++t)
                    std::thread([t] {
                        for (;;)
                            t == 0 ? static_cast<void>(sleep(1000)) : std::this_thread::yield();
                    }).detach();
                std::thread([&] {
                    execl("/proc/self/exe", "stress", number.c_str(), nullptr);
                }).join();
            }
            execl("/proc/self/exe", "stress", number.c_str(), nullptr);
            _exit(101);
        }
        if (int const ended = wait_for(child); ended != status << 8) return -1000 - ended;
        sum += status;
    }
    return sum;
}

} // namespace stress
