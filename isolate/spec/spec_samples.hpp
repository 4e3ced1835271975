#pragma once

// Jails for tests: any that the faces may describe, by chance but the same ones in every run.

#include "isolate/spec/names.hpp"
#include "isolate/spec/spec.hpp"

#include <random>
#include <string>
#include <vector>

#include <sys/resource.h>

namespace iso::jail::samples {

class Chance {
public:
    explicit Chance(std::uint64_t seed)
        : random_(seed) {} // NOLINT: the same jails in every run

    std::uint64_t below(std::uint64_t n) { return random_() % n; }
    std::int64_t from_to(std::int64_t least, std::int64_t most) {
        return least +
               static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most - least) + 1));
    }
    bool once_in(std::uint64_t n) { return below(n) == 0; }
    std::uint32_t id() { return static_cast<std::uint32_t>(below(1'000'000)); }

    /// Text that is hard to quote: quotes, commas, '#', newlines, half a UTF-8 sequence.
    std::string text(std::size_t least = 1) {
        static std::vector<std::string> const pieces{
            "a",    "web",  "0",    " ",  ",",    "\\",   "\"",    "'",         "#",    "=",
            "\n",   "\t",   "{",    "}",  ";",    "$(x)", "%s",    "\xc3\xa9",  "\xff", "-",
            "\x01", "\x7f", "type", "ro", "none", "yes",  "usual", "unlimited", "all",  "option="};
        std::string out;
        for (std::uint64_t n = below(6) + least; n > 0; --n)
            out += pieces[below(pieces.size())];
        return out;
    }
    std::string path() { return "/" + text(0); }
    std::string word(std::size_t longest = 12) {
        std::string out;
        for (std::uint64_t n = below(longest) + 1; n > 0; --n)
            out += "abcXYZ019"[below(9)];
        return out;
    }
    /// A name that a map may have: no '=', and UTF-8, as JSON's names are.
    std::string name() {
        return word() + (once_in(3) ? "." + word() : "") + (once_in(4) ? " #'\"" : "");
    }

    template <typename Make>
    auto some(Make make, std::uint64_t most = 3) {
        std::vector<decltype(make())> list;
        for (std::uint64_t n = below(most + 1); n > 0; --n)
            list.push_back(make());
        return list;
    }
    template <typename Enum>
    Enum any() {
        auto const all = names_of(Enum{});
        return all[below(all.size())].value;
    }

private:
    std::mt19937_64 random_;
};

inline MountSpec mount(Chance& chance) {
    MountSpec mount;
    mount.type = chance.once_in(2) ? "bind" : chance.word();
    if (mount.type == "bind" || chance.once_in(2)) mount.source = chance.path();
    mount.target = chance.path();
    mount.recursive = chance.once_in(2);
    mount.read_only = chance.once_in(2);
    mount.no_suid = chance.once_in(2);
    mount.no_dev = chance.once_in(2);
    mount.no_exec = chance.once_in(2);
    mount.options =
        chance.some([&] { return chance.once_in(3) ? "size=" + chance.text() : chance.text(0); });
    return mount;
}

inline void limits(Chance& chance, JailSpec& spec) {
    LimitSpec& limits = spec.limits;
    auto maybe = [&](auto& out, std::int64_t least, std::int64_t most) {
        if (chance.once_in(3)) out = static_cast<std::uint64_t>(chance.from_to(least, most));
    };
    maybe(limits.memory, 0, std::int64_t{1} << 50);
    maybe(limits.memory_low, 0, std::int64_t{1} << 50);
    maybe(limits.swap, 0, std::int64_t{1} << 50);
    maybe(limits.tasks, 2, 4194304);
    maybe(limits.cpu_shares, 2, 262144);
    maybe(limits.cpu_quota_us, 1000, 10'000'000);
    maybe(limits.cpu_period_us, 1000, 1'000'000);
    maybe(limits.io_weight, 10, 1000);
    if (chance.once_in(3)) limits.cpus = "0-1,3";
    if (chance.once_in(3)) limits.memory_nodes = "0";
    limits.io = chance.some([&] {
        IoLimit limit;
        limit.major = chance.from_to(0, 300);
        limit.minor = chance.from_to(0, 300);
        maybe(limit.read_bytes, 0, 1 << 30);
        maybe(limit.write_operations, 0, 1 << 30);
        return limit;
    });
    limits.devices = chance.some([&] {
        DeviceRule rule;
        rule.allow = chance.once_in(2);
        rule.type = "abc"[chance.below(3)];
        if (chance.once_in(2)) rule.major = chance.from_to(0, 300);
        if (chance.once_in(2)) rule.minor = chance.from_to(0, 300);
        rule.access = chance.once_in(2) ? "rwm" : "r";
        return rule;
    });
    if (chance.once_in(3)) limits.unified[chance.name()] = chance.text(0);
    limits.required = chance.once_in(2);
    if (chance.once_in(3)) spec.cgroup_path = chance.path();
}

inline void process(Chance& chance, ProcessSpec& process) {
    process.arguments = chance.some([&] { return chance.text(0); });
    process.from_host = chance.once_in(2);
    process.environment = chance.some([&] { return chance.name() + "=" + chance.text(0); });
    if (chance.once_in(2)) process.directory = chance.path();
    if (chance.once_in(2)) process.uid = chance.id();
    if (chance.once_in(2)) process.gid = chance.id();
    process.groups = chance.some([&] { return chance.id(); });
    if (chance.once_in(2)) process.umask = static_cast<std::uint32_t>(chance.below(010000));
    process.terminal = chance.once_in(2);
    process.rows = static_cast<std::uint16_t>(chance.below(100));
    process.columns = static_cast<std::uint16_t>(chance.below(100));
    process.no_new_privileges = chance.once_in(2);
    auto set = [&] {
        return chance.once_in(2)   ? 0
               : chance.once_in(4) ? all_capabilities()
                                   : chance.below(1ULL << 42);
    };
    CapabilitySpec& sets = process.capabilities;
    sets = {set(), set(), set(), set(), set()};
    if (chance.once_in(2)) sets.effective = sets.permitted = sets.bounding;
    if (chance.once_in(2)) {
        ResourceLimit limit;
        limit.resource = chance.once_in(2) ? RLIMIT_NOFILE : RLIMIT_CORE;
        limit.hard = chance.once_in(2) ? ~std::uint64_t{0} : 4096;
        limit.soft = chance.below(4096);
        process.rlimits.push_back(limit);
    }
    if (chance.once_in(2)) process.oom_score_adjust = static_cast<int>(chance.from_to(-1000, 1000));
}

/// The jail number `seed`.
inline JailSpec jail(std::uint64_t seed) {
    Chance chance(seed);
    JailSpec spec;
    if (chance.once_in(2)) spec.name = chance.word();
    if (chance.once_in(2)) spec.hostname = chance.once_in(3) ? "" : chance.word() + ".example";
    if (chance.once_in(2)) spec.domainname = chance.word();
    for (NamespaceChoice& choice : spec.namespaces) {
        if (chance.once_in(4)) choice = {NamespaceChoice::From::host, {}};
        if (chance.once_in(8)) choice = {NamespaceChoice::From::path, chance.path()};
    }
    auto range = [&] { return IdRange{chance.id(), chance.id(), chance.id() + 1}; };
    spec.uids = chance.some(range);
    spec.gids = chance.some(range);
    if (chance.once_in(3))
        spec.monotonic = TimeOffset{chance.from_to(-1'000'000, 1'000'000), 999'999'999};
    if (chance.once_in(3)) spec.boottime = TimeOffset{chance.from_to(-1'000'000, 1'000'000), 0};
    RootSpec& root = spec.root;
    root.source = chance.any<RootSpec::Source>();
    root.mode = chance.any<RootSpec::Mode>();
    if (root.source != RootSpec::Source::empty) root.path = chance.path();
    if (root.source == RootSpec::Source::oci_layout && chance.once_in(2))
        root.reference = chance.text();
    if (chance.once_in(3)) root.upper = chance.path();
    if (chance.once_in(3)) root.quota = chance.below(1 << 30);
    if (chance.once_in(3)) root.unpack_limit = chance.below(1 << 30);
    root.image_defaults = !chance.once_in(3);
    if (chance.once_in(3)) root.propagation = "rslave";
    spec.standard_mounts = chance.once_in(2);
    spec.mounts = chance.some([&] { return mount(chance); });
    spec.devices = chance.some([&] {
        return DeviceSpec{"cbp"[chance.below(3)],
                          chance.path(),
                          chance.from_to(0, 300),
                          chance.from_to(0, 300),
                          static_cast<std::uint32_t>(chance.below(010000)),
                          chance.id(),
                          chance.id()};
    });
    if (chance.once_in(2)) spec.masked = chance.some([&] { return chance.path(); });
    if (chance.once_in(2)) spec.read_only_paths = chance.some([&] { return chance.path(); });
    if (chance.once_in(2)) spec.sysctl["net." + chance.name()] = chance.text(0);
    spec.seccomp.profile = chance.any<SeccompSpec::Profile>();
    if (spec.seccomp.profile == SeccompSpec::Profile::file) spec.seccomp.path = chance.path();
    if (spec.seccomp.profile == SeccompSpec::Profile::text) spec.seccomp.text = chance.text();
    spec.seccomp.ignore_unknown = chance.once_in(2);
    spec.landlock.readable = chance.some([&] { return chance.path(); });
    spec.landlock.writable = chance.some([&] { return chance.path(); });
    limits(chance, spec);
    spec.network.mode = chance.any<NetworkSpec::Mode>();
    if (chance.once_in(2)) spec.network.bridge = chance.word();
    spec.network.addresses = chance.some([&] { return chance.word() + "/24"; });
    if (chance.once_in(2)) spec.network.gateway = chance.word();
    if (chance.once_in(2)) spec.network.interface = chance.word();
    spec.network.mtu = static_cast<std::uint32_t>(chance.below(65536));
    process(chance, spec.process);
    for (char const* moment : {"prestart", "poststop"}) {
        auto hooks = chance.some([&] {
            Hook hook;
            hook.path = chance.path();
            hook.arguments = chance.some([&] { return chance.text(0); });
            hook.environment = chance.some([&] { return chance.name() + "=" + chance.text(0); });
            if (chance.once_in(2)) hook.timeout_seconds = static_cast<int>(chance.from_to(1, 60));
            return hook;
        });
        if (!hooks.empty()) spec.hooks[moment] = std::move(hooks);
    }
    if (chance.once_in(2)) spec.annotations[chance.name()] = chance.text(0);
    return spec;
}

} // namespace iso::jail::samples
