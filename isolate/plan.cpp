#include "isolate/plan.hpp"

#include "common/program.hpp"
#include "isolate/plan_check.hpp"
#include "isolate/root_layout.hpp"
#include "isolate/seccomp_profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unistd.h>

#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace iso::jail {

namespace {

constexpr std::uint64_t k_hardened = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
constexpr std::uint64_t k_data_only = k_hardened | MOUNT_ATTR_NOEXEC;

struct HostDevice {
    char const* path;
    unsigned major;
    unsigned minor;
};
constexpr HostDevice k_devices[] = {{"/dev/null", 1, 3},    {"/dev/zero", 1, 5},
                                    {"/dev/full", 1, 7},    {"/dev/random", 1, 8},
                                    {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}};

/// What tells about the host, or changes it, even from inside its own /proc and /sys. The kernel's
/// own checks (uid 0 of the host, capabilities) protect most of them too; this is the second wall.
constexpr char const* k_masked[] = {"/proc/acpi",
                                    "/proc/asound",
                                    "/proc/interrupts",
                                    "/proc/kallsyms",
                                    "/proc/kcore",
                                    "/proc/key-users",
                                    "/proc/keys",
                                    "/proc/kmsg",
                                    "/proc/latency_stats",
                                    "/proc/pagetypeinfo",
                                    "/proc/sched_debug",
                                    "/proc/scsi",
                                    "/proc/slabinfo",
                                    "/proc/sysrq-trigger",
                                    "/proc/timer_list",
                                    "/proc/timer_stats",
                                    "/proc/vmallocinfo",
                                    "/sys/firmware",
                                    "/sys/devices/virtual/powercap",
                                    "/sys/kernel/notes",
                                    "/sys/kernel/vmcoreinfo"};

/// Writes the list of steps; one method for each part of the wall, in the order of the walk.
class Planner {
public:
    Planner(JailPlan& plan, JailOptions const& options, MemoryLimit memory)
        : plan_(plan)
        , options_(options)
        , spec_(options.spec)
        , memory_(memory) {}

    Result<void> write() {
        TRY(check_paths());
        // Host root may have what nobody else reaches: it takes the files itself, before the child
        // has become an id of nobody. An ordinary user's child is still that user.
        if (plan_.ids.may_mount) TRY(sources());
        plan_.parent_steps = plan_.steps.size();
        identity();
        surroundings();
        if (!plan_.ids.may_mount) TRY(sources());
        devices();
        if (plan_.ids.by_parent) become_root();
        filesystems();
        cross_over();
        furnish();
        limits();
        privileges();
        program();
        if (plan_.steps.size() > k_max_steps || plan_.slots > static_cast<int>(k_max_slots))
            return error("--add", "too many paths for one jail",
                         "one directory instead of many files");
        return {};
    }

private:
    Step& add(Op op, char const* why) {
        plan_.steps.push_back(Step{.op = op, .why = why, .path = {}, .text = {}});
        return plan_.steps.back();
    }
    int new_slot() { return plan_.slots++; }
    bool has_root() const { return spec_.root.source == RootSpec::Source::directory; }

    Result<void> check_paths() const {
        for (std::string const& path : own_paths())
            for (char const* kernel : {"/proc/", "/sys/"})
                if (path.starts_with(kernel))
                    return error("mount(" + path + ")",
                                 std::string(kernel) + " inside is the kernel's own",
                                 "another path inside");
        return {};
    }

    void identity() {
        add(Op::die_with_parent, "nothing inside may outlive isolate, however that ends");
        if (plan_.ids.by_parent) return;
        auto map = [&](char const* file, std::string text, char const* why) {
            Step& step = add(Op::write_file, why);
            step.path = file;
            step.text = std::move(text);
        };
        map("/proc/self/setgroups", "deny",
            "the kernel asks for it before an ordinary user may map a group");
        map("/proc/self/uid_map", fmt::format("0 {} 1", plan_.ids.host_uid),
            "uid 0 inside is you outside, and no other id exists");
        map("/proc/self/gid_map", fmt::format("0 {} 1", plan_.ids.host_gid),
            "the same for the group");
    }

    void surroundings() {
        add(Op::loopback_up, "a new network namespace has only lo, and that is down");
        add(Op::set_hostname, "its own name, in its own UTS namespace").text = spec_.hostname;
        add(Op::private_mounts, "no mount made here may show on the host, nor the other way round");
    }

    int take(std::string const& path, std::uint64_t attributes, char const* why) {
        Step& taken = add(Op::take_tree, why);
        taken.path = path;
        taken.out = new_slot();
        int const slot = taken.out;
        if (attributes != 0) {
            Step& restricted =
                add(Op::restrict_mount, "read-only; no set-user-id; no device nodes");
            restricted.in = slot;
            restricted.number = attributes;
            restricted.path = path;
        }
        return slot;
    }

    /// Clones of host mounts, taken while the host's tree can still be named.
    Result<void> sources() {
        if (has_root()) TRY(take_root());
        program_slot_ = take(plan_.program, k_hardened | MOUNT_ATTR_RDONLY,
                             "the program's file, as it is on the host");
        for (MountSpec const& added : spec_.mounts) {
            char resolved[PATH_MAX];
            if (::realpath(added.source.c_str(), resolved) == nullptr)
                return sys_error("--add(" + added.source + ")", "a path that exists");
            struct stat info {};
            if (::stat(resolved, &info) != 0)
                return sys_error("stat(" + std::string(resolved) + ")");
            added_.push_back({take(resolved, k_hardened | MOUNT_ATTR_RDONLY, "asked for by --add"),
                              added.target, S_ISDIR(info.st_mode)});
        }
        return {};
    }

    void devices() {
        for (HostDevice const& device : k_devices) {
            int const slot = take(
                device.path, 0, "a user namespace may not make device nodes; the host's is bound");
            Step& check =
                add(Op::require_device, "a false /dev/null would turn every mask into a hole");
            check.in = slot;
            check.path = device.path;
            check.number = makedev(device.major, device.minor);
            device_slots_.push_back(slot);
        }
    }

    /// --root: its entries are bound one by one into a root of our own, so that what it lacks to
    /// mount on can be made without changing it.
    Result<void> take_root() {
        RootLayout const layout = TRY(lay_out_root(spec_.root.path, own_paths()));
        for (RootEntry const& entry : layout.entries) {
            if (entry.kind == RootEntry::Kind::tree || entry.kind == RootEntry::Kind::file) {
                Step& taken = add(Op::take_tree, "from --root");
                taken.path = entry.path.substr(1);
                taken.text = layout.directory.empty() ? "/" : layout.directory;
                taken.out = new_slot();
                int const slot = taken.out;
                Step& restricted =
                    add(Op::restrict_mount, "read-only; no set-user-id; no device nodes");
                restricted.in = slot;
                restricted.number = k_hardened | MOUNT_ATTR_RDONLY;
                restricted.path = layout.directory + entry.path;
                root_slots_.push_back(slot);
            } else {
                root_slots_.push_back(-1);
            }
        }
        root_entries_ = layout.entries;
        return {};
    }

    /// What the jail itself puts into the root, whatever --root holds there.
    std::vector<std::string> own_paths() const {
        std::vector<std::string> paths{"/dev", "/tmp", "/sys", "/proc", plan_.program};
        for (MountSpec const& added : spec_.mounts)
            paths.push_back(added.target);
        return paths;
    }

    void furnish_root() {
        for (std::size_t i = 0; i < root_entries_.size(); ++i) {
            RootEntry const& entry = root_entries_[i];
            switch (entry.kind) {
            case RootEntry::Kind::tree:
                mount_at(root_slots_[i], entry.path, true, "from --root");
                break;
            case RootEntry::Kind::file:
                mount_at(root_slots_[i], entry.path, false, "from --root");
                break;
            case RootEntry::Kind::directory:
                directory(entry.path, 0755, "holds what --root lacks");
                break;
            case RootEntry::Kind::link: {
                Step& step = add(Op::make_link, "from --root; it can lead only inside");
                step.path = entry.path;
                step.text = entry.target;
                break;
            }
            }
        }
    }

    void become_root() {
        add(Op::await_parent,
            "isolate writes the id maps meanwhile: only host root may map an id of nobody");
        add(Op::become_root_inside, "uid 0 inside is an id that nobody has outside");
        add(Op::die_with_parent, "changing ids cleared it (prctl(2))");
    }

    int make_filesystem(char const* type, std::string text, std::uint64_t attributes,
                        char const* why) {
        Step& step = add(Op::new_filesystem, why);
        step.path = type;
        step.text = std::move(text);
        step.number = attributes;
        step.out = new_slot();
        return step.out;
    }

    /// New file systems, mounted nowhere yet. /proc and /sys are made while the host's can be seen:
    /// the kernel refuses them to whoever sees less ("mount too revealing").
    void filesystems() {
        root_slot_ = make_filesystem("tmpfs", "mode=0755,size=4m,nr_inodes=16384", k_hardened,
                                     "the new root: empty");
        dev_slot_ =
            make_filesystem("tmpfs", "mode=0755,size=64k,nr_inodes=256",
                            MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, "/dev: only what is put there");
        pts_slot_ = make_filesystem("devpts", "newinstance,ptmxmode=0666,mode=0620",
                                    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
                                    "/dev/pts: terminals of its own");
        std::string const memory =
            spec_.limits.memory ? fmt::format("{}", *spec_.limits.memory) : "256m";
        shm_slot_ = make_filesystem("tmpfs", "mode=1777,size=" + memory, k_data_only,
                                    "/dev/shm: shared memory of its own");
        tmp_slot_ = make_filesystem("tmpfs", "mode=1777,size=" + memory, k_hardened,
                                    "/tmp: scratch space that ends with the jail");
        mask_slot_ = make_filesystem("tmpfs", "mode=0555,size=4k,nr_inodes=2",
                                     k_data_only | MOUNT_ATTR_RDONLY,
                                     "an empty directory to hide others with");
        sys_slot_ = make_filesystem("sysfs", "", k_data_only | MOUNT_ATTR_RDONLY,
                                    "/sys of the new network namespace, read-only");
        plan_.steps.back().may_be_refused = true;
        proc_slot_ = make_filesystem("proc", "", k_data_only | MOUNT_ATTR_RDONLY,
                                     "/proc of the new process namespace; read-only as a whole, so "
                                     "no switch in it can be thrown");
    }

    void cross_over() {
        Step& enter = add(Op::enter_root, "pivot_root(2) asks for a mounted new root");
        enter.in = root_slot_;
        add(Op::switch_root,
            "the new root comes to lie under the old one, and no directory is needed for that");
        add(Op::detach_host, "from here on no path can name anything of the host");
    }

    void directory(std::string const& path, unsigned mode, char const* why) {
        if (std::find(made_.begin(), made_.end(), path) != made_.end()) return;
        made_.push_back(path);
        Step& step = add(Op::make_directory, why);
        step.path = path;
        step.number = mode;
    }

    void parents(std::string const& path) {
        for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
             slash = path.find('/', slash + 1))
            directory(path.substr(0, slash), 0755, "on the way to a mount");
    }

    void mount_at(int slot, std::string const& path, bool is_directory, char const* why) {
        parents(path);
        if (is_directory) {
            directory(path, 0755, "to mount on");
        } else {
            add(Op::make_file, "to mount on").path = path;
        }
        Step& step = add(Op::attach, why);
        step.in = slot;
        step.path = path;
    }

    void furnish() {
        furnish_root();
        mount_at(dev_slot_, "/dev", true, "a minimal /dev");
        for (std::size_t i = 0; i < std::size(k_devices); ++i)
            mount_at(device_slots_[i], k_devices[i].path, false, "a harmless device");
        mount_at(pts_slot_, "/dev/pts", true, "terminals of its own");
        mount_at(shm_slot_, "/dev/shm", true, "shared memory of its own");
        constexpr std::pair<char const*, char const*> k_links[] = {
            {"/dev/fd", "/proc/self/fd"},
            {"/dev/stdin", "/proc/self/fd/0"},
            {"/dev/stdout", "/proc/self/fd/1"},
            {"/dev/stderr", "/proc/self/fd/2"},
            {"/dev/ptmx", "pts/ptmx"}};
        for (auto const& [path, target] : k_links) {
            Step& step = add(Op::make_link, "as programs expect");
            step.path = path;
            step.text = target;
        }
        mount_at(tmp_slot_, "/tmp", true, "the one place that can be written");
        for (Added const& added : added_)
            mount_at(added.slot, added.guest, added.is_directory, "asked for by --add");
        mount_at(program_slot_, plan_.program, false, "the program, at its own path");
        std::string const& typed = spec_.process.arguments.front();
        if (!has_root() && typed.starts_with("/") && typed != plan_.program &&
            typed.find("/.") == std::string::npos && typed.find("//") == std::string::npos) {
            parents(typed);
            Step& link =
                add(Op::make_link, "and as it was called: that path leads there on the host too");
            link.path = typed;
            link.text = plan_.program;
            link.may_exist = true; // shown by --add
        }
        mount_at(
            mask_slot_, "/sys", true,
            "shows if this kernel refuses us a /sys; attached, it can be cloned for the masks");
        mount_at(sys_slot_, "/sys", true, "read-only");
        plan_.steps.back().may_be_missing = true;
        // Last: before this no magic link exists that a path could be led through.
        mount_at(proc_slot_, "/proc", true, "read-only");
        for (char const* path : k_masked) {
            // A person shall read only of what is in this kernel; the child finds out for itself.
            if ((options_.run.explain || options_.run.trace) && ::access(path, F_OK) != 0) continue;
            Step& step = add(Op::mask, "tells about the host, or changes it");
            step.path = path;
            step.in = device_slots_.front();
            step.out = mask_slot_;
            step.may_be_missing = true;
        }
        for (char const* path : {"/dev", "/"})
            add(Op::make_read_only, "nothing of it changes any more").path = path;
    }

    void limit(int resource, std::uint64_t value, char const* why) {
        Step& step = add(Op::set_limit, why);
        step.in = resource;
        step.number = value;
    }

    void limits() {
        if (plan_.await_cgroup)
            add(Op::await_parent, "isolate puts this process into its memory group meanwhile");
        if (spec_.limits.tasks)
            limit(RLIMIT_NPROC, *spec_.limits.tasks,
                  "a fork bomb ends here: the kernel counts the tasks of this user namespace");
        limit(RLIMIT_CORE, 0, "no core file, and no host program to write one");
        if (memory_ == MemoryLimit::address_space ||
            memory_ == MemoryLimit::address_space_in_cgroup)
            limit(RLIMIT_AS, *spec_.limits.memory,
                  "--memory, for each process: no memory group may be made here");
    }

    void privileges() {
        add(Op::drop_bounding, "no program started inside can gain a capability");
        add(Op::drop_capabilities,
            "nor has one now: permitted, effective, inheritable, ambient are empty");
        add(Op::no_new_privileges, "set-user-id files give nothing, and seccomp(2) asks for it");
        add(Op::not_dumpable, "the set-up process cannot be traced from inside (CVE-2016-9962)");
        add(Op::filter_calls, "fewer kernel calls, less kernel to attack");
    }

    void program() {
        plan_.program_step = plan_.steps.size();
        add(Op::start_program,
            "the program is an ordinary process, not an init: signals act as usual");
        add(Op::new_session, "no controlling terminal to type into");
        add(Op::default_signals,
            "none blocked, none ignored: what the caller ignores is its own affair");
        add(Op::change_directory,
            "a working directory inside, never an inherited one (CVE-2024-21626)")
            .path = spec_.process.directory;
        add(Op::close_descriptors, "nothing is inherited but 0, 1 and 2");
        if (options_.rehearsal) {
            add(Op::leave, "the jail stands; this was a rehearsal");
        } else {
            add(Op::execute, "the program's first instruction").path = plan_.program;
        }
    }

    struct Added {
        int slot;
        std::string guest;
        bool is_directory;
    };

    JailPlan& plan_;
    JailOptions const& options_;
    JailSpec const& spec_;
    MemoryLimit memory_;
    std::vector<RootEntry> root_entries_;
    std::vector<int> root_slots_;
    std::vector<Added> added_;
    std::vector<int> device_slots_;
    std::vector<std::string> made_;
    int program_slot_ = -1, root_slot_ = -1, dev_slot_ = -1, pts_slot_ = -1, shm_slot_ = -1,
        tmp_slot_ = -1, mask_slot_ = -1, sys_slot_ = -1, proc_slot_ = -1;
};

} // namespace

Result<JailPlan> make_plan(JailOptions const& options, IdMap const& ids, MemoryLimit memory) {
    if (!options.run.disk.empty())
        return error("--disk", "a jail shares the host's kernel: it has no disk of its own",
                     "vmm-mini or paravirt-demo; here /tmp can be written to");
    JailPlan plan;
    JailSpec const& spec = options.spec;
    TRY(check_supported(spec));
    plan.program = TRY(find_program(spec.process.arguments.front()));
    plan.ids = ids;
    TRY(check_program(plan, spec));
    plan.filter = default_filter();
    plan.await_cgroup =
        memory == MemoryLimit::cgroup || memory == MemoryLimit::address_space_in_cgroup;

    plan.words = spec.process.arguments;
    plan.words.insert(plan.words.end(), spec.process.environment.begin(),
                      spec.process.environment.end());
    std::size_t const arguments = spec.process.arguments.size();
    for (std::size_t i = 0; i < plan.words.size(); ++i)
        (i < arguments ? plan.argv : plan.envp).push_back(plan.words[i].data());
    plan.argv.push_back(nullptr);
    plan.envp.push_back(nullptr);

    plan.steps.reserve(160);
    TRY(Planner(plan, options, memory).write());
    return plan;
}

} // namespace iso::jail
