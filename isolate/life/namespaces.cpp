#include "isolate/life/namespaces.hpp"

#include <fmt/format.h>

#include <linux/sched.h>
#include <sys/stat.h>

namespace iso::jail {

namespace {

struct KernelName {
    char const* file;
    int flag;
};
constexpr KernelName k_kernel_names[] = {{"user", CLONE_NEWUSER},     {"mnt", CLONE_NEWNS},
                                         {"pid", CLONE_NEWPID},       {"net", CLONE_NEWNET},
                                         {"ipc", CLONE_NEWIPC},       {"uts", CLONE_NEWUTS},
                                         {"cgroup", CLONE_NEWCGROUP}, {"time", CLONE_NEWTIME}};

} // namespace

Result<int> foreign_namespaces(pid_t pid) {
    int flags = 0;
    for (KernelName const& name : k_kernel_names) {
        struct stat ours {};
        struct stat theirs {};
        if (::stat(fmt::format("/proc/self/ns/{}", name.file).c_str(), &ours) != 0)
            continue; // this kernel has none of the kind
        std::string const path = fmt::format("/proc/{}/ns/{}", pid, name.file);
        if (::stat(path.c_str(), &theirs) != 0)
            return sys_error("stat(" + path + ")", "the user who made the jail");
        if (ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev) flags |= name.flag;
    }
    return flags;
}

} // namespace iso::jail
