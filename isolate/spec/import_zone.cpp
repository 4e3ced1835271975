#include "isolate/spec/import_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

// What `zonecfg -z NAME export` prints: the commands of zonecfg(8) that make the zone again.

namespace iso::jail::foreign {

namespace {

constexpr char const* k_zonecfg = "zonecfg(8)";

constexpr Loss k_zone_losses[] = {
    {"autoboot", "isolate starts what it is told to start"},
    {"brand", "the programs are Linux programs; there is no other brand"},
    {"bootargs", "a jail has no boot arguments: command gives the program's"},
    {"pool", "Linux has no resource pools; cpuset names processors"},
    {"scheduling-class", "the scheduling class is not set"},
    {"hostid", "Linux has one host id for the machine"},
    {"tmpfs", "a quota for each tmpfs: give it as size= of a mount"},
    {"fs-allowed", "a jail mounts no file systems by itself"},
    {"uuid", "jails have names"},
    {"max-msg-ids", "sysctl kernel.msgmni bounds the jail's message queues"},
    {"max-sem-ids", "sysctl kernel.sem bounds the jail's semaphores"},
    {"max-shm-ids", "sysctl kernel.shmmni bounds the jail's shared memory segments"},
    {"max-shm-memory", "sysctl kernel.shmall bounds the jail's shared memory"},
    {"max-locked-memory", "rlimit memlock bounds it for each process"},
    {"zfs-io-priority", "io-weight gives a share of the disks"},
    {"dataset", "Linux mounts file systems, it does not hand over ZFS datasets"},
    {"admin", "who may manage a jail is who may run isolate"},
    {"security-flags", "address-space randomisation is the kernel's policy"},
};

/// Privileges of privileges(7) and the capability that is nearest.
std::map<std::string, std::string> const& privileges() {
    static std::map<std::string, std::string> const table{{"net_privaddr", "CAP_NET_BIND_SERVICE"},
                                                          {"net_rawaccess", "CAP_NET_RAW"},
                                                          {"net_icmpaccess", "CAP_NET_RAW"},
                                                          {"file_chown", "CAP_CHOWN"},
                                                          {"file_dac_read", "CAP_DAC_READ_SEARCH"},
                                                          {"file_dac_write", "CAP_DAC_OVERRIDE"},
                                                          {"file_owner", "CAP_FOWNER"},
                                                          {"file_setid", "CAP_FSETID"},
                                                          {"proc_setid", "CAP_SETUID"},
                                                          {"proc_owner", "CAP_KILL"},
                                                          {"proc_chroot", "CAP_SYS_CHROOT"},
                                                          {"proc_lock_memory", "CAP_IPC_LOCK"},
                                                          {"proc_priocntl", "CAP_SYS_NICE"},
                                                          {"sys_time", "CAP_SYS_TIME"},
                                                          {"sys_resource", "CAP_SYS_RESOURCE"},
                                                          {"sys_ip_config", "CAP_NET_ADMIN"},
                                                          {"sys_audit", "CAP_AUDIT_CONTROL"},
                                                          {"proc_audit", "CAP_AUDIT_WRITE"}};
    return table;
}

std::string unquoted(std::string text) {
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
        return text.substr(1, text.size() - 2);
    return text;
}

class ZoneReader {
public:
    ZoneReader(Importer& importer, std::string where)
        : in_(importer)
        , where_(std::move(where)) {}

    Result<void> line(std::string const& text, std::size_t number) {
        number_ = number;
        auto const words = words_of(text, " \t\r");
        if (words.empty() || words[0].starts_with("#")) return {};
        std::string const& verb = words[0];
        if (verb == "create" || verb == "verify" || verb == "commit" || verb == "exit") return {};
        if (verb == "end") return end();
        if (words.size() < 2) return wrong("'" + verb + "' without what it is about");
        std::string const rest = text.substr(text.find(words[1], text.find(verb) + verb.size()));
        if (verb == "set" && !resource_.empty()) return property(rest);
        if (verb == "set") return global(rest);
        if (verb == "add" && !resource_.empty()) {
            extra_.push_back(rest);
            said_ += "; " + rest;
            return {};
        }
        if (verb == "add") {
            resource_ = words[1];
            begun_ = number;
            said_ = "add " + resource_;
            return {};
        }
        return wrong("'" + verb.substr(0, 40) + "' is no command of an export");
    }

    Result<void> finish() {
        if (!resource_.empty()) return wrong("'" + resource_ + "' without its end");
        return {};
    }

private:
    tl::unexpected<Error> wrong(std::string cause) const {
        return error(fmt::format("{}:{}", where_, number_), std::move(cause),
                     "what zonecfg -z NAME export prints");
    }

    Result<std::pair<std::string, std::string>> pair(std::string const& text) const {
        auto const equals = text.find('=');
        if (equals == text.npos || equals == 0) return wrong("no NAME=VALUE");
        auto const end = text.find_last_not_of(" \t\r");
        return std::pair{text.substr(0, equals), unquoted(text.substr(equals + 1, end - equals))};
    }

    Result<void> property(std::string const& text) {
        auto const [name, value] = TRY(pair(text));
        properties_[name] = value;
        said_ += "; " + name + "=" + value;
        return {};
    }

    Result<void> global(std::string const& text) {
        auto const [name, value] = TRY(pair(text));
        Setting s{fmt::format("{}:{}", where_, number_), name, {value}, name + "=" + value};
        if (name == "zonename") {
            in_.keep(s, k_zonecfg, {{"name", value}, {"hostname", value}});
        } else if (name == "zonepath") {
            in_.keep(s, k_zonecfg, {{"root", value + "/root"}, {"root-mode", "writable"}});
        } else if (name == "limitpriv") {
            limit_privileges(s);
        } else if (name == "ip-type") {
            if (value == "exclusive")
                in_.keep(s, k_zonecfg, {{"namespace", "network=fresh"}});
            else
                in_.approximate(s, k_zonecfg, {{"network", "bridge"}},
                                "there zones share one network stack, each bound to its addresses; "
                                "here each has its own, on a bridge");
        } else if (name == "cpu-shares") {
            in_.approximate(s, k_zonecfg, {{"cpu-shares", scaled_shares(value)}},
                            "a usual zone has 1 share, a usual control group 1024");
        } else if (name == "max-lwps" || name == "max-processes") {
            in_.approximate(s, k_zonecfg, {{"pids", value}},
                            "processes and threads are counted together");
        } else if (Loss const* loss = find_loss(k_zone_losses, name)) {
            in_.lose(s, k_zonecfg, loss->why);
        } else {
            in_.lose(s, k_zonecfg, "isolate does not know this property");
        }
        return {};
    }

    static std::string scaled_shares(std::string const& shares) {
        auto const number = plain_number(shares);
        return number && *number <= 256 ? std::to_string(*number * 1024) : shares;
    }

    void limit_privileges(Setting const& s) {
        std::string list, unknown;
        for (std::string const& name : words_of(s.value(), ",")) {
            if (name == "default" || name == "basic") continue;
            auto const known = privileges().find(name);
            if (known != privileges().end())
                list += (list.empty() ? "" : ",") + known->second;
            else
                unknown += (unknown.empty() ? "" : ", ") + name;
        }
        std::string why = "privileges(7) are not capabilities(7): each became the nearest one";
        if (!unknown.empty()) why += "; none is near to " + unknown;
        in_.approximate(s, "zonecfg(8), privileges(7)",
                        {{"capabilities", list.empty() ? "none" : list}}, why);
    }

    Result<void> end() {
        if (resource_.empty()) return wrong("'end' without 'add'");
        Setting s{fmt::format("{}:{}", where_, begun_), resource_, {}, said_};
        std::map<std::string, std::string> properties;
        properties.swap(properties_);
        std::vector<std::string> extra;
        extra.swap(extra_);
        std::string const kind = std::exchange(resource_, {});
        auto get = [&](char const* name) { return properties[name]; };
        if (kind == "net") {
            net(s, get("address"), get("physical"), get("defrouter"));
        } else if (kind == "fs") {
            file_system(s, get("dir"), get("special"), get("type"), extra, get("options"));
        } else if (kind == "inherit-pkg-dir") {
            std::string const dir = get("dir");
            in_.keep(s, k_zonecfg, {{"mount", mount_parts("bind", dir, dir) + ",recursive,ro"}});
        } else if (kind == "device") {
            in_.lose(s, k_zonecfg,
                     "device files of Solaris have other names: give each as a device");
        } else if (kind == "capped-memory") {
            capped_memory(s, get("physical"), get("swap"), get("locked"));
        } else if (kind == "capped-cpu") {
            in_.keep(s, k_zonecfg, {{"cpus", get("ncpus")}});
        } else if (kind == "dedicated-cpu") {
            in_.lose(s, k_zonecfg,
                     "no processors are set apart for a jail; cpuset names those it may use");
        } else if (kind == "rctl") {
            resource_control(s, get("name"), extra);
        } else if (kind == "attr") {
            in_.keep(s, k_zonecfg, {{"annotation", get("name") + "=" + get("value")}});
        } else if (Loss const* loss = find_loss(k_zone_losses, kind)) {
            in_.lose(s, k_zonecfg, loss->why);
        } else {
            in_.lose(s, k_zonecfg, "isolate does not know this resource");
        }
        return {};
    }

    void net(Setting const& s, std::string const& address, std::string const& physical,
             std::string const& router) {
        std::vector<Said> said{{"network", "bridge"}};
        if (!address.empty()) said.emplace_back("address", with_prefix(address));
        if (!router.empty()) said.emplace_back("gateway", router);
        in_.approximate(
            s, k_zonecfg, said,
            (physical.empty() ? std::string("the interface") : "the host's interface " + physical) +
                " is not handed over: the jail is plugged into a bridge");
    }

    void file_system(Setting const& s, std::string const& dir, std::string const& special,
                     std::string const& type, std::vector<std::string> const& extra,
                     std::string const& direct) {
        std::string options;
        std::vector<std::string> all = extra;
        all.push_back(direct);
        for (std::string const& each : all) { // "options [ro,nodevices]"
            auto const open = each.find('['), close = each.find(']');
            std::string const list = open == each.npos || close == each.npos || close < open
                                         ? each
                                         : each.substr(open + 1, close - open - 1);
            for (std::string const& option : words_of(list, ", "))
                if (option == "nodevices")
                    options += ",nodev";
                else if (option == "nosetuid")
                    options += ",nosuid";
                else if (option == "ro" || option == "nosuid" || option == "noexec")
                    options += "," + option;
        }
        if (type == "lofs")
            in_.keep(s, "zonecfg(8), lofs(4FS)",
                     {{"mount", mount_parts("bind", special, dir) + ",recursive" + options}});
        else if (type == "tmpfs")
            in_.keep(s, "zonecfg(8), tmpfs(4FS)",
                     {{"mount", mount_parts("tmpfs", {}, dir) + options}});
        else
            in_.lose(s, k_zonecfg,
                     "a file system of type " + type + " is mounted on the host first, then bound");
    }

    void capped_memory(Setting const& s, std::string const& physical, std::string const& swap,
                       std::string const& locked) {
        std::vector<Said> said;
        if (!physical.empty()) said.emplace_back("memory", physical);
        if (!locked.empty()) said.emplace_back("rlimit", "memlock=" + locked);
        if (swap.empty()) return in_.keep(s, k_zonecfg, said);
        in_.approximate(s, k_zonecfg, said,
                        "swap there bounds all anonymous memory, which no limit here does");
    }

    void resource_control(Setting const& s, std::string const& name,
                          std::vector<std::string> const& extra) {
        std::string limit; // value (priv=privileged,limit=100,action=deny)
        for (std::string const& each : extra)
            for (std::string const& part : words_of(each, "(), "))
                if (part.starts_with("limit=")) limit = part.substr(6);
        char const* const manual = "zonecfg(8), resource_controls(7)";
        if (name == "zone.max-lwps" || name == "zone.max-processes")
            in_.approximate(s, manual, {{"pids", limit}},
                            "processes and threads are counted together");
        else if (name == "zone.cpu-shares")
            in_.approximate(s, manual, {{"cpu-shares", scaled_shares(limit)}},
                            "a usual zone has 1 share, a usual control group 1024");
        else if (name == "zone.cpu-cap" && plain_number(limit)) // in hundredths of a processor
            in_.keep(s, manual,
                     {{"cpus", fmt::format("{}.{:02}", *plain_number(limit) / 100,
                                           *plain_number(limit) % 100)}});
        else if (Loss const* loss =
                     find_loss(k_zone_losses, name.starts_with("zone.") ? name.substr(5) : name))
            in_.lose(s, manual, loss->why);
        else
            in_.lose(s, manual, "isolate does not know this resource control");
    }

    Importer& in_;
    std::string where_;
    std::size_t number_ = 0, begun_ = 0;
    std::string resource_, said_;
    std::map<std::string, std::string> properties_;
    std::vector<std::string> extra_;
};

} // namespace

Result<Importer> import_zone(std::string_view text, std::string const& where) {
    Importer importer;
    ZoneReader reader(importer, where);
    std::size_t number = 0;
    while (!text.empty()) {
        auto const end = std::min(text.find('\n'), text.size());
        if (number >= k_max_lines)
            return error(where, fmt::format("more than {} lines", k_max_lines),
                         "the file of one jail");
        TRY(reader.line(std::string(text.substr(0, end)), ++number));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    TRY(reader.finish());
    return importer;
}

} // namespace iso::jail::foreign
