// The walk inside: the host is gone, every path is the jail's.
//
// In a root of our own making plain calls do: nothing is in it but what we put there, and /proc
// comes last. A given root was filled by others. There each path is walked by openat2(2), which
// follows links inside the root only and never a magic link of /proc, whatever lies there.
#include "isolate/planner.hpp"

#include <algorithm>
#include <unistd.h>

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace iso::jail {

namespace {

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

constexpr std::pair<char const*, char const*> k_device_links[] = {
    {"/dev/fd", "/proc/self/fd"},
    {"/dev/stdin", "/proc/self/fd/0"},
    {"/dev/stdout", "/proc/self/fd/1"},
    {"/dev/stderr", "/proc/self/fd/2"},
    {"/dev/ptmx", "pts/ptmx"}};

constexpr char const* k_on_the_way = "on the way to a mount";
constexpr char const* k_to_mount_on = "to mount on";

} // namespace

void Planner::directory(std::string const& path, unsigned mode, char const* why) {
    if (std::find(made_.begin(), made_.end(), path) != made_.end()) return;
    made_.push_back(path);
    Step& step = add(root_ == Root::own ? Op::make_directory : Op::place_directory, why);
    step.path = path;
    step.number = mode;
}

void Planner::parents(std::string const& path) {
    if (root_ != Root::own) return; // place_directory and its like make what leads there
    for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
         slash = path.find('/', slash + 1))
        directory(path.substr(0, slash), 0755, k_on_the_way);
}

void Planner::file(std::string const& path, char const* why) {
    add(root_ == Root::own ? Op::make_file : Op::place_file, why).path = path;
}

void Planner::link(std::string const& path, std::string const& target, char const* why) {
    Step& step = add(root_ == Root::own ? Op::make_link : Op::place_link, why);
    step.path = path;
    step.text = target;
    step.may_exist = root_ != Root::own;
}

void Planner::mount_at(int slot, std::string const& path, bool is_directory, char const* why,
                       bool strictly) {
    parents(path);
    if (is_directory) {
        directory(path, 0755, k_to_mount_on);
    } else {
        file(path, k_to_mount_on);
    }
    Step& step = add(strictly || root_ == Root::own ? Op::attach : Op::attach_inside, why);
    step.in = slot;
    step.path = path;
}

void Planner::furnish_root() {
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

void Planner::attach_spec_mounts(bool below_sys) {
    for (Prepared const& prepared : prepared_) {
        std::string const& target = prepared.mount->target;
        if (spec_.standard_mounts && target.starts_with("/sys/") != below_sys) continue;
        // Masks hide paths below these two: a link there would lead them elsewhere
        // (CVE-2019-19921).
        bool const strictly = prepared.mount->type == "proc" || prepared.mount->type == "sysfs";
        if (prepared.copy_up) {
            parents(target);
            directory(target, 0755, k_to_mount_on);
            Step& step = add(Op::copy_up, "asked for: it begins with what it covers");
            step.in = prepared.slot;
            step.path = target;
            if (prepared.read_only)
                restrict_tree(prepared.slot, target, 1, 0, "as asked for"); // MOUNT_ATTR_RDONLY
        }
        mount_at(prepared.slot, target, prepared.is_directory, "asked for", strictly);
        if (prepared.mount->type != "cgroup" && prepared.mount->type != "cgroup2") continue;
        for (CgroupPart const& part : cgroup_parts_)
            if (part.path.starts_with(target + "/"))
                mount_at(part.slot, part.path, true, "a hierarchy of cgroup v1");
        for (auto const& [path, name] : cgroup_links_)
            if (path.starts_with(target + "/")) link(path, name, "another name of it");
    }
}

void Planner::show_program() {
    if (!spec_.process.from_host) return;
    mount_at(program_slot_, plan_.program, false, "the program, at its own path");
    std::string const& typed = spec_.process.arguments.front();
    if (spec_.root.source == RootSpec::Source::empty && typed.starts_with("/") &&
        typed != plan_.program && typed.find("/.") == std::string::npos &&
        typed.find("//") == std::string::npos) {
        parents(typed);
        link(typed, plan_.program, "and as it was called: that path leads there on the host too");
        plan_.steps.back().may_exist = true; // shown by --add
    }
}

void Planner::standard_furniture() {
    mount_at(dev_slot_, "/dev", true, "a minimal /dev");
    for (std::size_t i = 0; i < device_slots_.size(); ++i)
        mount_at(device_slots_[i], k_standard_devices[i].path, false, "a harmless device");
    mount_at(pts_slot_, "/dev/pts", true, "terminals of its own");
    mount_at(shm_slot_, "/dev/shm", true, "shared memory of its own");
    for (auto const& [path, target] : k_device_links)
        link(path, target, "as programs expect");
    mount_at(tmp_slot_, "/tmp", true, "the one place that can be written");
    attach_spec_mounts(false);
    spec_devices();
    show_program();
    if (root_ == Root::own)
        mount_at(
            mask_slot_, "/sys", true,
            "shows if this kernel refuses us a /sys; attached, it can be cloned for the masks");
    mount_at(sys_slot_, "/sys", true, "read-only", true);
    plan_.steps.back().may_be_missing = true;
    attach_spec_mounts(true);
    // Last: before this no magic link exists that a path could be led through.
    mount_at(proc_slot_, "/proc", true, "read-only", true);
}

/// The nodes that were asked for: made where that is allowed, else the host's.
void Planner::spec_devices() {
    for (std::size_t i = 0; i < spec_.devices.size(); ++i) {
        DeviceSpec const& device = spec_.devices[i];
        if (plan_.ids.fresh && spec_device_slots_[i] >= 0) {
            mount_at(spec_device_slots_[i], device.path, false, "asked for: a device of the host");
            continue;
        }
        // Engines list these as well; they stand already.
        bool const stands =
            std::any_of(std::begin(k_standard_devices), std::end(k_standard_devices),
                        [&](StandardDevice const& known) {
                            return device.type == 'c' && device.path == known.path &&
                                   device.major == known.major && device.minor == known.minor;
                        });
        // And this one is the link to that of the jail's own terminals.
        bool const ptmx = device.path == "/dev/ptmx" && device.major == 5 && device.minor == 2;
        if ((stands || ptmx) && !device_slots_.empty()) continue;
        parents(device.path);
        Step& step = add(Op::place_node, "asked for: a device");
        unsigned const type = device.type == 'b'   ? unsigned{S_IFBLK}
                              : device.type == 'p' ? unsigned{S_IFIFO}
                                                   : unsigned{S_IFCHR};
        step.path = device.path;
        step.number = type | (device.mode & 07777U);
        step.extra =
            makedev(static_cast<unsigned>(device.major), static_cast<unsigned>(device.minor));
        step.in = static_cast<int>(device.uid);
        step.out = static_cast<int>(device.gid);
    }
}

void Planner::hide() {
    auto mask = [&](std::string const& path) {
        Step& step = add(Op::mask, "tells about the host, or changes it");
        step.path = path;
        step.in = device_slots_.empty() ? -1 : device_slots_.front();
        step.out = mask_slot_;
        step.may_be_missing = true;
    };
    if (spec_.masked) {
        for (std::string const& path : *spec_.masked)
            mask(path);
    } else {
        for (char const* path : k_masked) {
            // A person shall read only of what is in this kernel; the child finds out for itself.
            bool const told = options_.run.explain || options_.run.trace || options_.dry_run;
            if (!told || ::access(path, F_OK) == 0) mask(path);
        }
    }
    if (!spec_.read_only_paths) return;
    for (std::string const& path : *spec_.read_only_paths) {
        Step& step = add(Op::cover_read_only, "asked for: it can be read, not written");
        step.path = path;
        step.may_be_missing = true;
    }
}

void Planner::finish_root() {
    constexpr char const* k_fixed = "nothing of it changes any more";
    if (spec_.standard_mounts) add(Op::make_read_only, k_fixed).path = "/dev";
    if (spec_.root.mode == RootSpec::Mode::read_only) add(Op::make_read_only, k_fixed).path = "/";
    std::uint64_t const propagation = propagation_flags(spec_.root.propagation);
    if ((propagation & ~std::uint64_t{MS_REC}) == MS_PRIVATE) return;
    Step& step = add(Op::set_propagation, "asked for: which mount events pass the root");
    step.path = "/";
    step.number = propagation;
}

void Planner::furnish() {
    if (root_ == Root::kept) return;
    furnish_root();
    if (spec_.standard_mounts) {
        standard_furniture();
    } else {
        attach_spec_mounts(false);
        // A /dev that was bound is furnished already, and not ours to change.
        bool const bound_dev =
            std::any_of(spec_.mounts.begin(), spec_.mounts.end(), [](MountSpec const& mount) {
                return mount.target == "/dev" && mount.type == "bind";
            });
        if (!bound_dev) {
            for (std::size_t i = 0; i < device_slots_.size(); ++i)
                mount_at(device_slots_[i], k_standard_devices[i].path, false, "a harmless device");
            for (auto const& [path, target] : k_device_links)
                link(path, target, "as programs expect");
        } else {
            device_slots_.clear();
        }
        spec_devices();
        show_program();
    }
    hide();
    finish_root();
    add(Op::forget_host, "no descriptor is left through which a path could lead to the host");
}

} // namespace iso::jail
