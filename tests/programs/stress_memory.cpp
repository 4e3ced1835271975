// Memory, files, descriptors: races, and what happens when there is no more.
#include "tests/programs/stress.hpp"

#include <atomic>
#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace stress {

namespace {

constexpr size_t k_page = 4096;
thread_local sigjmp_buf escape;

void jump_out(int) {
    siglongjmp(escape, 1);
}

// Reads or writes where another thread unmaps: either it works, or it is a fault.
bool touch(char volatile* at, bool write) {
    if (sigsetjmp(escape, 1) != 0) return false;
    if (write)
        *at = 1;
    else
        (void)*at;
    return true;
}

// Maps, changes, moves memory of its own, with a pattern that must not change.
long churn(Random random, int steps) {
    long wrong = 0;
    for (int i = 0; i < steps; ++i) {
        size_t const pages = 1 + random.below(24);
        int const sharing = random.below(4) == 0 ? MAP_SHARED : MAP_PRIVATE;
        auto* area = static_cast<unsigned char*>(
            mmap(nullptr, pages * k_page, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0));
        if (area == MAP_FAILED) return -1;
        auto const value = static_cast<unsigned char>(random.next());
        for (size_t page = 0; page < pages; ++page)
            area[page * k_page + page] = static_cast<unsigned char>(value + page);
        if (random.below(2) == 0) {
            mprotect(area, pages * k_page, PROT_READ);
            mprotect(area, pages * k_page, random.below(2) == 0 ? PROT_NONE : PROT_READ);
            mprotect(area, pages * k_page, PROT_READ | PROT_WRITE);
        }
        size_t kept = pages;
        if (random.below(3) == 0) {
            size_t const wanted = 1 + random.below(48);
            void* const moved = mremap(area, pages * k_page, wanted * k_page, MREMAP_MAYMOVE);
            if (moved == MAP_FAILED) return -2;
            area = static_cast<unsigned char*>(moved);
            kept = wanted;
        }
        for (size_t page = 0; page < (kept < pages ? kept : pages); ++page)
            wrong += area[page * k_page + page] != static_cast<unsigned char>(value + page);
        size_t hole = 0; // then both sides: what was in it may be another thread's by then
        if (random.below(4) == 0 && kept > 2) {
            hole = 1 + random.below(kept - 2);
            munmap(area + hole * k_page, k_page);
            munmap(area, hole * k_page);
            ++hole;
        }
        munmap(area + hole * k_page, (kept - hole) * k_page);
    }
    return wrong;
}

} // namespace

long memory(Options const& options, Random random) {
    struct sigaction action = {};
    action.sa_handler = jump_out;
    action.sa_flags = SA_NODEFER;
    sigaction(SIGSEGV, &action, nullptr);
    sigaction(SIGBUS, &action, nullptr);
    constexpr size_t k_pages = 64;
    // Far from where the kernel places what has no address: the holes in it stay holes.
    auto* const common = static_cast<char*>(mmap(reinterpret_cast<void*>(0x200000000000),
                                                 k_pages * k_page, PROT_READ | PROT_WRITE,
                                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    std::atomic<bool> stop{false};
    std::atomic<long> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t) // touch what the next one takes away
        threads.emplace_back([&, t, mine = Random(random.next())]() mutable {
            while (!stop.load()) {
                for (int i = 0; i < 20; ++i)
                    touch(common + mine.below(k_pages) * k_page, t == 0);
                std::this_thread::yield();
            }
        });
    threads.emplace_back([&, mine = Random(random.next())]() mutable {
        while (!stop.load()) {
            size_t const first = mine.below(k_pages), count = 1 + mine.below(k_pages - first);
            char* const from = common + first * k_page;
            switch (mine.below(4)) {
            case 0:
                munmap(from, count * k_page);
                break;
            case 1:
                mprotect(from, count * k_page, PROT_READ);
                break;
            case 2:
                madvise(from, count * k_page, MADV_DONTNEED);
                break;
            default:
                mmap(from, count * k_page, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
            }
            std::this_thread::yield();
        }
    });
    std::vector<std::thread> workers;
    for (int t = 0; t < 3; ++t)
        workers.emplace_back([&, mine = Random(random.next())]() mutable {
            long const result = churn(mine, options.width * 2);
            wrong += result;
        });
    // The same while it is forked, again and again.
    for (int i = 0; i < options.width / 5; ++i) {
        pid_t const child = fork();
        if (child == 0) {
            for (size_t page = 0; page < k_pages; ++page)
                touch(common + page * k_page, true);
            _exit(churn(Random(static_cast<unsigned long>(i)), 5) == 0 ? 0 : 1);
        }
        int status = -1;
        if (child > 0) waitpid(child, &status, 0);
        if (status != 0) ++wrong;
    }
    for (auto& worker : workers)
        worker.join();
    stop = true;
    for (auto& thread : threads)
        thread.join();
    return wrong != 0 ? -wrong.load() : 1;
}

// Several processes in one directory: names appear, move and go, files grow and shrink under maps.
long files(Options const& options, Random random) {
    std::string const dir = "/tmp/isolab-stress." + std::to_string(getpid());
    if (mkdir(dir.c_str(), 0700) != 0) fail("mkdir");
    std::vector<pid_t> children;
    for (int i = 0; i < 4; ++i) {
        unsigned long const seed = random.next();
        pid_t const child = fork();
        if (child < 0) fail("fork");
        if (child != 0) {
            children.push_back(child);
            continue;
        }
        Random mine(seed);
        for (int step = 0; step < options.width * 2; ++step) {
            std::string const own = dir + "/own" + std::to_string(i);
            std::string const other = dir + "/any" + std::to_string(mine.below(5));
            int const fd = open(own.c_str(), O_RDWR | O_CREAT, 0600);
            if (fd < 0) _exit(1);
            size_t const bytes = 1 + mine.below(20'000);
            std::vector<char> data(bytes, static_cast<char>(step));
            if (write(fd, data.data(), bytes) != static_cast<ssize_t>(bytes)) _exit(2);
            auto* const map =
                static_cast<char*>(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
            if (map == MAP_FAILED) _exit(3);
            map[bytes / 2] = 'm';
            char back = 0;
            if (pread(fd, &back, 1, static_cast<off_t>(bytes / 2)) != 1 || back != 'm') _exit(4);
            if (mine.below(2) == 0 && ftruncate(fd, static_cast<off_t>(mine.below(bytes))) != 0)
                _exit(5);
            munmap(map, bytes);
            close(fd);
            switch (mine.below(4)) {
            case 0:
                rename(own.c_str(), other.c_str());
                break;
            case 1:
                if (link(own.c_str(), other.c_str()) != 0 && errno != EEXIST) _exit(6);
                break;
            case 2:
                unlink(other.c_str());
                break;
            default:
                if (symlink(own.c_str(), other.c_str()) != 0 && errno != EEXIST) _exit(7);
            }
            unlink(own.c_str());
        }
        _exit(0);
    }
    long wrong = 0;
    for (pid_t const child : children) {
        int status = -1;
        waitpid(child, &status, 0);
        wrong += status;
    }
    for (int i = 0; i < 5; ++i)
        unlink((dir + "/any" + std::to_string(i)).c_str());
    if (rmdir(dir.c_str()) != 0) return -1;
    return wrong != 0 ? -wrong : 4;
}

// Descriptors of all kinds until there are no more.
long handles(Options const&, Random random) {
    rlimit const limit = {256, 256};
    setrlimit(RLIMIT_NOFILE, &limit);
    std::vector<int> open_ones;
    bool refused = false;
    int const poller = epoll_create1(0);
    while (!refused && open_ones.size() < 5000) {
        int ends[2] = {-1, -1};
        switch (random.below(4)) {
        case 0:
            refused = pipe(ends) != 0;
            break;
        case 1:
            refused = (ends[0] = open("/dev/null", O_RDWR)) < 0;
            break;
        case 2:
            refused = (ends[0] = eventfd(1, 0)) < 0;
            break;
        default:
            refused = (ends[0] = epoll_create1(0)) < 0;
        }
        for (int const end : ends) {
            if (end < 0) continue;
            epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data = {.fd = end}};
            if (open_ones.size() < 100) epoll_ctl(poller, EPOLL_CTL_ADD, end, &event);
            open_ones.push_back(end);
        }
    }
    if (!refused || (errno != EMFILE && errno != ENFILE)) return -errno - 1;
    epoll_event events[64];
    if (epoll_wait(poller, events, 64, 0) <= 0) return -2;
    for (int const each : open_ones)
        close(each);
    return epoll_wait(poller, events, 64, 0) == 0 ? 1 : -3;
}

// Children that take memory until there is none: they may be refused or killed, nothing else.
long exhaustion(Options const&, Random random) {
    for (int i = 0; i < 3; ++i) {
        unsigned long const kind = random.below(3);
        pid_t const child = fork();
        if (child < 0) return -1;
        if (child == 0) {
            setpgid(0, 0);
            for (;;) {
                if (kind == 2) {
                    if (fork() < 0) _exit(errno == ENOMEM || errno == EAGAIN ? 0 : 1);
                }
                void* const area =
                    mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE,
                         (kind == 0 ? MAP_PRIVATE : MAP_SHARED) | MAP_ANONYMOUS, -1, 0);
                if (area == MAP_FAILED) _exit(0);
                memset(area, 1, 1 << 20);
            }
        }
        int status = -1;
        waitpid(child, &status, 0);
        bool const killed =
            WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGBUS);
        if (status != 0 && !killed) return -2 - status;
        while (kill(-child, SIGKILL) == 0) // what it started
            usleep(1000);
    }
    return 1;
}

} // namespace stress
