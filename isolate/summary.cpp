#include "isolate/summary.hpp"

#include "isolate/seccomp_profile.hpp"

#include <fmt/format.h>

#include <bit>
#include <iterator>
#include <vector>

namespace iso::jail {

namespace {

struct SummaryRow {
    char const* what;
    std::string how;
    std::string without; ///< of what is isolated: what would be seen else
};

class Summary {
public:
    Summary(JailPlan const& plan, JailSpec const& spec, RunReport const& report, MemoryLimit memory)
        : plan_(plan)
        , spec_(spec)
        , report_(report)
        , memory_(memory) {}

    std::string text() {
        namespaces();
        files();
        rights();
        limits();
        shared_.push_back({"machine",
                           "the kernel itself, the processors and their caches, the page cache, "
                           "the wall clock",
                           {}});
        std::string text;
        print(text, "isolated", isolated_);
        print(text, "shared", shared_);
        print(text, "limited", limited_);
        return text;
    }

private:
    static void print(std::string& text, char const* title, std::vector<SummaryRow> const& rows) {
        auto const out = std::back_inserter(text);
        fmt::format_to(out, "  {}:{}\n", title, rows.empty() ? " nothing" : "");
        for (SummaryRow const& row : rows) {
            fmt::format_to(out, "    {:<15} {}\n", row.what, row.how);
            if (!row.without.empty()) fmt::format_to(out, "{:20}without it: {}\n", "", row.without);
        }
    }

    void one(Namespace which, char const* what, std::string how, char const* without,
             char const* host) {
        NamespaceChoice const& choice = spec_.at(which);
        switch (choice.from) {
        case NamespaceChoice::From::fresh:
            isolated_.push_back({what, std::move(how), without});
            break;
        case NamespaceChoice::From::host:
            shared_.push_back({what, fmt::format("the host's: {}", host), {}});
            break;
        case NamespaceChoice::From::path:
            shared_.push_back({what, fmt::format("with whoever is in {}", choice.path), {}});
            break;
        }
    }

    void namespaces() {
        one(Namespace::pid, "processes",
            "a pid namespace: the program sees its own tree, below process 1",
            "every process of the host", "every process is seen");
        if (spec_.network.mode == NetworkSpec::Mode::host) {
            shared_.push_back({"network", "the host's: every interface and abstract socket", {}});
        } else {
            one(Namespace::network, "network", network_text(),
                "every network and abstract socket of the host",
                "every interface and abstract socket");
        }
        std::string const ids = plan_.ids.fresh ? ids_text() : std::string();
        one(Namespace::user, "users", ids, "your own rights, set-user-id programs",
            "an id inside is the same id outside");
        one(Namespace::ipc, "shared memory", "its own System V and POSIX queues",
            "other programs' queues and segments", "queues and segments of other programs");
        one(Namespace::uts, "host name",
            "its own: " + spec_.hostname +
                (spec_.domainname.empty() ? "" : ", domain " + spec_.domainname),
            "the host's", "its name is told");
        one(Namespace::cgroup, "control groups", "a cgroup namespace: its own group is the root",
            "the names of the groups it is in", "the names of its groups are told");
        one(Namespace::time, "time",
            spec_.monotonic || spec_.boottime
                ? "a time namespace with offsets of its own"
                : "a time namespace with zero offsets: CLOCK_MONOTONIC stays the host's, so times "
                  "compare",
            "the same clock", "the same clocks");
    }

    std::string network_text() const {
        switch (spec_.network.mode) {
        case NetworkSpec::Mode::none:
            return "its own, with lo down: nothing can be reached";
        case NetworkSpec::Mode::bridge:
            return "its own, with lo and a link to the bridge " + spec_.network.bridge;
        case NetworkSpec::Mode::user:
            return "its own, with lo and a way out through a program of the caller";
        default:
            return "its own, with nothing but lo";
        }
    }

    std::string ids_text() const {
        if (plan_.ids.uids.size() == 1 && plan_.ids.uids.front().count == 1)
            return fmt::format("uid {} inside is {} outside; no other id exists",
                               plan_.ids.uids.front().inside, plan_.ids.uids.front().outside);
        std::string text = "ids inside and outside:";
        for (IdRange const& range : plan_.ids.uids)
            text += fmt::format(" {}-{} = {}-{}", range.inside, range.inside + (range.count - 1),
                                range.outside, range.outside + (range.count - 1));
        return text;
    }

    void files() {
        if (spec_.at(Namespace::mount).from != NamespaceChoice::From::fresh) {
            shared_.push_back({"files",
                               spec_.root.source == RootSpec::Source::directory
                                   ? "below " + spec_.root.path + "; every mount is the host's"
                                   : "every mount is the host's",
                               {}});
            return;
        }
        isolated_.push_back(
            {"files", root_text() + "; the host's tree is unmounted", "every file you may read"});
        for (MountSpec const& mount : spec_.mounts)
            if (mount.type == "bind")
                shared_.push_back({"files",
                                   fmt::format("{} of the host, at {}{}", mount.source,
                                               mount.target, mount.read_only ? ", read-only" : ""),
                                   {}});
        if (!spec_.standard_mounts) return;
        isolated_.push_back({"/proc, /sys",
                             report_.facts.contains("refused")
                                 ? "its own /proc, read-only; /sys is empty: the kernel refused a "
                                   "new one"
                                 : "its own, read-only, dangerous parts masked",
                             "kernel settings, other people's processes"});
    }

    std::string root_text() const {
        RootSpec const& root = spec_.root;
        auto const origin = report_.facts.find("root.from");
        bool const unpacked = origin != report_.facts.end();
        std::string const from =
            unpacked ? origin->second + ", unpacked for this jail," : root.path;
        char const* const furniture = spec_.standard_mounts ? " with /proc, /dev, /tmp" : "";
        switch (root.mode) {
        case RootSpec::Mode::read_only:
            return root.source == RootSpec::Source::empty
                       ? fmt::format("an empty read-only root{}", furniture)
                       : fmt::format("{} as a read-only root{}", from, furniture);
        case RootSpec::Mode::overlay:
            return root.upper.empty()
                       ? fmt::format("{} below a layer in memory that ends with the jail",
                                     root.path.empty() ? "an empty root" : from)
                       : fmt::format("{} below {}, which keeps what changes", from, root.upper);
        case RootSpec::Mode::writable:
            break;
        }
        return root.source == RootSpec::Source::empty
                   ? fmt::format("an empty root in memory, which can be written to{}", furniture)
               : unpacked ? fmt::format("{} as the root; what is written to it ends with it", from)
                          : fmt::format("{} as the root, written to as it is", from);
    }

    void rights() {
        CapabilitySpec const& sets = spec_.process.capabilities;
        std::string const new_privileges =
            spec_.process.no_new_privileges ? "no_new_privs" : "set-user-id files give rights";
        isolated_.push_back({"capabilities",
                             sets == CapabilitySpec{}
                                 ? "none, and none to be had: bounding set empty, " +
                                       new_privileges + ", securebits locked"
                                 : fmt::format("{} of those that exist, at most {} to be had; {}",
                                               std::popcount(sets.permitted),
                                               std::popcount(sets.bounding), new_privileges),
                             "what you have (root: all)"});
        if (plan_.filter.empty()) {
            shared_.push_back({"system calls", "all of them: there is no filter", {}});
        } else if (spec_.seccomp.profile == SeccompSpec::Profile::standard) {
            isolated_.push_back(
                {"system calls",
                 fmt::format("a filter of {} instructions refuses {} calls, unknown ones, and the "
                             "i386 and x32 tables",
                             plan_.filter.size(), denied_calls().size()),
                 "all of them"});
        } else {
            isolated_.push_back(
                {"system calls",
                 fmt::format("a filter of {} instructions, from {}", plan_.filter.size(),
                             spec_.seccomp.path.empty() ? "a given profile" : spec_.seccomp.path),
                 "all of them"});
        }
        if (spec_.landlock.wanted())
            isolated_.push_back(
                {"Landlock",
                 fmt::format("{} paths can be read, {} written to, no others",
                             spec_.landlock.readable.size() + spec_.landlock.writable.size(),
                             spec_.landlock.writable.size()),
                 "every file that its modes let it have"});
        isolated_.push_back({"keys", "a session keyring of its own", "the keys of your session"});
        isolated_.push_back({"descriptors", "0, 1 and 2", "whatever the caller left open"});
    }

    void limits() {
        if (memory_ == MemoryLimit::none)
            limited_.push_back({"memory", "not limited (--memory)", {}});
        else if (auto const fact = report_.facts.find("memory.limit"); fact != report_.facts.end())
            limited_.push_back({"memory", fact->second, {}});
        if (spec_.limits.tasks)
            limited_.push_back({"tasks",
                                plan_.ids.fresh
                                    ? fmt::format("{} processes and threads", *spec_.limits.tasks)
                                    : "not limited: only a user namespace of its own is counted",
                                {}});
        if (spec_.standard_mounts) limited_.push_back({"core files", "none", {}});
        if (!spec_.process.rlimits.empty())
            limited_.push_back(
                {"resources",
                 fmt::format("{} as asked for (--rlimit)", spec_.process.rlimits.size()),
                 {}});
    }

    JailPlan const& plan_;
    JailSpec const& spec_;
    RunReport const& report_;
    MemoryLimit memory_;
    std::vector<SummaryRow> isolated_, shared_, limited_;
};

} // namespace

std::string summary(JailPlan const& plan, JailSpec const& spec, RunReport const& report,
                    MemoryLimit memory) {
    return Summary(plan, spec, report, memory).text();
}

} // namespace iso::jail
