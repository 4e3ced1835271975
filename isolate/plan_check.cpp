#include "isolate/plan_check.hpp"

#include "common/elf.hpp"
#include "common/fd.hpp"
#include "common/mapping.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

namespace iso::jail {

namespace {

tl::unexpected<Error> unsupported(char const* key) {
    return error(key, "not supported yet", "leave it at what it usually is");
}

} // namespace

Result<void> check_supported(JailSpec const& spec) {
    if (spec.process.arguments.empty()) return error("process", "no program is named");
    if (!spec.process.from_host) return unsupported("a program of the root's own");
    for (NamespaceChoice const& choice : spec.namespaces)
        if (choice.from != NamespaceChoice::From::fresh) return unsupported("namespaces");
    if (!spec.domainname.empty()) return unsupported("domainname");
    if (!spec.uids.empty() || !spec.gids.empty()) return unsupported("uids");
    if (spec.monotonic || spec.boottime) return unsupported("time offsets");
    if (spec.root.source > RootSpec::Source::directory ||
        spec.root.mode != RootSpec::Mode::read_only || !spec.standard_mounts)
        return unsupported("root");
    for (MountSpec const& mount : spec.mounts)
        if (mount.type != "bind" || !mount.read_only || !mount.options.empty())
            return unsupported("mounts");
    if (!spec.devices.empty()) return unsupported("devices");
    if (spec.masked || spec.read_only_paths) return unsupported("masked and read-only paths");
    if (!spec.sysctl.empty()) return unsupported("sysctl");
    if (spec.seccomp.profile != SeccompSpec::Profile::standard) return unsupported("seccomp");
    if (spec.landlock.wanted()) return unsupported("landlock");
    if (spec.network.mode != NetworkSpec::Mode::loopback &&
        spec.network.mode != NetworkSpec::Mode::bridge)
        return unsupported("network");
    ProcessSpec const& process = spec.process;
    if (process.uid != 0 || process.gid != 0 || !process.groups.empty()) return unsupported("uid");
    if (process.umask) return unsupported("umask");
    if (!process.no_new_privileges || process.capabilities.bounding != 0 ||
        process.capabilities.permitted != 0)
        return unsupported("capabilities");
    if (!process.rlimits.empty()) return unsupported("rlimits");
    if (process.oom_score_adjust) return unsupported("oom_score_adjust");
    return {};
}

Result<void> check_program(JailPlan const& plan, JailSpec const& spec) {
    Fd const file = TRY(Fd::open(plan.program, O_RDONLY));
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) return sys_error("fstat(" + plan.program + ")");
    if (plan.ids.by_parent && (info.st_mode & S_IXOTH) == 0)
        return tl::unexpected<Error>(
            Error{"exec(" + plan.program + ")",
                  fmt::format("mode {:04o}: inside it is run by an id that is nobody's on the "
                              "host, and others may not execute it",
                              info.st_mode & 07777),
                  "chmod o+x " + plan.program, EACCES, exit_code::cannot_execute});
    if (spec.root.source == RootSpec::Source::directory)
        return {}; // its interpreter may lie there: the kernel decides
    Mapping image;
    if (info.st_size > 0)
        image = TRY(Mapping::create(static_cast<std::size_t>(info.st_size), PROT_READ, MAP_PRIVATE,
                                    file.get()));
    auto const parsed = ElfImage::parse(image.bytes(), spec.process.arguments.front());
    if (!parsed) return tl::unexpected<Error>(parsed.error());
    return {};
}

} // namespace iso::jail
