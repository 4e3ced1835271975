#include "isolate/spec/key_tables.hpp"
#include "isolate/spec/like.hpp"

#include <fmt/format.h>

#include <limits>

namespace iso::jail::tables {

namespace {

constexpr char const* k_jail = "The jail";
constexpr char const* k_namespaces = "Namespaces and ids";
constexpr char const* k_network = "Network";

/// HOST_NAME_MAX (gethostname(2)); the kernel takes the same for a domain name.
constexpr std::size_t k_longest_host_name = 64;

Result<void> host_name(std::string& out, std::string_view value) {
    std::string name = TRY(form::text(value));
    if (name.size() > k_longest_host_name)
        return form::wrong(value, "is too long", "at most 64 bytes");
    out = std::move(name);
    return {};
}

Result<void> read_namespace(JailSpec& spec, std::string_view value) {
    auto const [kind, from] = TRY(form::pair(value));
    NamespaceChoice& choice = spec.at(TRY(one_of<Namespace>(kind)));
    if (from == "fresh") {
        choice = {};
    } else if (from == "host") {
        choice = {NamespaceChoice::From::host, {}};
    } else if (from.starts_with("/")) {
        choice = {NamespaceChoice::From::path, from};
    } else {
        return form::wrong(value, "does not say whence",
                           "KIND=fresh, KIND=host, or KIND=/path/of/one to join");
    }
    return {};
}

Values write_namespaces(JailSpec const& spec) {
    Values values;
    for (auto const& [kind, name] : names_of(Namespace{})) {
        NamespaceChoice const& choice = spec.at(kind);
        if (choice == NamespaceChoice{}) continue;
        values.push_back(fmt::format(
            "{}={}", name,
            choice.from == NamespaceChoice::From::path ? choice.path : name_of(choice.from)));
    }
    return values;
}

Result<void> read_range(std::vector<IdRange>& ranges, std::string_view value) {
    auto const first = value.find(':');
    if (first == value.npos)
        return form::wrong(value, "is no range of ids", "INSIDE:OUTSIDE or INSIDE:OUTSIDE:COUNT");
    auto const second = value.find(':', first + 1);
    IdRange range;
    range.inside = TRY(form::id(value.substr(0, first)));
    range.outside = TRY(form::id(value.substr(first + 1, second - first - 1)));
    std::uint64_t const most = std::numeric_limits<std::uint32_t>::max();
    if (second != value.npos)
        range.count =
            static_cast<std::uint32_t>(TRY(form::whole(value.substr(second + 1), 1, most)));
    if (std::uint64_t{range.inside} + range.count > most ||
        std::uint64_t{range.outside} + range.count > most)
        return form::wrong(value, "goes beyond the last id, 4294967294", "a smaller count");
    ranges.push_back(range);
    return {};
}

Values write_ranges(std::vector<IdRange> const& ranges) {
    Values values;
    for (IdRange const& range : ranges)
        values.push_back(fmt::format("{}:{}:{}", range.inside, range.outside, range.count));
    return values;
}

Result<void> read_offset(std::optional<TimeOffset>& out, std::string_view value) {
    auto const comma = value.find(',');
    TimeOffset offset;
    offset.seconds = TRY(form::integer(value.substr(0, comma), -9'223'372'036, 9'223'372'036));
    if (comma != value.npos)
        offset.nanoseconds =
            static_cast<std::uint32_t>(TRY(form::whole(value.substr(comma + 1), 0, 999'999'999)));
    out = offset;
    return {};
}

Values write_offset(std::optional<TimeOffset> const& offset) {
    if (!offset) return {};
    return {fmt::format("{},{}", offset->seconds, offset->nanoseconds)};
}

/// What a file name, a control group's name and a table's column can all hold.
Result<void> read_name(JailSpec& spec, std::string_view value) {
    bool good =
        !value.empty() && value.size() <= 128 && value.front() != '.' && value.front() != '-';
    for (char const c : value)
        good = good && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-' || c == '+');
    if (!good)
        return form::wrong(value, "is no name of a jail",
                           "up to 128 of A-Z a-z 0-9 _ . - +, the first no . or -");
    spec.name = value;
    return {};
}

using Kind = Key::Kind;
using Text = std::string_view;
using Base = std::string const&;

constexpr Key k_general_keys[] = {
    {"like", "SYSTEM", k_jail,
     "Isolate what that system isolates and share what it shares (isolate like SYSTEM tells); "
     "before all other keys",
     "freebsd-jail", Kind::one, [](JailSpec& s, Text v, Base) { return be_like(s, v); },
     [](JailSpec const&) { return Values{}; }},
    {"name", "NAME", k_jail, "The jail's name, by which other commands find it", "web", Kind::one,
     [](JailSpec& s, Text v, Base) { return read_name(s, v); },
     [](JailSpec const& s) { return unless(s.name.empty(), s.name); }},
    {"hostname", "NAME", k_jail, "The host name inside; empty: as the host has it", "web.example",
     Kind::one,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         if (!v.empty()) return host_name(s.hostname, v);
         s.hostname.clear();
         return {};
     },
     [](JailSpec const& s) { return unless(s.hostname == JailSpec{}.hostname, s.hostname); }},
    {"domainname", "NAME", k_jail, "The NIS domain name inside", "example", Kind::one,
     [](JailSpec& s, Text v, Base) { return host_name(s.domainname, v); },
     [](JailSpec const& s) { return unless(s.domainname.empty(), s.domainname); }},
    {"annotation", "NAME=VALUE", k_jail, "A note about the jail, kept with it", "owner=web team",
     Kind::list, [](JailSpec& s, Text v, Base) { return add_pair(s.annotations, v); },
     [](JailSpec const& s) { return pairs(s.annotations); }},

    {"namespace", "KIND=FROM", k_namespaces,
     "One of user, mount, pid, network, ipc, uts, cgroup, time: fresh (its own, the default), host "
     "(shared), or the /path of one to join",
     "ipc=host", Kind::list, [](JailSpec& s, Text v, Base) { return read_namespace(s, v); },
     write_namespaces},
    {"uid-map", "INSIDE:OUTSIDE[:COUNT]", k_namespaces, "User ids inside and what they are outside",
     "0:100000:65536", Kind::list, [](JailSpec& s, Text v, Base) { return read_range(s.uids, v); },
     [](JailSpec const& s) { return write_ranges(s.uids); }},
    {"gid-map", "INSIDE:OUTSIDE[:COUNT]", k_namespaces,
     "Group ids inside and what they are outside", "0:100000:65536", Kind::list,
     [](JailSpec& s, Text v, Base) { return read_range(s.gids, v); },
     [](JailSpec const& s) { return write_ranges(s.gids); }},
    {"monotonic-offset", "SECONDS[,NANOSECONDS]", k_namespaces,
     "Added to CLOCK_MONOTONIC inside (time_namespaces(7))", "3600", Kind::one,
     [](JailSpec& s, Text v, Base) { return read_offset(s.monotonic, v); },
     [](JailSpec const& s) { return write_offset(s.monotonic); }},
    {"boottime-offset", "SECONDS[,NANOSECONDS]", k_namespaces,
     "Added to CLOCK_BOOTTIME inside: uptime(1) shows it", "86400,500000000", Kind::one,
     [](JailSpec& s, Text v, Base) { return read_offset(s.boottime, v); },
     [](JailSpec const& s) { return write_offset(s.boottime); }},

    {"sysctl", "NAME=VALUE", k_namespaces,
     "A kernel parameter of the jail's own namespaces (sysctl(8))", "net.ipv4.ip_forward=1",
     Kind::list, [](JailSpec& s, Text v, Base) { return add_pair(s.sysctl, v); },
     [](JailSpec const& s) { return pairs(s.sysctl); }},

    {"network", "MODE", k_network,
     "none, loopback (the default), host (shared), bridge (a veth pair into a bridge), or user "
     "(pasta or slirp4netns)",
     "bridge", Kind::one,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.network.mode = TRY(one_of<NetworkSpec::Mode>(v));
         return {};
     },
     [](JailSpec const& s) {
         return unless(s.network.mode == NetworkSpec{}.mode, std::string(name_of(s.network.mode)));
     }},
    {"bridge", "NAME", k_network, "The host's bridge that the jail is plugged into", "br0",
     Kind::one,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.network.bridge = TRY(form::text(v));
         return {};
     },
     [](JailSpec const& s) {
         return unless(s.network.bridge == NetworkSpec{}.bridge, s.network.bridge);
     }},
    {"address", "ADDRESS/PREFIX", k_network, "An address of the jail's interface", "10.88.0.2/16",
     Kind::list,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.network.addresses.push_back(TRY(form::text(v)));
         return {};
     },
     [](JailSpec const& s) { return s.network.addresses; }},
    {"gateway", "ADDRESS", k_network,
     "Where the default route leads; also the bridge's own address", "10.88.0.1", Kind::one,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.network.gateway = TRY(form::text(v));
         return {};
     },
     [](JailSpec const& s) { return unless(s.network.gateway.empty(), s.network.gateway); }},
    {"interface", "NAME", k_network, "The interface's name inside", "net0", Kind::one,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.network.interface = TRY(form::text(v));
         return {};
     },
     [](JailSpec const& s) {
         return unless(s.network.interface == NetworkSpec{}.interface, s.network.interface);
     }},
    {"mtu", "BYTES", k_network, "The interface's largest packet", "1500", Kind::one,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.network.mtu = static_cast<std::uint32_t>(TRY(form::whole(v, 0, 65535)));
         return {};
     },
     [](JailSpec const& s) { return unless(s.network.mtu == 0, std::to_string(s.network.mtu)); }},
};

} // namespace

std::span<Key const> general_keys() {
    return k_general_keys;
}

} // namespace iso::jail::tables
