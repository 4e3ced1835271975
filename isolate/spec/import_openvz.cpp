#include "isolate/spec/import_parts.hpp"
#include "isolate/spec/names.hpp"

#include <fmt/format.h>

#include <algorithm>

// OpenVZ's and Virtuozzo's ve.conf(5), also called ctid.conf(5); vzctl(8) says what each means.

namespace iso::jail::foreign {

namespace {

constexpr char const* k_vzctl = "ve.conf(5), vzctl(8)";
constexpr std::uint64_t k_vz_page = 4096;

constexpr Loss k_vz_losses[] = {
    {"VERSION", "it is the file's own"},
    {"ONBOOT", "isolate starts what it is told to start"},
    {"BOOTORDER", "isolate starts what it is told to start"},
    {"DISABLED", "a jail that shall not start is not started"},
    {"OSTEMPLATE", "the root is there already, however it was made"},
    {"TEMPLATES", "the root is there already, however it was made"},
    {"ORIGIN_SAMPLE", "it tells of the file's own origin"},
    {"CONFIG_CUSTOMIZED", "it tells of the file's own origin"},
    {"VE_ROOT",
     "the root is shown from where it lies (VE_PRIVATE), without a mount point on the host"},
    {"VE_LAYOUT", "the root is a directory"},
    {"NAMESERVER", "resolv.conf is the root's own"},
    {"SEARCHDOMAIN", "resolv.conf is the root's own"},
    {"DISKINODES", "a directory has no count of files"},
    {"QUOTA*", "quotas are the host's file system's"},
    {"DISK_QUOTA", "quotas are the host's file system's"},
    {"NUMFILE", "rlimit nofile bounds it for each process"},
    {"NUMFLOCK", "rlimit locks bounds it for each process"},
    {"NUMPTY", "terminals are not counted for a jail"},
    {"NUMSIGINFO", "rlimit sigpending bounds it for each user"},
    {"NUMTCPSOCK", "sockets are not counted for a jail"},
    {"NUMOTHERSOCK", "sockets are not counted for a jail"},
    {"NUMIPTENT", "netfilter rules are not counted for a jail"},
    {"KMEMSIZE", "kernel memory is part of memory"},
    {"DCACHESIZE", "kernel memory is part of memory"},
    {"TCPSNDBUF", "socket buffers are part of memory"},
    {"TCPRCVBUF", "socket buffers are part of memory"},
    {"OTHERSOCKBUF", "socket buffers are part of memory"},
    {"DGRAMRCVBUF", "socket buffers are part of memory"},
    {"SHMPAGES", "shared memory is part of memory"},
    {"OOMGUARPAGES", "oom-score-adjust says who is ended first"},
    {"AVNUMPROC", "it is a forecast, not a limit"},
    {"RATE*", "the network's rate is not bounded"},
    {"NETFILTER", "netfilter's modules are the host's"},
    {"IPTABLES", "netfilter's modules are the host's"},
    {"IOPRIO", "the input/output priority is not set; io-weight gives a share"},
    {"IOLIMIT", "it counts all disks together; io-limit is for one device"},
    {"IOPSLIMIT", "it counts all disks together; io-limit is for one device"},
    {"FEATURES", "there are no features to switch on: mounts and devices are named one by one"},
    {"DEVICES", "old form without a name: give device-rule"},
    {"DEVNODES", "the node's numbers are the host's: give device and device-rule"},
    {"PCI", "a PCI device is not handed over"},
    {"STOP_TIMEOUT", "isolate kill sends what it is told to send"},
    {"NOATIME", "give it as an option of a mount"},
    {"VM_OVERCOMMIT", "overcommitment is the host's policy"},
    {"MAC_FILTER", "packets are not filtered by hardware address"},
    {"SLMMODE", "there is one way to count memory"},
    {"MEMINFO", "/proc/meminfo shows the machine's"},
};

class VzReader {
public:
    VzReader(Importer& importer, std::string const& where, std::string const& id)
        : in_(importer)
        , where_(where)
        , id_(id) {}

    Result<void> line(std::string_view text, std::size_t number) {
        auto const begin = text.find_first_not_of(" \t\r");
        if (begin == text.npos || text[begin] == '#') return {};
        text.remove_prefix(begin);
        text = text.substr(0, text.find_last_not_of(" \t\r") + 1);
        auto const equals = text.find('=');
        std::string_view const letters =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
        if (equals == text.npos || equals == 0 ||
            text.substr(0, equals).find_first_not_of(letters) != text.npos)
            return error(fmt::format("{}:{}", where_, number), "no PARAMETER=\"value\"",
                         "a file in the form of ve.conf(5)");
        std::string name(text.substr(0, equals));
        std::string value(text.substr(equals + 1));
        if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
            value.back() == value.front())
            value = value.substr(1, value.size() - 2);
        for (char const* variable : {"$VEID", "${VEID}", "$CTID", "${CTID}"})
            for (std::size_t at = value.find(variable);
                 at != value.npos && value.size() < 65536 && !id_.empty();
                 at = value.find(variable, at + id_.size()))
                value.replace(at, std::string_view(variable).size(), id_);
        take({fmt::format("{}:{}", where_, number), name, {value}, name + "=" + value});
        return {};
    }

private:
    /// "barrier:limit" of pages; the limit counts, in bytes.
    static std::string pages(std::string const& value) {
        auto const colon = value.find(':');
        std::string limit = colon == value.npos ? value : value.substr(colon + 1);
        if (limit == "unlimited" || limit == "9223372036854775807" || limit == "2147483647")
            return "unlimited";
        if (auto const number = plain_number(limit); number && *number < (std::uint64_t{1} << 51U))
            return std::to_string(*number * k_vz_page);
        if (limit.ends_with('P') || limit.ends_with('p')) { // of pages
            if (auto const number = plain_number(limit.substr(0, limit.size() - 1));
                number && *number < (std::uint64_t{1} << 51U))
                return std::to_string(*number * k_vz_page);
        }
        return limit;
    }
    static std::string items(std::string const& value) {
        auto const colon = value.find(':');
        std::string const limit = colon == value.npos ? value : value.substr(colon + 1);
        if (limit == "9223372036854775807" || limit == "2147483647") return "unlimited";
        return limit;
    }

    void take(Setting const& s) {
        std::string const& name = s.name;
        std::string const value = s.value();
        if (name == "HOSTNAME") {
            in_.keep(s, k_vzctl, {{"hostname", value}});
        } else if (name == "NAME") {
            in_.keep(s, k_vzctl, {{"name", value}});
        } else if (name == "DESCRIPTION") {
            in_.keep(s, k_vzctl, {{"annotation", "description=" + value}});
        } else if (name == "VE_PRIVATE") {
            in_.keep(s, k_vzctl, {{"root", value}, {"root-mode", "writable"}});
        } else if (name == "IP_ADDRESS") {
            std::vector<Said> said{{"network", "bridge"}};
            for (std::string const& address : words_of(value))
                said.emplace_back("address", with_prefix(address));
            in_.approximate(s, k_vzctl, said,
                            "venet is routed by the host; here the jail is plugged into a bridge");
        } else if (name == "NETIF") {
            network_interface(s);
        } else if (name == "CAPABILITY") {
            capabilities(s);
        } else if (name == "BINDMOUNT") {
            for (std::string const& each : words_of(value, " \t"))
                bind_mount(s, each);
        } else {
            limits(s);
        }
    }

    void limits(Setting const& s) {
        std::string const& name = s.name;
        std::string const value = s.value();
        if (name == "PHYSPAGES") {
            in_.keep(s, k_vzctl, {{"memory", pages(value)}});
        } else if (name == "SWAPPAGES") {
            in_.keep(s, k_vzctl, {{"swap", pages(value)}});
        } else if (name == "PRIVVMPAGES") {
            in_.approximate(s, k_vzctl,
                            in_.spec.limits.memory ? std::vector<Said>{}
                                                   : std::vector<Said>{{"memory", pages(value)}},
                            "there it bounds what is promised, here memory bounds what is used");
        } else if (name == "VMGUARPAGES" || name == "VMMGUARPAGES") {
            in_.approximate(s, k_vzctl, {{"memory-low", pages(value)}},
                            "protected as far as possible, not guaranteed");
        } else if (name == "LOCKEDPAGES") {
            in_.approximate(s, k_vzctl, {{"rlimit", "memlock=" + pages(value)}},
                            "for each process, not for the jail");
        } else if (name == "NUMPROC") {
            in_.keep(s, k_vzctl, {{"pids", items(value)}});
        } else if (name == "CPUUNITS") {
            // vzctl(8): 1000 is usual, 8 to 500000; a control group's usual weight is 1024.
            auto const units = plain_number(value);
            auto const shares =
                units ? std::clamp<std::uint64_t>(*units * 1024 / 1000, 2, 262144) : 0;
            in_.approximate(s, k_vzctl, {{"cpu-shares", units ? std::to_string(shares) : value}},
                            "1000 units there are 1024 shares here");
        } else if (name == "CPULIMIT") {
            auto const percent =
                plain_number(value.ends_with('%') ? value.substr(0, value.size() - 1) : value);
            if (percent && *percent == 0)
                in_.keep(s, k_vzctl, {});
            else
                in_.keep(s, k_vzctl,
                         {{"cpus", percent ? fmt::format("{}.{:02}", *percent / 100, *percent % 100)
                                           : value}});
        } else if (name == "CPUS" && plain_number(value)) {
            in_.approximate(s, k_vzctl, {{"cpus", value}},
                            "the time of so many processors; all are visible");
        } else if (name == "CPUMASK") {
            in_.keep(s, k_vzctl, {{"cpuset", value}});
        } else if (name == "NODEMASK") {
            in_.keep(s, k_vzctl, {{"memory-nodes", value}});
        } else if (name == "DISKSPACE") {
            in_.lose(
                s, k_vzctl,
                "a directory has no quota; root-mode = overlay with root-quota has one, in memory");
        } else if (Loss const* loss = find_loss(k_vz_losses, name)) {
            in_.lose(s, k_vzctl, loss->why);
        } else {
            in_.lose(s, k_vzctl, "isolate does not know this parameter");
        }
    }

    /// ifname=eth0,bridge=vmbr0,mac=...,host_ifname=...
    void network_interface(Setting const& s) {
        std::vector<Said> said{{"network", "bridge"}};
        for (std::string const& part : words_of(s.value(), ",;")) {
            if (part.starts_with("ifname=")) said.emplace_back("interface", part.substr(7));
            if (part.starts_with("bridge=")) said.emplace_back("bridge", part.substr(7));
        }
        in_.approximate(s, k_vzctl, said,
                        "one interface; hardware addresses and the host's name of it are chosen");
    }

    void capabilities(Setting const& s) {
        std::string list, off;
        for (std::string const& each : words_of(s.value())) {
            auto const colon = each.find(':');
            std::string const name = each.substr(0, colon);
            if (colon == each.npos || each.substr(colon + 1) != "on")
                off += (off.empty() ? "" : ", ") + name;
            else
                list += (list.empty() ? "" : ",") + name;
        }
        in_.approximate(s, k_vzctl, {{"capabilities", list.empty() ? "none" : list}},
                        "what is not switched on here is off" +
                            (off.empty() ? std::string() : ", as asked for " + off));
    }

    /// Virtuozzo: /source:/target[,option...].
    void bind_mount(Setting const& s, std::string const& each) {
        auto const parts = words_of(each, ",");
        if (parts.empty()) return;
        auto const colon = parts[0].find(':');
        std::string const source = parts[0].substr(0, colon);
        std::string text =
            mount_parts("bind", source, colon == each.npos ? source : parts[0].substr(colon + 1)) +
            ",recursive";
        for (std::size_t i = 1; i < parts.size(); ++i)
            text += "," + parts[i];
        in_.keep(s, "prlctl(8), vzctl(8)", {{"mount", text}});
    }

    Importer& in_;
    std::string const& where_;
    std::string const& id_;
};

} // namespace

Result<Importer> import_openvz(std::string_view text, std::string const& where,
                               std::string const& id) {
    Importer importer;
    VzReader reader(importer, where, id);
    std::size_t number = 0;
    while (!text.empty()) {
        auto const end = std::min(text.find('\n'), text.size());
        if (number >= k_max_lines)
            return error(where, fmt::format("more than {} lines", k_max_lines),
                         "the file of one jail");
        TRY(reader.line(text.substr(0, end), ++number));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (importer.lines.empty())
        return error(where, "nothing in it", "a file in the form of ve.conf(5)");
    // A container runs its own init: vzctl(8), "start".
    Setting const init{where, "init", {}, "(a container runs its init)"};
    importer.keep(init, k_vzctl, {{"command", "/sbin/init"}});
    return importer;
}

} // namespace iso::jail::foreign
