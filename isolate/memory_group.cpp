#include "isolate/memory_group.hpp"

#include "common/fd.hpp"
#include "common/scope_exit.hpp"

#include <fmt/format.h>
#include <libcgroup.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <unistd.h>

#include <sys/stat.h>
#include <sys/wait.h>

namespace iso::jail {

namespace {

constexpr char const* k_controller = "memory";

tl::unexpected<Error> group_error(std::string op, int code) {
    if (code == ECGOTHER) return error(std::move(op), std::strerror(cgroup_get_last_errno()));
    return error(std::move(op), cgroup_strerror(code));
}

struct GroupDeleter {
    void operator()(cgroup* group) const { cgroup_free(&group); }
};
using Group = std::unique_ptr<cgroup, GroupDeleter>;

std::string take_string(char* text) {
    std::string const result = text != nullptr ? text : "";
    std::free(text);
    return result;
}

std::uint64_t read_number(std::string const& path) {
    auto const text = read_file(path, 64);
    return text ? std::strtoull(text->c_str(), nullptr, 10) : 0;
}

/// Waits for the end of isolate, then for the end of what was in the group, and removes it.
[[noreturn]] void watch(int pipe, char const* directory) {
    char byte = 0;
    if (::read(pipe, &byte, 1) == 1) ::_exit(0); // removed already
    for (int tries = 0; tries < 10'000 && ::rmdir(directory) != 0 && errno == EBUSY; ++tries)
        ::usleep(1000);
    ::_exit(0);
}

} // namespace

Result<MemoryGroup> MemoryGroup::create(std::uint64_t limit_bytes) {
    if (int const code = cgroup_init(); code != 0) return group_error("cgroup_init", code);
    char* text = nullptr;
    if (int const code = cgroup_get_subsys_mount_point(k_controller, &text); code != 0)
        return group_error("cgroup_get_subsys_mount_point(memory)", code);
    std::string const mount = take_string(text);
    if (int const code = cgroup_get_current_controller_path(::getpid(), k_controller, &text);
        code != 0)
        return group_error("cgroup_get_current_controller_path(memory)", code);
    std::string own = take_string(text);
    if (own == "/") own.clear();

    MemoryGroup made;
    std::string const name = fmt::format("{}/isolate.{}", own, ::getpid());
    made.directory_ = mount + name;
    struct stat info {};
    made.v2_ = ::stat((mount + "/cgroup.controllers").c_str(), &info) == 0;

    Group const group(cgroup_new_cgroup(name.c_str() + 1));
    if (!group) return error("cgroup_new_cgroup", "out of memory");
    cgroup_controller* const controller = cgroup_add_controller(group.get(), k_controller);
    if (controller == nullptr) return error("cgroup_add_controller(memory)", "refused");
    char const* const limit = made.v2_ ? "memory.max" : "memory.limit_in_bytes";
    if (int const code = cgroup_add_value_uint64(controller, limit, limit_bytes); code != 0)
        return group_error(fmt::format("cgroup_add_value({})", limit), code);
    if (made.v2_) (void)cgroup_add_value_uint64(controller, "memory.swap.max", 0);
    if (int const code = cgroup_create_cgroup(group.get(), 0); code != 0) {
        (void)::rmdir(made.directory_.c_str());
        return group_error(fmt::format("cgroup_create_cgroup({})", made.directory_), code);
    }
    made.name_ = name.substr(1);
    // v1 limits memory without swap; where swap is accounted, it is limited to the same.
    std::string const both = made.directory_ + "/memory.memsw.limit_in_bytes";
    if (!made.v2_ && ::access(both.c_str(), W_OK) == 0)
        TRY(write_file(both, std::to_string(limit_bytes)));
    if (read_number(made.directory_ + "/" + limit) == 0)
        return error("cgroup(memory)", "the limit did not take hold");
    TRY(made.start_watcher());
    return made;
}

Result<void> MemoryGroup::start_watcher() {
    Pipe pipe = TRY(Pipe::create());
    pid_t const pid = ::fork();
    if (pid < 0) return sys_error("fork");
    if (pid == 0) {
        ::setsid();
        sigset_t all;
        ::sigfillset(&all);
        ::sigprocmask(SIG_SETMASK, &all, nullptr);
        int const end = ::dup2(pipe.read.get(), 0);
        ::close_range(1, ~0U, 0); // holds none of the caller's descriptors open
        watch(end, directory_.c_str());
    }
    watcher_ = pid;
    watcher_pipe_ = pipe.write.release();
    return {};
}

Result<void> MemoryGroup::attach(pid_t pid) const {
    Group const group(cgroup_new_cgroup(name_.c_str()));
    if (!group || cgroup_add_controller(group.get(), k_controller) == nullptr)
        return error("cgroup_new_cgroup", "out of memory");
    if (int const code = cgroup_attach_task_pid(group.get(), pid); code != 0)
        return group_error(fmt::format("cgroup_attach_task_pid({})", directory_), code);
    return {};
}

std::uint64_t MemoryGroup::refusals() const {
    if (!v2_) // with swap accounted, the joint limit is the one that is met
        return read_number(directory_ + "/memory.failcnt") +
               read_number(directory_ + "/memory.memsw.failcnt");
    auto const events = read_file(directory_ + "/memory.events", 4096);
    auto const at = events ? events->find("\nmax ") : std::string::npos;
    return at == std::string::npos ? 0 : std::strtoull(events->c_str() + at + 5, nullptr, 10);
}

std::uint64_t MemoryGroup::peak_bytes() const {
    return read_number(directory_ + (v2_ ? "/memory.peak" : "/memory.max_usage_in_bytes"));
}

Result<void> MemoryGroup::remove() {
    if (name_.empty()) return {};
    int removed = -1;
    // The last process has been reaped, but the kernel may still be taking it out of its group.
    for (int tries = 0; tries < 1000; ++tries) {
        removed = ::rmdir(directory_.c_str());
        if (removed == 0 || errno != EBUSY) break;
        ::usleep(1000);
    }
    int const code = errno;
    name_.clear();
    if (watcher_pipe_ >= 0) {
        if (removed == 0) (void)!::write(watcher_pipe_, "r", 1);
        ::close(watcher_pipe_);
        watcher_pipe_ = -1;
        while (::waitpid(watcher_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
    errno = code;
    if (removed != 0 && code != ENOENT) return sys_error("rmdir(" + directory_ + ")");
    return {};
}

} // namespace iso::jail
