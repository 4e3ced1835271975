#include "common/fd.hpp"
#include "common/program.hpp"
#include "common/subprocess.hpp"
#include "isolate/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/syscall.h>

// Who the program is on the host.
//
// A jail that names no ranges has one id: the program's, in a user namespace of its own. Outside:
//  * an ordinary user's program is that user (the only id that such a user may map,
//    user_namespaces(7), "Defining user and group ID mappings");
//  * root's program is an id that nobody else has. It is never the host's root: files of root would
//    be its own, and the kernel does not apply RLIMIT_NPROC to the host's root, so a fork bomb
//    would not be bounded.
//
// Ranges are written by isolate when it may (CAP_SETUID, as root has it), else by newuidmap(1) and
// newgidmap(1), which are set-user-id and obey /etc/subuid and /etc/subgid.

namespace iso::jail {

namespace {

/// Above every range that distributions hand out (systemd's containers end at 0x6fffffff).
constexpr uid_t k_first_private_id = 0x70000000;
constexpr uid_t k_private_ids = 0x400000; // one for each process id there can be

/// The first 32 capabilities that isolate has.
std::uint32_t capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> data{};
    return ::syscall(SYS_capget, &header, data.data()) == 0 ? data[0].effective : 0;
}

bool holds_setuid(std::uint32_t capable) {
    std::uint32_t const wanted = (1U << CAP_SETUID) | (1U << CAP_SETGID);
    return (capable & wanted) == wanted;
}

/// In a container the ids beyond its own map do not exist.
bool every_id_exists() {
    auto const map = read_file("/proc/self/uid_map", 4096);
    return map && map->find("4294967295") != std::string::npos;
}

bool has_id(std::vector<IdRange> const& ranges, std::uint32_t id) {
    return std::any_of(ranges.begin(), ranges.end(), [&](IdRange const& range) {
        return id >= range.inside && id - range.inside < range.count;
    });
}

std::uint32_t outside_of(std::vector<IdRange> const& ranges, std::uint32_t id) {
    for (IdRange const& range : ranges)
        if (id >= range.inside && id - range.inside < range.count)
            return range.outside + (id - range.inside);
    return ~0U;
}

/// Root inside sets up when there is one, else the program's own id.
std::uint32_t setup_id(std::vector<IdRange> const& ranges, std::uint32_t program) {
    return has_id(ranges, 0) ? 0 : program;
}

std::string map_text(std::vector<IdRange> const& ranges) {
    std::string text;
    for (IdRange const& range : ranges)
        fmt::format_to(std::back_inserter(text), "{} {} {}\n", range.inside, range.outside,
                       range.count);
    return text;
}

Result<void> write_map(pid_t child, char const* file, std::vector<IdRange> const& ranges) {
    std::string const path = fmt::format("/proc/{}/{}", child, file);
    Fd const map = TRY(Fd::open(path, O_WRONLY));
    auto written = write_all(map.get(), map_text(ranges));
    if (!written) {
        written.error().op = "write(" + path + ")";
        if (written.error().code == EINVAL)
            written.error().hint = "ranges that do not overlap and whose ids exist here";
    }
    return written;
}

Result<void> call_helper(char const* name, pid_t child, std::vector<IdRange> const& ranges,
                         char const* file) {
    auto const path = find_program(name);
    std::string const hint = fmt::format("the package uidmap, and your line in {}", file);
    if (!path) return error(name, "an ordinary user maps more than one id through it", hint);
    std::vector<std::string> command{*path, std::to_string(child)};
    for (IdRange const& range : ranges)
        for (std::uint32_t const number : {range.inside, range.outside, range.count})
            command.push_back(std::to_string(number));
    Finished const done = TRY(run_and_capture(command, 10'000'000'000));
    if (done.exit_status() == 0) return {};
    std::string cause = done.err.substr(0, done.err.find('\n'));
    return error(name, cause.empty() ? "it failed" : std::move(cause), hint);
}

} // namespace

IdMap choose_ids(JailSpec const& spec) {
    IdMap ids;
    std::uint32_t const capable = ::geteuid() == 0 ? capabilities() : 0;
    bool const may_map = holds_setuid(capable);
    ids.fresh = spec.at(Namespace::user).from == NamespaceChoice::From::fresh;
    ids.host_uid = ::geteuid();
    ids.host_gid = ::getegid();
    if (!ids.fresh) {
        ids.may_mount = (capable & (1U << CAP_SYS_ADMIN)) != 0;
        return ids;
    }
    ids.uids = spec.uids;
    ids.gids = spec.gids;
    bool const ranges = !ids.uids.empty() || !ids.gids.empty();
    bool const any_id = may_map && every_id_exists();
    ids.by_parent = ranges || any_id;
    ids.by_helper = ranges && !may_map;
    ids.may_mount = may_map && ids.by_parent && (capable & (1U << CAP_SYS_ADMIN)) != 0;
    if (any_id) {
        ids.host_uid = k_first_private_id + static_cast<uid_t>(::getpid()) % k_private_ids;
        ids.host_gid = ids.host_uid;
    }
    if (ids.uids.empty()) ids.uids = {{spec.process.uid, ids.host_uid, 1}};
    if (ids.gids.empty()) ids.gids = {{spec.process.gid, ids.host_gid, 1}};
    ids.setup_uid = setup_id(ids.uids, spec.process.uid);
    ids.setup_gid = setup_id(ids.gids, spec.process.gid);
    ids.host_uid = outside_of(ids.uids, ids.setup_uid);
    ids.host_gid = outside_of(ids.gids, ids.setup_gid);
    return ids;
}

Result<void> write_id_maps(IdMap const& ids, pid_t child) {
    if (ids.by_helper) {
        TRY(call_helper("newuidmap", child, ids.uids, "/etc/subuid"));
        return call_helper("newgidmap", child, ids.gids, "/etc/subgid");
    }
    TRY(write_map(child, "uid_map", ids.uids));
    return write_map(child, "gid_map", ids.gids);
}

} // namespace iso::jail
