#include "paravirt-demo/stub_process.hpp"

#include "paravirt-demo/stub/boundary.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U // Linux 6.3
#endif

namespace iso::pv {

namespace {

/// In the child between vfork and exec: only system calls on what was prepared before.
[[noreturn]] void become(int program, char* const* argv, StubDescriptors const& descriptors) {
    std::pair<int, int> const wanted[] = {{descriptors.ram, k_ram_fd},
                                          {descriptors.control, k_control_fd},
                                          {descriptors.acknowledge, k_ack_fd},
                                          {descriptors.bell, k_bell_fd}};
    for (auto const& [from, to] : wanted)
        if (from >= 0 && ::dup2(from, to) < 0) ::_exit(126);
    char* const no_environment[] = {nullptr};
    ::syscall(SYS_execveat, program, "", argv, no_environment, AT_EMPTY_PATH);
    ::_exit(127);
}

void add(rusage& sum, rusage const& part) {
    auto plus = [](timeval& a, timeval const& b) {
        a.tv_sec += b.tv_sec;
        a.tv_usec += b.tv_usec;
        if (a.tv_usec >= 1'000'000) {
            a.tv_usec -= 1'000'000;
            ++a.tv_sec;
        }
    };
    plus(sum.ru_utime, part.ru_utime);
    plus(sum.ru_stime, part.ru_stime);
    sum.ru_minflt += part.ru_minflt;
    sum.ru_nvcsw += part.ru_nvcsw;
    sum.ru_nivcsw += part.ru_nivcsw;
    sum.ru_maxrss = sum.ru_maxrss > part.ru_maxrss ? sum.ru_maxrss : part.ru_maxrss;
}

} // namespace

Result<Fd> make_executable(char const* name, std::span<std::byte const> image) {
    int fd = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
    if (fd < 0 && errno == EINVAL) fd = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    Fd file(fd);
    if (!file)
        return sys_error("memfd_create",
                         "sysctl vm.memfd_noexec must allow executable memory files");
    TRY(write_all(file.get(), {reinterpret_cast<char const*>(image.data()), image.size()}));
    if (::fcntl(file.get(), F_ADD_SEALS,
                F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
        return sys_error("fcntl(F_ADD_SEALS)");
    return file;
}

Result<StubProcess> StubProcess::start(Fd const& program, unsigned slot,
                                       StubDescriptors const& descriptors) {
    char number[16];
    char name[] = "stub";
    std::snprintf(number, sizeof number, "%u", slot);
    char* const argv[] = {name, number, nullptr};
    pid_t const pid = ::vfork();
    if (pid < 0) return sys_error("vfork", "fewer processes, or a higher limit (ulimit -u)");
    if (pid == 0) become(program.get(), argv, descriptors);
    StubProcess process;
    process.pid_ = pid;
    process.pidfd_ = TRY(Pidfd::open(pid));
    return process;
}

void StubProcess::send(int signal) const {
    if (running()) (void)pidfd_.send(signal); // a process that is just gone shows at its pidfd
}

int StubProcess::end(rusage* usage) {
    if (!running()) return 0;
    send(SIGKILL);
    int status = 0;
    rusage used{};
    while (::wait4(pid_, &status, 0, &used) < 0 && errno == EINTR) {
    }
    if (usage != nullptr) add(*usage, used);
    pid_ = -1;
    pidfd_ = Pidfd();
    return status;
}

} // namespace iso::pv
