#include "common/fd.hpp"
#include "isolate/spec/import_parts.hpp"
#include "isolate/spec/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <dirent.h>
#include <map>
#include <unistd.h>

#include <sys/stat.h>

// A guest of Linux-VServer is a directory, /etc/vservers/NAME, with a file for each setting:
// util-vserver's doc/configuration.html, "The content of the /etc/vservers directory".

namespace iso::jail::foreign {

namespace {

constexpr char const* k_vserver = "util-vserver configuration.html";
constexpr std::size_t k_max_setting_bytes = 64 * 1024;
constexpr std::size_t k_max_settings = 2000;
constexpr int k_deepest_setting = 4;

constexpr Loss k_vserver_losses[] = {
    {"context", "jails have names, not numbers"},
    {"ccapabilities", "context capabilities are VServer's own; mounts and names are given by keys"},
    {"ncapabilities", "network capabilities are VServer's own"},
    {"flags", "context flags are VServer's own; what they hide is hidden by the namespaces"},
    {"cflags", "context flags are VServer's own; what they hide is hidden by the namespaces"},
    {"nflags", "network flags are VServer's own"},
    {"uts/*", "every jail sees the running kernel's names"},
    {"schedule",
     "the token bucket of VServer's scheduler: cpus and cpu-shares bound processor time"},
    {"sched/*",
     "the token bucket of VServer's scheduler: cpus and cpu-shares bound processor time"},
    {"dlimits/*", "a directory has no quota of disk"},
    {"apps/pkgmgmt/*", "the root is there already, however it was made"},
    {"apps/*", "how the guest is started and stopped: command gives the program"},
    {"scripts/*",
     "shell scripts of util-vserver, which expect its environment: give each as a hook"},
    {"cache", "it is util-vserver's own"},
    {"run", "it is util-vserver's own"},
    {"namespace*", "every jail has mounts of its own"},
    {"interfaces/*", "an address and its prefix are what counts; the host's device gets no alias"},
    {"fstab.remote", "it is mounted over the network, which isolate does not do"},
    {"personality", "the personality is Linux's own"},
    {"shell", "isolate exec NAME names its program"},
    {"cgroup/*", "the group's files are written by keys: memory, pids, cpus"},
    {"badness", "oom-score-adjust says who is ended first"},
};

class VServerReader {
public:
    VServerReader(Importer& importer, std::string directory)
        : in_(importer)
        , directory_(std::move(directory)) {}

    Result<void> read() {
        TRY(gather("", 0));
        if (files_.empty())
            return error(directory_, "no setting in it", "a directory like /etc/vservers/NAME");
        auto const slash = directory_.find_last_not_of('/');
        std::string const whole = directory_.substr(0, slash + 1);
        if (!files_.contains("name"))
            take_name(setting("name", whole.substr(whole.rfind('/') + 1)));
        for (auto const& [name, text] : files_)
            take(name, text);
        return {};
    }

private:
    /// All files below, by their paths; links are read, as `vdir` is one, never followed.
    Result<void> gather(std::string const& below, int depth) {
        std::string const path = directory_ + "/" + below;
        DIR* const open = ::opendir(path.c_str());
        if (open == nullptr) return sys_error("opendir(" + path + ")");
        std::vector<std::string> names;
        while (dirent const* entry = ::readdir(open))
            if (std::string const name = entry->d_name; name != "." && name != "..")
                names.push_back(name);
        ::closedir(open);
        for (std::string const& name : names) {
            std::string const relative = below.empty() ? name : below + "/" + name;
            std::string const full = directory_ + "/" + relative;
            struct stat info {};
            if (::lstat(full.c_str(), &info) != 0) return sys_error("lstat(" + full + ")");
            if (files_.size() >= k_max_settings)
                return error(directory_, fmt::format("more than {} files", k_max_settings),
                             "a directory like /etc/vservers/NAME");
            if (S_ISDIR(info.st_mode)) {
                if (depth >= k_deepest_setting)
                    return error(full, "too deep", "a directory like /etc/vservers/NAME");
                TRY(gather(relative, depth + 1));
            } else if (S_ISLNK(info.st_mode)) {
                char target[4096];
                ssize_t const length = ::readlink(full.c_str(), target, sizeof target);
                if (length < 0) return sys_error("readlink(" + full + ")");
                files_[relative] = std::string(target, static_cast<std::size_t>(length));
            } else if (S_ISREG(info.st_mode)) {
                files_[relative] = TRY(read_file(full, k_max_setting_bytes));
            } // nothing else belongs here: a FIFO would never end
        }
        return {};
    }

    static std::string first_line(std::string const& text) {
        auto const end = std::min(text.find('\n'), text.size());
        std::string line = text.substr(0, end);
        while (!line.empty() && (line.back() == ' ' || line.back() == '\r' || line.back() == '\t'))
            line.pop_back();
        return line;
    }
    [[nodiscard]] Setting setting(std::string const& name, std::string const& value) const {
        return {directory_ + "/" + name, name, {value}, name + ": " + value};
    }

    void take_name(Setting const& s) { in_.keep(s, k_vserver, {{"name", s.value()}}); }

    void take(std::string const& name, std::string const& text) {
        Setting const s = setting(name, first_line(text));
        if (name == "name") return take_name(s);
        if (name == "vdir")
            return in_.keep(s, k_vserver, {{"root", s.value()}, {"root-mode", "writable"}});
        if (name == "uts/nodename") return in_.keep(s, k_vserver, {{"hostname", s.value()}});
        if (name == "uts/domainname") return in_.keep(s, k_vserver, {{"domainname", s.value()}});
        if (name == "bcapabilities" || name == "capabilities") return capabilities(s, text);
        if (name == "fstab") return fstab(text);
        if (name == "nice") return in_.lose(s, k_vserver, "the program's nice value is not set");
        if (name == "cpuset/cpus") return in_.keep(s, k_vserver, {{"cpuset", s.value()}});
        if (name == "cpuset/mems") return in_.keep(s, k_vserver, {{"memory-nodes", s.value()}});
        if (name == "apps/init/cmd.start") return command(s, text);
        if (name.starts_with("interfaces/") && name.ends_with("/ip")) return interface(s);
        if (name.starts_with("interfaces/") && name.ends_with("/prefix") &&
            files_.contains(sibling(name, "ip")))
            return in_.keep(s, k_vserver, {}); // said with the address
        if (name.starts_with("rlimits/") || name.starts_with("ulimits/")) return limit(s);
        if (Loss const* loss = find_loss(k_vserver_losses, name))
            return in_.lose(s, k_vserver, loss->why);
        in_.lose(s, k_vserver, "isolate does not know this setting");
    }

    static std::string sibling(std::string const& name, char const* other) {
        return name.substr(0, name.rfind('/') + 1) + other;
    }

    void interface(Setting const& s) {
        std::string address = s.value();
        auto const prefix = files_.find(sibling(s.name, "prefix"));
        if (address.find('/') == address.npos && prefix != files_.end())
            address += "/" + first_line(prefix->second);
        in_.approximate(
            s, k_vserver, {{"network", "bridge"}, {"address", with_prefix(address)}},
            "there the guest is bound to addresses of the host's network stack; here it "
            "has a stack of its own on a bridge");
    }

    void capabilities(Setting const& s, std::string const& text) {
        std::string list, unknown;
        for (std::string name : words_of(text, " \t\r\n,")) {
            if (name.starts_with("#")) continue;
            bool const off =
                name.starts_with("~") || name.starts_with("!") || name.starts_with("^");
            if (capability_number(name) && !off)
                list += (list.empty() ? "" : ",") + name;
            else
                unknown += (unknown.empty() ? "" : ", ") + name;
        }
        in_.approximate(s, k_vserver, {{"capabilities", list.empty() ? "none" : list}},
                        "there they are added to what a guest has, here they are all" +
                            (unknown.empty() ? std::string() : "; not understood: " + unknown));
    }

    void command(Setting const& s, std::string const& text) {
        std::vector<Said> said; // a word a line
        for (std::string const& word : words_of(text, "\r\n"))
            said.emplace_back("command", word);
        in_.spec.process.arguments.clear();
        in_.keep(s, k_vserver, said);
    }

    void limit(Setting const& s) {
        std::string resource = s.name.substr(s.name.find('/') + 1);
        bool const soft = resource.ends_with(".soft"), least = resource.ends_with(".min");
        bool const both = resource.find('.') == resource.npos;
        if (!both) resource.erase(resource.find('.'));
        std::string const value = s.value() == "inf" ? "unlimited" : s.value();
        if (s.name.starts_with("rlimits/") && resource == "nproc" && (both || !soft) && !least)
            return in_.keep(s, k_vserver, {{"pids", value}});
        if (s.name.starts_with("rlimits/") && resource == "rss" && (both || !soft) && !least) {
            auto const pages = plain_number(value); // of 4096 bytes
            bool const fits = pages && *pages < (std::uint64_t{1} << 51U);
            return in_.keep(s, k_vserver,
                            {{"memory", fits ? std::to_string(*pages * 4096) : value}});
        }
        if (least || soft) return in_.lose(s, k_vserver, "only the hard limit counts here");
        if (s.name.starts_with("rlimits/"))
            return in_.approximate(s, k_vserver, {{"rlimit", resource + "=" + value}},
                                   "there for the guest as a whole, here for each process");
        in_.keep(s, k_vserver, {{"rlimit", resource + "=" + value}});
    }

    /// Lines of fstab(5), mounted below the guest's root.
    void fstab(std::string const& text) {
        std::size_t number = 0;
        for (std::size_t at = 0; at < text.size();) {
            std::size_t const end = std::min(text.find('\n', at), text.size());
            std::string const line = text.substr(at, end - at);
            at = end + 1;
            ++number;
            auto const fields = words_of(line, " \t\r");
            if (fields.empty() || fields[0].starts_with("#")) continue;
            Setting const s{
                fmt::format("{}/fstab:{}", directory_, number), "fstab", {line}, "fstab: " + line};
            if (fields.size() < 3) {
                in_.lose(s, "fstab(5)", "not a line of fstab(5)");
                continue;
            }
            std::string options = fields.size() > 3 ? "," + fields[3] : "";
            bool const bind = fields[2] == "bind" || options.find("bind") != options.npos;
            for (char const* drop : {",rbind", ",bind", ",defaults", ",rw"})
                if (auto const found = options.find(drop); found != options.npos)
                    options.erase(found, std::string_view(drop).size());
            if (bind)
                in_.keep(s, k_vserver,
                         {{"mount", mount_parts("bind", fields[0], fields[1]) + options}});
            else if (fields[2] == "tmpfs")
                in_.keep(s, k_vserver, {{"mount", mount_parts("tmpfs", {}, fields[1]) + options}});
            else if (fields[2] == "proc" || fields[2] == "devpts" || fields[2] == "sysfs")
                in_.keep(s, k_vserver, {{"standard-mounts", "yes"}});
            else
                in_.lose(s, k_vserver,
                         "a file system of type " + fields[2] +
                             " is mounted on the host first, then bound");
        }
    }

    Importer& in_;
    std::string directory_;
    std::map<std::string, std::string> files_;
};

} // namespace

Result<Importer> import_vserver(std::string const& directory) {
    Importer importer;
    // A guest boots its init unless apps/init says otherwise: configuration.html,
    // "apps/init/style".
    importer.spec.process.arguments = {"/sbin/init"};
    TRY(VServerReader(importer, directory).read());
    return importer;
}

} // namespace iso::jail::foreign
