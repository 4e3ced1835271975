#include "isolate/plan_check.hpp"

#include "common/elf.hpp"
#include "common/fd.hpp"
#include "common/mapping.hpp"
#include "isolate/mount_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace iso::jail {

namespace {

tl::unexpected<Error> unsupported(char const* key, char const* cause = "is not supported yet",
                                  char const* next = "a jail without it") {
    return error(key, cause, next);
}

bool maps(std::vector<IdRange> const& ranges, std::uint32_t id) {
    return std::any_of(ranges.begin(), ranges.end(), [&](IdRange const& range) {
        return id >= range.inside && id - range.inside < range.count;
    });
}

/// What no part of isolate does yet is refused, so that nobody relies on it.
Result<void> check_others(JailSpec const& spec) {
    if (spec.network.mode == NetworkSpec::Mode::user) return unsupported("--network user");
    return {};
}

Result<void> check_ids(JailSpec const& spec, IdMap const& ids) {
    ProcessSpec const& process = spec.process;
    if (!ids.fresh) {
        if (!spec.uids.empty() || !spec.gids.empty())
            return error("--uid-map", "only a user namespace of the jail's own has maps",
                         "--namespace user=fresh");
        return {};
    }
    if (!maps(ids.uids, process.uid))
        return error("--user", fmt::format("no id of the host is mapped to uid {}", process.uid),
                     fmt::format("--uid-map {}:HOST_ID", process.uid));
    if (!maps(ids.gids, process.gid))
        return error("--user", fmt::format("no id of the host is mapped to gid {}", process.gid),
                     fmt::format("--gid-map {}:HOST_ID", process.gid));
    for (std::uint32_t const group : process.groups)
        if (!maps(ids.gids, group))
            return error("--group", fmt::format("no id of the host is mapped to gid {}", group),
                         fmt::format("--gid-map {}:HOST_ID", group));
    if (!process.groups.empty() && !ids.by_parent)
        return error("--group", "who may map one id only may have no further groups",
                     "--uid-map and --gid-map with ranges from /etc/subuid and /etc/subgid");
    return {};
}

/// Who shares the host's user namespace cannot have more than its caller has.
Result<void> check_capabilities(JailSpec const& spec, IdMap const& ids) {
    CapabilitySpec const& sets = spec.process.capabilities;
    std::uint64_t const wanted = sets.permitted | sets.effective | sets.ambient;
    if ((sets.effective & ~sets.permitted) != 0)
        return error("capabilities", "the effective set exceeds the permitted one");
    if ((sets.ambient & ~(sets.permitted & sets.inheritable)) != 0)
        return error("capabilities", "the ambient set exceeds the permitted and inheritable ones");
    if (ids.fresh || wanted == 0) return {};
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct held[2] = {};
    if (::syscall(SYS_capget, &header, held) != 0) return sys_error("capget");
    std::uint64_t const own = held[0].permitted | std::uint64_t{held[1].permitted} << 32U;
    std::uint64_t const lacking = wanted & ~own;
    if (lacking == 0) return {};
    return error("capabilities",
                 fmt::format("capability {} is not yours to give", std::countr_zero(lacking)),
                 "--namespace user=fresh, in which all of them are the jail's own");
}

} // namespace

Result<void> check_process(JailSpec const& spec, IdMap const& ids) {
    if (spec.process.arguments.empty() || spec.process.arguments.front().empty())
        return error("PROGRAM", "no program is named");
    TRY(check_ids(spec, ids));
    return check_capabilities(spec, ids);
}

Result<void> check_spec(JailSpec const& spec, IdMap const& ids, bool from_root) {
    TRY(check_process(spec, ids));
    if (spec.root.source == RootSpec::Source::empty && from_root && spec.mounts.empty() &&
        spec.at(Namespace::mount).from == NamespaceChoice::From::fresh)
        return error("PROGRAM", "the root is empty: there is no program in it",
                     "--root, or a mount that brings one");
    TRY(check_others(spec));
    if (propagation_flags(spec.root.propagation) == 0)
        return error("root-propagation", "'" + spec.root.propagation + "' is none",
                     "private, slave, shared, unbindable");
    return {};
}

Result<void> check_program(JailPlan const& plan, JailSpec const& spec) {
    Fd const file = TRY(Fd::open(plan.program, O_RDONLY));
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) return sys_error("fstat(" + plan.program + ")");
    if (plan.ids.by_parent && !plan.ids.by_helper && (info.st_mode & S_IXOTH) == 0)
        return tl::unexpected<Error>(
            Error{"exec(" + plan.program + ")",
                  fmt::format("mode {:04o}: inside it is run by an id that is nobody's on the "
                              "host, and others may not execute it",
                              info.st_mode & 07777),
                  "chmod o+x " + plan.program, EACCES, exit_code::cannot_execute});
    // Its interpreter may lie in the root: the kernel decides.
    if (spec.root.source != RootSpec::Source::empty ||
        spec.at(Namespace::mount).from != NamespaceChoice::From::fresh)
        return {};
    Mapping image;
    if (info.st_size > 0)
        image = TRY(Mapping::create(static_cast<std::size_t>(info.st_size), PROT_READ, MAP_PRIVATE,
                                    file.get()));
    auto const parsed = ElfImage::parse(image.bytes(), spec.process.arguments.front());
    if (!parsed) return tl::unexpected<Error>(parsed.error());
    return {};
}

} // namespace iso::jail
