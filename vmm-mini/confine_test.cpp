#include "tests/support/catch.hpp"
#include "vmm-mini/confine.hpp"

#include <csignal>
#include <fcntl.h>
#include <functional>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

using namespace iso;
using namespace iso::vmm;

namespace {

constexpr int k_survived = 42;

/// What becomes of a confined process that does `attempt`: k_survived, or 128 + its signal.
int confined(std::function<void()> const& attempt) {
    pid_t const child = ::fork();
    if (child == 0) {
        std::signal(SIGSYS, SIG_DFL);
        if (!confine({7, 9, 11, {}})) ::_exit(1);
        attempt();
        ::syscall(SYS_exit_group, k_survived);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

} // namespace

TEST_CASE("confinement: what the engine needs while a guest runs is allowed") {
    if (!check_confinement()) ISO_SKIP("seccomp", "this kernel has no seccomp filters");
    CHECK(confined([] {}) == k_survived);
    CHECK(confined([] { ::syscall(SYS_ioctl, 7, 0, 0); }) == k_survived);
    CHECK(confined([] { ::syscall(SYS_writev, 1, nullptr, 0); }) == k_survived);
    CHECK(confined([] { ::syscall(SYS_write, 9, "x", 0); }) == k_survived);
    CHECK(confined([] { ::syscall(SYS_preadv, 11, nullptr, 0, 0); }) == k_survived);
    CHECK(confined([] { ::syscall(SYS_pwritev, 11, nullptr, 0, 0); }) == k_survived);
    CHECK(confined([] { ::syscall(SYS_fdatasync, 11); }) == k_survived);
    CHECK(confined([] {
              ::syscall(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
          }) == k_survived);
}

TEST_CASE("confinement: what a guest that broke out would want is not") {
    if (!check_confinement()) ISO_SKIP("seccomp", "this kernel has no seccomp filters");
    constexpr int refused = 128 + SIGSYS;
    CHECK(confined([] { ::syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY); }) == refused);
    CHECK(confined([] { ::syscall(SYS_execve, "/bin/sh", nullptr, nullptr); }) == refused);
    CHECK(confined([] { ::syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0); }) == refused);
    CHECK(confined([] { ::syscall(SYS_clone, 0, 0, 0, 0, 0); }) == refused);
    CHECK(confined([] { ::syscall(SYS_ptrace, 0, 0, 0, 0); }) == refused);
    CHECK(confined([] { ::syscall(SYS_kill, ::getppid(), 0); }) == refused);
    CHECK(confined([] { ::syscall(SYS_ioctl, 0, 0x5401, 0); }) == refused); // another descriptor
    CHECK(confined([] { ::syscall(SYS_write, 5, "x", 1); }) == refused);
    CHECK(confined([] { ::syscall(SYS_pwritev, 5, nullptr, 0, 0); }) == refused);
    CHECK(confined([] { ::syscall(SYS_preadv, 0, nullptr, 0, 0); }) == refused);
    CHECK(confined([] { ::syscall(SYS_ftruncate, 11, 0); }) == refused);
    CHECK(confined([] {
              ::syscall(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                        0);
          }) == refused);
    CHECK(confined([] { ::syscall(SYS_tgkill, 1, 1, 0); }) == refused);
}
