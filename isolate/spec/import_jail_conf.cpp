#include "isolate/spec/import_parts.hpp"
#include "isolate/spec/jail_conf_syntax.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

// FreeBSD's jail.conf(5) is the syntax, jail(8) what each parameter means.

namespace iso::jail::foreign {

namespace {

/// A block for a wildcard is for all jails that it matches, as what stands outside is.
bool matches(std::string_view pattern, std::string_view name) {
    if (pattern == "*") return true;
    if (pattern.ends_with(".*")) return name.starts_with(pattern.substr(0, pattern.size() - 1));
    return pattern == name;
}

constexpr char const* k_jail8 = "jail(8)";

constexpr Loss k_jail_losses[] = {
    {"securelevel", "Linux has no secure levels; fewer capabilities and the filter do their work"},
    {"children.max", "a jail of isolate makes no further jails: the filter refuses new namespaces"},
    {"children.cur", "it is a count, not a setting"},
    {"persist", "a jail ends with its program"},
    {"jid", "jails have names, not numbers"},
    {"cpuset.id", "sets of processors have no numbers; the key cpuset names processors"},
    {"host.hostid", "Linux has one host id for the machine"},
    {"host.hostuuid", "Linux has no host UUID"},
    {"osrelease", "every jail sees the running kernel's release"},
    {"osreldate", "every jail sees the running kernel's release"},
    {"exec.stop", "isolate ends a jail by signals to its program"},
    {"exec.prestop", "no hook runs before a jail is stopped"},
    {"exec.timeout", "a command that does not return is ended by isolate kill"},
    {"exec.fib", "Linux has no numbered routing tables for a program"},
    {"exec.consolelog", "isolate logs NAME shows what the program wrote"},
    {"exec.system_user", "a user's name, which only its passwd file can resolve"},
    {"exec.system_jail_user", "see exec.jail_user"},
    {"stop.timeout", "isolate kill sends what it is told to send"},
    {"mount.fstab", "it names a file of mounts, which is not read: give each as a mount"},
    {"depend", "isolate starts what it is told to start"},
    {"ip_hostname", "addresses are not looked up by name"},
    {"interface", "the jail has an interface of its own; the host's gets no alias"},
    {"vnet.interface", "a host interface is not moved into the jail"},
    {"zfs.dataset", "Linux mounts file systems, it does not hand over ZFS datasets"},
    {"allow.set_hostname", "it needs CAP_SYS_ADMIN, which is far more than this"},
    {"allow.mount*", "it needs CAP_SYS_ADMIN, which is far more than this"},
    {"allow.quotas", "it needs CAP_SYS_ADMIN, which is far more than this"},
    {"allow.socket_af", "the filter lets through Unix, IPv4, IPv6 and netlink sockets"},
    {"allow.read_msgbuf", "it needs CAP_SYSLOG in the host's user namespace"},
    {"allow.vmm", "there is no bhyve on Linux"},
    {"allow.nfsd", "an NFS server is the host kernel's"},
    {"allow.unprivileged_proc_debug", "ptrace within the jail is as the kernel's policy has it"},
    {"allow.suser", "uid 0 is that of the jail's own user namespace"},
    {"allow.dying", "there is no dying state"},
    {"linux*", "the programs are Linux programs already"},
};

/// One jail's parameters, each with its last value.
class JailConf {
public:
    JailConf(Importer& importer, std::string where, std::string name)
        : in_(importer)
        , where_(std::move(where)) {
        values_["name"] = {name};
    }

    void add(Parameter const& raw) {
        Parameter parameter = raw;
        for (std::string& value : parameter.values)
            value = expand(value);
        if (parameter.name.starts_with(k_variable)) { // $name = value
            std::string name = parameter.name.substr(1, parameter.name.size() - 2);
            values_[name] = parameter.values;
            return;
        }
        // "nopersist" and "allow.nomount" are false.
        bool off = false;
        if (parameter.values.empty()) {
            auto const dot = parameter.name.rfind('.');
            std::size_t const last = dot == std::string::npos ? 0 : dot + 1;
            if (parameter.name.compare(last, 2, "no") == 0 && parameter.name != "nodename") {
                parameter.name.erase(last, 2);
                off = true;
            }
            parameter.values = {off ? "false" : "true"};
        }
        values_[parameter.name] = parameter.values;
        if (parameter.appends) {
            for (Parameter& known : parameters_)
                if (known.name == parameter.name) {
                    known.values.insert(known.values.end(), parameter.values.begin(),
                                        parameter.values.end());
                    return;
                }
        }
        std::erase_if(parameters_,
                      [&](Parameter const& known) { return known.name == parameter.name; });
        parameters_.push_back(std::move(parameter));
    }

    void finish() {
        for (Parameter const& parameter : parameters_)
            take(parameter);
    }

private:
    std::string expand(std::string const& text) const {
        std::string out;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] != k_variable) {
                out += text[i];
                continue;
            }
            auto const end = text.find(k_variable, i + 1);
            if (end == text.npos) break; // the scanner makes pairs
            auto const known = values_.find(text.substr(i + 1, end - i - 1));
            if (known != values_.end() && !known->second.empty() && out.size() < 65536)
                out += known->second.front();
            i = end;
        }
        return out;
    }

    static bool is_true(std::string const& value) {
        return value != "false" && value != "0" && value != "no";
    }

    void take(Parameter const& parameter) {
        Setting s{
            fmt::format("{}:{}", where_, parameter.line), parameter.name, parameter.values, {}};
        s.said = parameter.name + " =";
        for (std::string const& value : parameter.values)
            s.said += (s.said.ends_with('=') ? " " : ", ") + value;
        std::string const& name = s.name;
        std::string const value = s.value();
        if (name == "path") {
            in_.keep(s, k_jail8, {{"root", value}, {"root-mode", "writable"}});
        } else if (name == "name") {
            in_.keep(s, k_jail8, {{"name", value}});
        } else if (name == "host.hostname") {
            in_.keep(s, k_jail8, {{"hostname", value}});
        } else if (name == "host.domainname") {
            in_.keep(s, k_jail8, {{"domainname", value}});
        } else if (name == "host") {
            in_.keep(s, k_jail8, {{"namespace", value == "inherit" ? "uts=host" : "uts=fresh"}});
        } else if (name.starts_with("ip4") || name.starts_with("ip6") || name == "vnet") {
            network(s);
        } else if (name.starts_with("exec.") || name == "command") {
            commands(s);
        } else if (name.starts_with("mount") || name == "devfs_ruleset" ||
                   name == "enforce_statfs") {
            mounts(s);
        } else if (name.starts_with("sysv")) {
            in_.approximate(s, k_jail8,
                            {{"namespace", value == "inherit" ? "ipc=host" : "ipc=fresh"}},
                            "message queues, semaphores and shared memory are one namespace; "
                            "disable is as new");
        } else if (name.starts_with("allow.")) {
            allowances(s);
        } else {
            rest(s);
        }
    }

    void network(Setting const& s) {
        std::string const value = s.value();
        if (s.name == "vnet") {
            if (value == "inherit")
                in_.keep(s, k_jail8, {{"network", "host"}, {"namespace", "network=host"}});
            else
                in_.keep(s, k_jail8, {{"namespace", "network=fresh"}});
        } else if (s.name.ends_with(".addr")) {
            std::vector<Said> said{{"network", "bridge"}};
            for (std::string const& address : s.values)
                said.emplace_back("address", with_prefix(without_interface(address)));
            in_.approximate(
                s, k_jail8, said,
                "there the jail is bound to addresses of the host's network stack; here "
                "it has a stack of its own on a bridge");
        } else if (s.name.ends_with(".saddrsel")) {
            in_.lose(s, k_jail8, "the kernel's own rules choose the source address");
        } else if (value == "inherit") {
            in_.keep(s, k_jail8, {{"network", "host"}, {"namespace", "network=host"}});
        } else if (value == "disable") {
            in_.approximate(s, k_jail8, {{"namespace", "network=fresh"}},
                            "both protocols exist inside, without a way out");
        } else {
            in_.keep(s, k_jail8, {{"namespace", "network=fresh"}});
        }
    }

    void commands(Setting const& s) {
        std::string joined;
        for (std::string const& value : s.values)
            joined += (joined.empty() ? "" : "; ") + value;
        if (s.name == "exec.start" || s.name == "command") {
            in_.spec.process.arguments.clear();
            in_.approximate(
                s, k_jail8, {{"command", "/bin/sh"}, {"command", "-c"}, {"command", joined}},
                "the jail lives as long as this command; the root must hold Linux programs");
        } else if (s.name == "exec.prestart" || s.name == "exec.created") {
            in_.approximate(s, k_jail8, {{"hook", shell_hook("createRuntime", joined)}},
                            "it runs on the host when the jail is made, before its program");
        } else if (s.name == "exec.poststart") {
            in_.keep(s, k_jail8, {{"hook", shell_hook("poststart", joined)}});
        } else if (s.name == "exec.poststop") {
            in_.keep(s, k_jail8, {{"hook", shell_hook("poststop", joined)}});
        } else if (s.name == "exec.clean") {
            if (is_true(s.value()))
                in_.keep(s, k_jail8,
                         {{"env", "HOME=/root"},
                          {"env", "SHELL=/bin/sh"},
                          {"env", "TERM=xterm"},
                          {"env", "USER=root"}});
            else
                in_.lose(s, k_jail8, "the environment is never inherited: env gives each variable");
        } else if (s.name == "exec.jail_user" && (s.value() == "root" || plain_number(s.value()))) {
            in_.keep(s, k_jail8, {{"user", s.value() == "root" ? "0" : s.value()}});
        } else if (s.name == "exec.jail_user") {
            in_.lose(s, k_jail8,
                     "a user's name, which only the jail's passwd file can resolve: give "
                     "user = UID:GID");
        } else {
            rest(s);
        }
    }

    void mounts(Setting const& s) {
        std::string const value = s.value();
        if (s.name == "mount") {
            for (std::string const& line : s.values)
                mount_line(s, line);
        } else if (s.name == "mount.devfs" || s.name == "mount.procfs" ||
                   s.name == "mount.fdescfs") {
            if (is_true(value))
                in_.approximate(
                    s, k_jail8, {{"standard-mounts", "yes"}},
                    "/dev, /proc and /proc/self/fd are always there, with what is usual inside");
            else
                in_.lose(s, k_jail8,
                         "/dev and /proc are always there; standard-mounts = no takes both");
        } else if (s.name == "devfs_ruleset") {
            in_.approximate(s, k_jail8, {},
                            "/dev holds null, zero, full, random, urandom, tty and "
                            "pts; device adds others");
        } else if (s.name == "enforce_statfs") {
            in_.approximate(s, k_jail8, {{"namespace", "mount=fresh"}},
                            "only the jail's own mounts are visible, as with 2");
        } else {
            rest(s);
        }
    }

    /// One line as in fstab(5).
    void mount_line(Setting const& s, std::string const& line) {
        auto const fields = words_of(line, " \t");
        Setting one = s;
        one.said = "mount = " + line;
        if (fields.size() < 3) return in_.lose(one, "jail(8), fstab(5)", "not a line of fstab(5)");
        std::string target = fields[1]; // as the host sees it
        std::string const root = in_.spec.root.path;
        if (!root.empty() && target.starts_with(root + "/")) target.erase(0, root.size());
        std::string options = fields.size() > 3 ? "," + fields[3] : "";
        if (auto const rw = options.find(",rw"); rw != std::string::npos) options.erase(rw, 3);
        if (fields[2] == "nullfs")
            in_.keep(one, "jail(8), mount_nullfs(8)",
                     {{"mount", mount_parts("bind", fields[0], target) + options}});
        else if (fields[2] == "tmpfs")
            in_.keep(one, "jail(8), tmpfs(5)",
                     {{"mount", mount_parts("tmpfs", {}, target) + options}});
        else
            in_.lose(one, "jail(8), fstab(5)", "Linux has no " + fields[2] + " to mount");
    }

    void allowances(Setting const& s) {
        static std::map<std::string, std::string> const capabilities{
            {"allow.raw_sockets", "CAP_NET_RAW"},
            {"allow.chflags", "CAP_LINUX_IMMUTABLE"},
            {"allow.reserved_ports", "CAP_NET_BIND_SERVICE"},
            {"allow.mlock", "CAP_IPC_LOCK"},
            {"allow.settime", "CAP_SYS_TIME"}};
        auto const found = capabilities.find(s.name);
        if (s.name == "allow.sysvipc") {
            in_.approximate(s, k_jail8,
                            {{"namespace", is_true(s.value()) ? "ipc=host" : "ipc=fresh"}},
                            "message queues, semaphores and shared memory are one namespace");
        } else if (found == capabilities.end()) {
            rest(s);
        } else if (!is_true(s.value())) {
            in_.keep(s, k_jail8, {});
        } else {
            granted_.insert(found->second);
            std::string list;
            for (std::string const& each : granted_)
                list += (list.empty() ? "" : ",") + each;
            in_.approximate(s, k_jail8, {{"capabilities", list}},
                            "the capability holds in the jail's own user namespace");
        }
    }

    void rest(Setting const& s) {
        if (s.values.size() == 1 && s.value() == "false" && s.name.starts_with("allow."))
            return in_.keep(s, k_jail8, {});
        if (Loss const* loss = find_loss(k_jail_losses, s.name))
            return in_.lose(s, k_jail8, loss->why);
        in_.lose(s, k_jail8, "isolate does not know this parameter");
    }

    Importer& in_;
    std::string where_;
    std::map<std::string, std::vector<std::string>> values_;
    std::vector<Parameter> parameters_;
    std::set<std::string> granted_;
};

} // namespace

Result<Importer> import_jail_conf(std::string_view text, std::string const& where,
                                  std::string const& jail) {
    std::vector<JailBlock> const blocks = TRY(parse_jail_conf(text, where));
    std::string names, only;
    std::size_t count = 0;
    bool found = false;
    for (std::size_t i = 1; i < blocks.size(); ++i) {
        if (blocks[i].name.find('*') != std::string::npos) continue;
        found = found || blocks[i].name == jail;
        names += (names.empty() ? "" : ", ") + blocks[i].name;
        only = blocks[i].name;
        ++count;
    }
    if (count == 0) return error(where, "no jail in it", "NAME { ... }");
    if (jail.empty() ? count > 1 : !found)
        return error(where,
                     jail.empty() ? fmt::format("{} jails: {}", count, names)
                                  : "no jail '" + jail + "'",
                     "--jail with one of " + names);
    std::string const name = jail.empty() ? only : jail;
    Importer importer;
    JailConf conf(importer, where, name);
    Parameter named;
    named.name = "name";
    named.values = {name};
    conf.add(named);
    // jail.conf(5): in the order of the file, what stands outside and wildcards included.
    for (JailBlock const& block : blocks)
        if (block.name.empty() || matches(block.name, name))
            for (Parameter const& parameter : block.parameters)
                conf.add(parameter);
    conf.finish();
    return importer;
}

} // namespace iso::jail::foreign
