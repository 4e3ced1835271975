#include "isolate/spec/like.hpp"

#include "isolate/spec/like_rows.hpp"
#include "isolate/spec/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <unistd.h>
#include <vector>

#include <linux/capability.h>
#include <sys/syscall.h>

namespace iso::jail {

namespace {

using From = NamespaceChoice::From;

/// What all of these have in common with an ordinary process, from which each takes away.
void share_everything(JailSpec& spec) {
    for (NamespaceChoice& choice : spec.namespaces)
        choice = {From::host, {}};
    // What chroot(2) changes is what a process sees of files: a mount namespace carries it here.
    spec.at(Namespace::mount) = {};
    spec.network.mode = NetworkSpec::Mode::host;
    spec.masked.emplace();
    spec.read_only_paths.emplace();
    spec.seccomp = {};
    spec.seccomp.profile = SeccompSpec::Profile::none;
    spec.process.no_new_privileges = false;
    spec.landlock = {};
    spec.standard_mounts = true;
    if (spec.root.source == RootSpec::Source::directory) spec.root.mode = RootSpec::Mode::writable;
}

void isolate_kinds(JailSpec& spec, std::initializer_list<Namespace> kinds) {
    for (Namespace const kind : kinds)
        spec.at(kind) = {};
    if (spec.at(Namespace::network).from == From::fresh)
        spec.network.mode = NetworkSpec::Mode::loopback;
}

void keep_capabilities(JailSpec& spec, std::initializer_list<char const*> names) {
    std::uint64_t kept = 0;
    for (char const* name : names)
        kept |= std::uint64_t{1} << capability_number(name).value_or(63);
    spec.process.capabilities = {kept, kept, kept, 0, 0};
}

void be_chroot(JailSpec& spec) {
    share_everything(spec);
    spec.standard_mounts = false;
    std::uint64_t const all = all_capabilities();
    spec.process.capabilities = {all, all, all, 0, 0};
}

void be_freebsd_jail(JailSpec& spec) {
    share_everything(spec);
    isolate_kinds(spec, {Namespace::pid, Namespace::ipc, Namespace::uts});
    keep_capabilities(spec, {"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID",
                             "SETUID", "SETFCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "AUDIT_WRITE"});
}

void be_solaris_zone(JailSpec& spec) {
    share_everything(spec);
    isolate_kinds(spec, {Namespace::pid, Namespace::ipc, Namespace::uts, Namespace::network});
    keep_capabilities(spec, {"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL",
                             "SETGID", "SETUID", "SETPCAP", "SETFCAP", "NET_BIND_SERVICE",
                             "NET_RAW", "NET_ADMIN", "SYS_CHROOT", "AUDIT_WRITE"});
}

void be_openvz(JailSpec& spec) {
    share_everything(spec);
    isolate_kinds(spec, {Namespace::pid, Namespace::ipc, Namespace::uts, Namespace::network,
                         Namespace::cgroup});
    // vzctl's and Virtuozzo's CAPDEFAULTMASK, but for VE_ADMIN and SYS_RESOURCE.
    keep_capabilities(spec,
                      {"CHOWN",          "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER",
                       "FSETID",         "KILL",         "SETGID",          "SETUID",
                       "SETPCAP",        "SETFCAP",      "LINUX_IMMUTABLE", "NET_BIND_SERVICE",
                       "NET_BROADCAST",  "NET_RAW",      "IPC_LOCK",        "IPC_OWNER",
                       "SYS_CHROOT",     "SYS_PTRACE",   "SYS_BOOT",        "SYS_NICE",
                       "SYS_TTY_CONFIG", "MKNOD",        "LEASE",           "AUDIT_WRITE"});
}

void be_linux_vserver(JailSpec& spec) {
    share_everything(spec);
    isolate_kinds(spec, {Namespace::pid, Namespace::ipc, Namespace::uts});
    keep_capabilities(spec, {"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL",
                             "SETGID", "SETUID", "NET_BIND_SERVICE", "SYS_CHROOT", "SYS_PTRACE",
                             "SYS_BOOT", "SYS_TTY_CONFIG", "LEASE", "AUDIT_WRITE"});
}

void be_docker(JailSpec& spec) {
    share_everything(spec);
    isolate_kinds(spec, {Namespace::pid, Namespace::ipc, Namespace::uts, Namespace::network,
                         Namespace::cgroup});
    keep_capabilities(spec, {"CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW",
                             "SETGID", "SETUID", "SETFCAP", "SETPCAP", "NET_BIND_SERVICE",
                             "SYS_CHROOT", "KILL", "AUDIT_WRITE"});
    spec.masked.reset();
    spec.read_only_paths.reset();
    spec.seccomp.profile = SeccompSpec::Profile::standard;
    if (spec.root.source == RootSpec::Source::directory) spec.root.mode = RootSpec::Mode::overlay;
}

void be_bubblewrap(JailSpec& spec) {
    share_everything(spec);
    isolate_kinds(spec, {Namespace::user});
    spec.process.capabilities = {};
    spec.process.no_new_privileges = true;
}

} // namespace

std::span<LikeSystem const> like_systems() {
    static constexpr LikeSystem k_systems[] = {
        {"chroot", "chroot(2)", like::k_chroot, be_chroot},
        {"freebsd-jail", "FreeBSD jail", like::k_freebsd_jail, be_freebsd_jail},
        {"solaris-zone", "Solaris zone", like::k_solaris_zone, be_solaris_zone},
        {"openvz", "OpenVZ container", like::k_openvz, be_openvz},
        {"virtuozzo", "Virtuozzo container", like::k_virtuozzo, be_openvz},
        {"linux-vserver", "Linux-VServer guest", like::k_linux_vserver, be_linux_vserver},
        {"docker", "Docker container", like::k_docker, be_docker},
        {"bubblewrap", "bubblewrap sandbox", like::k_bubblewrap, be_bubblewrap}};
    return k_systems;
}

LikeSystem const* find_like(std::string_view name) {
    for (LikeSystem const& system : like_systems())
        if (name == system.name) return &system;
    return nullptr;
}

std::string like_names() {
    std::string names;
    auto const all = like_systems();
    for (std::size_t i = 0; i < all.size(); ++i)
        names += (i == 0 ? "" : i + 1 == all.size() ? " or " : ", ") + std::string(all[i].name);
    return names;
}

std::uint64_t caller_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> held{};
    if (::syscall(SYS_capget, &header, held.data()) != 0) return 0;
    return held[0].permitted | std::uint64_t{held[1].permitted} << 32U;
}

Result<void> be_like(JailSpec& spec, std::string_view name, std::uint64_t held) {
    LikeSystem const* const system = find_like(name);
    if (system == nullptr)
        return error(
            "", "'" + std::string(name.substr(0, 40)) + "' is no system that isolate can be like",
            like_names());
    system->apply(spec);
    if (spec.at(Namespace::uts).from == From::host) spec.hostname.clear(); // not the jail's to set
    if (spec.at(Namespace::user).from != From::host) return {};
    if ((held >> CAP_SYS_ADMIN & 1U) == 0) {
        // Who has no privileges makes no other namespace without one of users (clone(2)).
        spec.at(Namespace::user) = {};
        return {};
    }
    // Nobody gives away what he does not have.
    CapabilitySpec& sets = spec.process.capabilities;
    for (std::uint64_t* set : {&sets.bounding, &sets.effective, &sets.permitted})
        *set &= held;
    return {};
}

namespace {

/// Cuts text into lines of at most `width`, at blanks.
std::vector<std::string> folded(std::string_view text, std::size_t width) {
    std::vector<std::string> lines;
    while (text.size() > width) {
        auto cut = text.rfind(' ', width);
        if (cut == text.npos || cut == 0) cut = width;
        lines.emplace_back(text.substr(0, cut));
        text.remove_prefix(std::min(text.size(), cut + (text[cut] == ' ' ? 1 : 0)));
    }
    lines.emplace_back(text);
    return lines;
}

} // namespace

std::string like_table(LikeSystem const& system) {
    constexpr std::size_t wide = 36;
    std::string out = fmt::format("{:<13} {:<{}}  {:<{}}  same?\n", "", system.title, wide,
                                  "isolate --like=" + std::string(system.name), wide);
    for (LikeRow const& row : system.rows) {
        auto const there = folded(fmt::format("{} [{}]", row.there, row.source), wide);
        auto const here = folded(row.here, wide);
        char const* const same = row.same == LikeRow::Same::yes      ? "yes"
                                 : row.same == LikeRow::Same::nearly ? "nearly"
                                                                     : "no";
        for (std::size_t i = 0; i < std::max(there.size(), here.size()); ++i)
            out += fmt::format("{:<13} {:<{}}  {:<{}}  {}\n", i == 0 ? row.subject : "",
                               i < there.size() ? there[i] : "", wide,
                               i < here.size() ? here[i] : "", wide, i == 0 ? same : "");
    }
    if (std::string_view(system.name) != "bubblewrap")
        out += "\nWithout privileges, isolate adds a user namespace: there is no other way then.\n";
    // No blanks at the ends of lines: the table is copied into pages.
    std::string trimmed;
    for (char const c : out) {
        if (c == '\n') trimmed.erase(trimmed.find_last_not_of(' ') + 1);
        trimmed += c;
    }
    return trimmed;
}

} // namespace iso::jail
