// Random system calls with arguments from a table of interesting ones, in children that are killed
// when they hang. For guest kernels only: natively it would do to the host what it does here.
//
//     fuzz seed=1 children=50 calls=400
#include "tests/programs/stress.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <thread>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace {

using stress::Random;

unsigned long edge, guarded, shared_page, text, path, plain;

void prepare() {
    auto const map = [](size_t bytes, int protection) {
        return reinterpret_cast<unsigned long>(
            mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    };
    constexpr int k_both = PROT_READ | PROT_WRITE;
    unsigned long const two = map(8192, k_both);
    munmap(reinterpret_cast<void*>(two + 4096), 4096);
    edge = two + 4096 - 4;
    guarded = map(4096, PROT_NONE);
    shared_page = map(4096, k_both); // with a child that has it, too: copy-on-write
    memset(reinterpret_cast<void*>(shared_page), 1, 4096);
    plain = map(65536, k_both);
    static char const k_text[4096] = "text";
    text = reinterpret_cast<unsigned long>(k_text);
    path = plain + 32768;
    strcpy(reinterpret_cast<char*>(path), "/tmp/fuzz-file");
}

unsigned long argument(Random& random) {
    switch (random.below(14)) {
    case 0:
        return random.below(12);
    case 1:
        return ~0ul - random.below(5);
    case 2:
        return plain + random.below(32768);
    case 3:
        return edge - random.below(8);
    case 4:
        return random.below(2) == 0 ? guarded : shared_page + random.below(4096);
    case 5:
        return path;
    case 6:
        return 1ul << random.below(64);
    case 7:
        return (1ul << random.below(64)) - 1;
    case 8:
        return 0x600000000000 + (random.below(1 << 20) << 12);
    case 9:
        return 0xffff800000000000 + random.below(1 << 20);
    case 10:
        return text + random.below(2) * 4095;
    case 11:
        return static_cast<unsigned long>(getpid());
    case 12:
        return plain & ~0xffful;
    default:
        return random.below(4096);
    }
}

// What would only make the test meaningless: ending, or signalling the others.
bool is_spared(long number) {
    switch (number) {
    case SYS_exit:
    case SYS_exit_group:
    case SYS_kill:
    case SYS_tkill:
    case SYS_tgkill:
    case SYS_pause:
    case SYS_rt_sigsuspend:
        return true;
    default:
        return false;
    }
}

[[noreturn]] void child(Random random, int calls) {
    for (int fd = 0; fd < 3; ++fd)
        close(fd);
    open("/dev/null", O_RDWR);
    open("/tmp/fuzz-file", O_RDWR | O_CREAT, 0600);
    int ends[2];
    if (pipe2(ends, O_NONBLOCK) != 0) _exit(1);
    signal(SIGSEGV, SIG_DFL);
    alarm(1);
    if (random.below(3) == 0) std::thread([] { usleep(300'000); }).detach();
    for (int i = 0; i < calls; ++i) {
        long const number = static_cast<long>(
            random.below(20) == 0 ? random.next() : random.below(random.below(8) == 0 ? 460 : 335));
        if (is_spared(number)) continue;
        unsigned long a[6];
        for (unsigned long& each : a)
            each = argument(random);
        syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
    _exit(0);
}

} // namespace

int main(int argc, char** argv) {
    unsigned long seed = 1;
    int children = 50, calls = 400;
    for (int i = 1; i < argc; ++i) {
        if (strncmp(argv[i], "seed=", 5) == 0) seed = std::strtoul(argv[i] + 5, nullptr, 0);
        if (strncmp(argv[i], "children=", 9) == 0) children = std::atoi(argv[i] + 9);
        if (strncmp(argv[i], "calls=", 6) == 0) calls = std::atoi(argv[i] + 6);
    }
    prepare();
    for (int i = 0; i < children; ++i) {
        pid_t const pid = fork();
        if (pid == 0) child(Random(seed + static_cast<unsigned long>(i)), calls);
        for (int waited = 0; pid > 0 && waitpid(pid, nullptr, WNOHANG) == 0; ++waited) {
            usleep(20'000);
            if (waited == 50) kill(pid, SIGKILL);
        }
        kill(-1, SIGKILL); // what it started, and may have left behind
        while (waitpid(-1, nullptr, 0) > 0) {
        }
    }
    std::puts("done");
}
