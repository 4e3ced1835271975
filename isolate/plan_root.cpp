// The root and everything that is mounted, made while the host can still be named.
#include "common/fd.hpp"
#include "isolate/planner.hpp"

#include <climits>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <unistd.h>

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace iso::jail {

namespace {

static_assert(k_mount_hardened == (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
static_assert(k_mount_data_only == (k_mount_hardened | MOUNT_ATTR_NOEXEC));

constexpr char const* k_from_root = "from --root";
constexpr char const* k_restricted = "read-only; no set-user-id; no device nodes";

/// Files of /proc that may be covered: those that programs read to learn about the machine. Any
/// other would stand between the masks and what they hide.
constexpr char const* k_coverable[] = {"/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg",
                                       "/proc/meminfo", "/proc/stat",      "/proc/swaps",
                                       "/proc/uptime",  "/proc/slabinfo"};

bool is_plain_target(std::string const& path) {
    if (path.size() < 2 || path.front() != '/' || path.size() >= PATH_MAX ||
        path.find('\0') != path.npos)
        return false;
    for (std::size_t at = 0; at < path.size(); ++at) {
        if (path[at] != '/') continue;
        std::string_view const rest = std::string_view(path).substr(at + 1);
        if (rest == ".." || rest.starts_with("../")) return false;
    }
    return true;
}

Result<std::string> resolve_host(std::string const& path) {
    char resolved[PATH_MAX];
    if (::realpath(path.c_str(), resolved) == nullptr)
        return sys_error("mount(" + path + ")", "a path that exists");
    return std::string(resolved);
}

} // namespace

Result<void> Planner::check_paths() const {
    for (MountSpec const& mount : spec_.mounts) {
        std::string const shown = "mount(" + mount.target + ")";
        if (!is_plain_target(mount.target))
            return error(shown, "it is no absolute path without .. below /", "a path like /data");
        bool const below_proc = mount.target.starts_with("/proc/");
        bool const below_sys = mount.target.starts_with("/sys/");
        if (below_proc &&
            (spec_.standard_mounts || std::find(std::begin(k_coverable), std::end(k_coverable),
                                                mount.target) == std::end(k_coverable)))
            return error(shown, "/proc/ inside is the kernel's own", "another path inside");
        if (below_sys && spec_.standard_mounts && !mount.target.starts_with("/sys/fs/"))
            return error(shown, "/sys/ inside is the kernel's own", "another path inside");
    }
    for (DeviceSpec const& device : spec_.devices)
        if (!is_plain_target(device.path))
            return error("device(" + device.path + ")", "it is no absolute path without ..",
                         "a path like /dev/fuse");
    for (char const* kernel : {"/proc/", "/sys/"})
        if (spec_.process.from_host && plan_.program.starts_with(kernel))
            return error("mount(" + plan_.program + ")",
                         std::string(kernel) + " inside is the kernel's own",
                         "another path inside");
    return {};
}

/// What the jail itself puts into the root, whatever --root holds there.
std::vector<std::string> Planner::own_paths() const {
    std::vector<std::string> paths{"/dev", "/tmp", "/sys", "/proc"};
    if (spec_.process.from_host) paths.push_back(plan_.program);
    for (MountSpec const& mount : spec_.mounts)
        paths.push_back(mount.target);
    return paths;
}

void Planner::restrict_tree(int slot, std::string const& shown, std::uint64_t attributes,
                            std::uint64_t propagation, char const* why) {
    Step& step = add(Op::restrict_mount, why);
    step.in = slot;
    step.number = attributes;
    step.extra = propagation;
    step.path = shown;
}

int Planner::take(std::string const& path, std::uint64_t attributes, char const* why) {
    Step& taken = add(Op::take_tree, why);
    taken.path = path;
    taken.out = new_slot();
    int const slot = taken.out;
    if (attributes != 0) restrict_tree(slot, path, attributes, 0, k_restricted);
    return slot;
}

/// Clones of host mounts, taken while the host's tree can still be named.
Result<void> Planner::sources() {
    TRY(take_root());
    if (spec_.process.from_host)
        program_slot_ = take(plan_.program, k_mount_hardened | MOUNT_ATTR_RDONLY,
                             "the program's file, as it is on the host");
    return take_binds();
}

Result<void> Planner::take_binds() {
    prepared_.clear();
    for (MountSpec const& mount : spec_.mounts) {
        MountFlags const flags = TRY(read_mount_options(mount));
        Prepared& prepared = prepared_.emplace_back(Prepared{&mount, -1, true});
        if (!flags.bind) continue;
        std::string const path = TRY(resolve_host(mount.source));
        struct stat info {};
        if (::stat(path.c_str(), &info) != 0) return sys_error("stat(" + path + ")");
        prepared.is_directory = S_ISDIR(info.st_mode);
        Step& taken = add(Op::take_tree, "asked for: a file or directory of the host");
        taken.path = path;
        taken.number = flags.recursive ? 0 : 1;
        taken.out = new_slot();
        prepared.slot = taken.out;
        restrict_tree(prepared.slot, path, flags.attributes, flags.propagation,
                      "as asked for, and none of the host's mount events");
    }
    return {};
}

/// A root of our own making takes the entries of --root one by one, so that what it lacks to mount
/// on can be made without changing it. A given root is taken as a whole.
Result<void> Planner::take_root() {
    RootSpec const& root = spec_.root;
    if (root.source == RootSpec::Source::empty) return {};
    if (root_ == Root::given) {
        std::string const path = TRY(resolve_host(root_directory()));
        if (root.mode == RootSpec::Mode::overlay) {
            if (plan_.ids.may_mount && !root.upper.empty()) make_upper();
            return {}; // the rest is layers(), in the child
        }
        root_slot_ = take(path, spec_.standard_mounts ? k_mount_hardened : 0,
                          "the root directory, as it is");
        if (!spec_.standard_mounts)
            restrict_tree(root_slot_, path, 0, 0, "none of the host's mount events");
        return {};
    }
    RootLayout const layout = TRY(lay_out_root(root.path, own_paths()));
    for (RootEntry const& entry : layout.entries) {
        bool const taken_over =
            entry.kind == RootEntry::Kind::tree || entry.kind == RootEntry::Kind::file;
        root_slots_.push_back(taken_over ? new_slot() : -1);
        if (!taken_over) continue;
        Step& taken = add(Op::take_tree, k_from_root);
        taken.path = entry.path.substr(1);
        taken.text = layout.directory.empty() ? "/" : layout.directory;
        taken.out = root_slots_.back();
        restrict_tree(root_slots_.back(), layout.directory + entry.path,
                      k_mount_hardened | MOUNT_ATTR_RDONLY, 0, k_restricted);
    }
    root_entries_ = layout.entries;
    return {};
}

void Planner::take_device(char const* path, std::uint64_t number, char const* type) {
    int const slot =
        take(path, 0, "a user namespace may not make device nodes; the host's is bound");
    Step& check = add(Op::require_device, "a false /dev/null would turn every mask into a hole");
    check.in = slot;
    check.path = path;
    check.text = type;
    check.number = number;
    // Root of the host could change the node itself through a mount that can be written to.
    if (!plan_.ids.fresh)
        restrict_tree(slot, path, MOUNT_ATTR_RDONLY, 0, "its owner and mode stay the host's");
    device_slots_.push_back(slot);
}

void Planner::devices() {
    for (StandardDevice const& device : k_standard_devices)
        take_device(device.path, makedev(device.major, device.minor), "c");
    if (!plan_.ids.fresh) return; // spec_devices() makes nodes
    for (DeviceSpec const& device : spec_.devices) {
        if (device.type == 'p') {
            spec_device_slots_.push_back(-1);
            continue;
        }
        take_device(
            device.path.c_str(),
            makedev(static_cast<unsigned>(device.major), static_cast<unsigned>(device.minor)),
            device.type == 'b' ? "b" : "c");
        spec_device_slots_.push_back(device_slots_.back());
        device_slots_.pop_back();
    }
}

/// overlayfs takes only layers that are mounted in its maker's own namespace, so they are opened
/// there, and before its maker has become an id of nobody.
void Planner::layers() {
    RootSpec const& root = spec_.root;
    if (root_ != Root::given || root.mode != RootSpec::Mode::overlay) return;
    auto open = [&](std::string const& path, char const* why) {
        Step& step = add(Op::open_layer, why);
        step.path = path;
        step.out = new_slot();
        return step.out;
    };
    layer_slot_ = open(root_directory(), "the lower layer: it is only read");
    if (root.upper.empty()) return;
    if (!plan_.ids.may_mount) make_upper();
    upper_slot_ = open(root.upper, "the upper layer: what the jail changes is kept here");
}

/// Only the host's root can give them to the id that will write there.
void Planner::make_upper() {
    Step& opened = add(Op::open_layer, "the upper layer: what the jail changes is kept here");
    opened.path = spec_.root.upper;
    opened.out = new_slot();
    int const slot = opened.out;
    Step& made = add(Op::make_layers, "overlayfs wants these two in one file system");
    made.in = slot;
    made.path = spec_.root.upper;
    made.number = plan_.ids.may_mount && plan_.ids.fresh ? plan_.ids.host_uid : ~std::uint64_t{0};
    made.extra = plan_.ids.host_gid;
}

int Planner::make_filesystem(char const* type, std::string text, std::uint64_t attributes,
                             char const* why) {
    Step& step = add(Op::new_filesystem, why);
    step.path = type;
    step.text = std::move(text);
    step.number = attributes;
    step.out = new_slot();
    return step.out;
}

std::string Planner::memory_size() const {
    return spec_.limits.memory ? fmt::format("{}", *spec_.limits.memory) : "256m";
}

void Planner::root_filesystem() {
    RootSpec const& root = spec_.root;
    std::string const size = root.quota ? fmt::format("{}", *root.quota) : memory_size();
    if (root_ == Root::own) {
        bool const fixed = root.mode == RootSpec::Mode::read_only;
        root_slot_ = make_filesystem(
            "tmpfs", fixed ? "mode=0755,size=4m,nr_inodes=16384" : "mode=0755,size=" + size,
            k_mount_hardened, "the new root: empty");
        return;
    }
    if (layer_slot_ < 0) return; // taken as a whole
    bool const in_memory = upper_slot_ < 0;
    if (in_memory) {
        upper_slot_ = make_filesystem("tmpfs", "mode=0755,size=" + size, 0,
                                      "the upper layer: what the jail changes is lost with it");
        add(Op::cover_root, "a layer has to be mounted; nothing is looked up below it yet").in =
            upper_slot_;
        Step& made = add(Op::make_layers, "overlayfs wants these two in one file system");
        made.in = upper_slot_;
        made.path = "tmpfs";
        made.number = ~std::uint64_t{0};
    }
    Step& step = add(Op::new_overlay, "the root: what is written goes to the upper layer");
    step.path = root_directory();
    step.in = layer_slot_;
    step.number = static_cast<std::uint64_t>(upper_slot_);
    step.extra = spec_.standard_mounts ? k_mount_hardened : 0;
    step.text = plan_.ids.fresh ? "userxattr" : "";
    step.out = new_slot();
    root_slot_ = step.out;
    if (in_memory)
        add(Op::uncover_root, "the overlay holds its layers; this would stay between it and the "
                              "host, and the host would not be unmounted")
            .in = upper_slot_;
}

/// New file systems, mounted nowhere yet. /proc and /sys are made while the host's can be seen:
/// the kernel refuses them to whoever sees less ("mount too revealing").
void Planner::filesystems() {
    root_filesystem();
    if (spec_.standard_mounts) standard_filesystems();
}

void Planner::standard_filesystems() {
    dev_slot_ =
        make_filesystem("tmpfs", "mode=0755,size=64k,nr_inodes=256",
                        MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, "/dev: only what is put there");
    pts_slot_ =
        make_filesystem("devpts", "newinstance,ptmxmode=0666,mode=0620",
                        MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, "/dev/pts: terminals of its own");
    std::string const memory = memory_size();
    shm_slot_ = make_filesystem("tmpfs", "mode=1777,size=" + memory, k_mount_data_only,
                                "/dev/shm: shared memory of its own");
    tmp_slot_ = make_filesystem("tmpfs", "mode=1777,size=" + memory, k_mount_hardened,
                                "/tmp: scratch space that ends with the jail");
    if (root_ == Root::own)
        mask_slot_ = make_filesystem("tmpfs", "mode=0555,size=4k,nr_inodes=2",
                                     k_mount_data_only | MOUNT_ATTR_RDONLY,
                                     "an empty directory to hide others with");
    sys_slot_ = make_filesystem("sysfs", "", k_mount_data_only | MOUNT_ATTR_RDONLY,
                                "/sys of the new network namespace, read-only");
    plan_.steps.back().may_be_refused = true;
    if (fresh(Namespace::pid) || !plan_.ids.fresh) {
        proc_slot_ = make_filesystem("proc", "", k_mount_data_only | MOUNT_ATTR_RDONLY,
                                     "/proc of the new process namespace; read-only as a whole, so "
                                     "no switch in it can be thrown");
    } else {
        proc_slot_ = take("/proc", k_mount_data_only | MOUNT_ATTR_RDONLY,
                          "only who owns a process namespace may mount its /proc");
    }
}

/// The same for a jail that sees the host's groups by their names: a mount of its own would show
/// all of them, so only its own group's directories are bound.
Result<int> Planner::bind_own_groups(std::string const& target, std::uint64_t attributes) {
    constexpr char const* k_why = "its own group, and no other";
    auto bind = [&](std::string const& path, std::uint64_t with) {
        int const slot = take(path, 0, k_why);
        restrict_tree(slot, path, with, 0, "as asked for, and none of the host's mount events");
        return slot;
    };
    if (options_.groups.empty()) return bind("/sys/fs/cgroup", attributes | MOUNT_ATTR_RDONLY);
    if (options_.groups.size() == 1 && options_.groups.front().v2)
        return bind(options_.groups.front().directory(), attributes);
    for (GroupPlace const& place : options_.groups)
        cgroup_parts_.push_back(
            {bind(place.directory(), attributes),
             target + "/" + place.mount.substr(place.mount.find_last_of('/') + 1)});
    return make_filesystem("tmpfs", "mode=0755,size=64k",
                           attributes & ~std::uint64_t{MOUNT_ATTR_RDONLY},
                           "holds the hierarchies of cgroup v1");
}

/// Each hierarchy of cgroup v1 at a directory of its own, or the one of v2, as cgroups(7) has them.
Result<int> Planner::cgroup_filesystems(std::string const& target, std::uint64_t attributes) {
    if (!fresh(Namespace::cgroup)) return bind_own_groups(target, attributes);
    constexpr char const* k_why = "its own group is the root of it";
    std::string const groups = TRY(read_file("/proc/self/cgroup"));
    std::vector<std::pair<std::string, std::string>> hierarchies; // type, controllers
    for (std::size_t at = 0; at < groups.size();) {
        std::size_t const end = std::min(groups.find('\n', at), groups.size());
        std::string const line = groups.substr(at, end - at);
        at = end + 1;
        std::size_t const first = line.find(':');
        std::size_t const second = line.find(':', first + 1);
        if (second == line.npos) continue;
        std::string controllers = line.substr(first + 1, second - first - 1);
        hierarchies.emplace_back(controllers.empty() ? "cgroup2" : "cgroup",
                                 std::move(controllers));
    }
    if (hierarchies.size() == 1 && hierarchies.front().first == "cgroup2")
        return make_filesystem("cgroup2", "", attributes, k_why);
    for (auto const& [type, controllers] : hierarchies) {
        bool const named = controllers.starts_with("name=");
        std::string const name = type == "cgroup2" ? "unified"
                                 : named           ? controllers.substr(5)
                                                   : controllers;
        int const slot = make_filesystem(type.c_str(), named ? "none," + controllers : controllers,
                                         attributes, k_why);
        cgroup_parts_.push_back({slot, target + "/" + name});
        if (name.find(',') == name.npos) continue;
        for (std::size_t at = 0; at < name.size();) { // "cpu,cpuacct" is also known as each of them
            std::size_t const end = std::min(name.find(',', at), name.size());
            cgroup_links_.emplace_back(target + "/" + name.substr(at, end - at), name);
            at = end + 1;
        }
    }
    // Not read-only itself: the hierarchies are still to be mounted in it.
    return make_filesystem("tmpfs", "mode=0755,size=64k",
                           attributes & ~std::uint64_t{MOUNT_ATTR_RDONLY},
                           "holds the hierarchies of cgroup v1");
}

Result<void> Planner::spec_filesystems() {
    for (Prepared& prepared : prepared_) {
        MountSpec const& mount = *prepared.mount;
        MountFlags const flags = TRY(read_mount_options(mount));
        if (flags.bind) continue;
        if (mount.type == "cgroup" || mount.type == "cgroup2") {
            prepared.slot = TRY(cgroup_filesystems(mount.target, flags.attributes));
        } else {
            std::string data = flags.data;
            if (mount.source.starts_with("/")) // a device, or what a file system calls its source
                data = "source=" + mount.source + (data.empty() ? "" : "," + data);
            if (mount.type == "overlay" && plan_.ids.fresh)
                data += data.empty() ? "userxattr" : ",userxattr";
            // What is to be filled first is made read-only afterwards.
            std::uint64_t const kept = flags.copy_up
                                           ? flags.attributes & ~std::uint64_t{MOUNT_ATTR_RDONLY}
                                           : flags.attributes;
            prepared.slot = make_filesystem(mount.type.c_str(), std::move(data), kept,
                                            "asked for: a new file system");
            prepared.copy_up = flags.copy_up;
            prepared.read_only = kept != flags.attributes;
        }
        if (flags.propagation != 0)
            restrict_tree(prepared.slot, mount.target, 0, flags.propagation,
                          "which mount events pass it");
    }
    return {};
}

void Planner::cross_over() {
    if (root_ == Root::kept) {
        if (spec_.root.source == RootSpec::Source::directory)
            add(Op::change_root, "names begin here; the host's mounts stay where they are").path =
                spec_.root.path;
        return;
    }
    Step& enter = add(Op::enter_root, "pivot_root(2) asks for a mounted new root");
    enter.in = root_slot_;
    add(Op::switch_root,
        "the new root comes to lie under the old one, and no directory is needed for that");
    add(Op::detach_host, "from here on no path can name anything of the host");
}

} // namespace iso::jail
