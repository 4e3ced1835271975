#include "isolate/spec/key_tables.hpp"

#include <fmt/format.h>

namespace iso::jail::tables {

namespace {

constexpr char const* k_root = "Root and files";

using Source = RootSpec::Source;

Result<void> read_root(JailSpec& spec, Source source, std::string_view value,
                       std::string const& base) {
    spec.root.source = source;
    spec.root.path = TRY(form::outside(value, base));
    return {};
}
template <Source source>
Values write_root(JailSpec const& spec) {
    return unless(spec.root.source != source, spec.root.path);
}

Result<void> read_add(JailSpec& spec, std::string_view value, std::string const& base) {
    auto const colon = value.find(':');
    MountSpec mount;
    mount.type = "bind";
    mount.source = TRY(form::outside(value.substr(0, colon), base));
    mount.target = TRY(form::inside(colon == value.npos ? std::string_view(mount.source)
                                                        : value.substr(colon + 1)));
    mount.recursive = mount.read_only = mount.no_suid = mount.no_dev = true;
    spec.mounts.push_back(std::move(mount));
    return {};
}

struct MountFlag {
    char const* name;
    bool MountSpec::*member;
};
constexpr MountFlag k_mount_flags[] = {{"recursive", &MountSpec::recursive},
                                       {"ro", &MountSpec::read_only},
                                       {"nosuid", &MountSpec::no_suid},
                                       {"nodev", &MountSpec::no_dev},
                                       {"noexec", &MountSpec::no_exec}};

bool take_mount_flag(MountSpec& mount, form::Part const& part) {
    if (part.value) return false;
    for (MountFlag const& flag : k_mount_flags)
        if (part.name == flag.name) return mount.*flag.member = true;
    return false;
}

Result<void> read_mount(JailSpec& spec, std::string_view value, std::string const& base) {
    MountSpec mount;
    for (form::Part const& part : TRY(form::parts(value))) {
        if (part.name == "type" && part.value) {
            mount.type = *part.value;
        } else if (part.name == "source" && part.value) {
            mount.source = *part.value;
        } else if (part.name == "target" && part.value) {
            mount.target = TRY(form::inside(*part.value));
        } else if (part.name == "option" && part.value) {
            mount.options.push_back(*part.value);
        } else if (!take_mount_flag(mount, part)) {
            mount.options.push_back(part.value ? part.name + "=" + *part.value : part.name);
        }
    }
    if (mount.target.empty())
        return form::wrong(value, "says no target", "type=tmpfs,target=/run,size=16m");
    if (mount.type.empty()) mount.type = "bind";
    if (mount.type == "bind") {
        if (mount.source.empty())
            return form::wrong(value, "is a bind without a source", "source=/host/path");
        mount.source = TRY(form::outside(mount.source, base));
    }
    spec.mounts.push_back(std::move(mount));
    return {};
}

/// Whether an option, written as it is, would be read as something else.
bool is_ambiguous(std::string const& option) {
    if (option.empty() || option.front() == '=') return true;
    for (char const* name : {"type=", "source=", "target=", "option="})
        if (option.starts_with(name)) return true;
    for (MountFlag const& flag : k_mount_flags)
        if (option == flag.name) return true;
    return false;
}

Values write_mounts(JailSpec const& spec) {
    Values values;
    for (MountSpec const& mount : spec.mounts) {
        form::PartWriter writer;
        writer.add("type", mount.type);
        if (!mount.source.empty()) writer.add("source", mount.source);
        writer.add("target", mount.target);
        for (MountFlag const& flag : k_mount_flags)
            writer.add_if(mount.*flag.member, flag.name);
        for (std::string const& option : mount.options) {
            auto const equals = option.find('=');
            if (is_ambiguous(option))
                writer.add("option", option);
            else if (equals == option.npos)
                writer.add(option);
            else
                writer.add(option.substr(0, equals), option.substr(equals + 1));
        }
        values.push_back(writer.take());
    }
    return values;
}

Result<std::int64_t> device_number(std::string_view text) {
    return form::integer(text, 0, 0xffffffff);
}

Result<void> read_device(JailSpec& spec, std::string_view value) {
    DeviceSpec device;
    for (form::Part const& part : TRY(form::parts(value))) {
        std::string const text = part.value.value_or("");
        if (part.name == "path") {
            device.path = TRY(form::inside(text));
        } else if (part.name == "type") {
            if (text != "c" && text != "b" && text != "p")
                return form::wrong(text, "is no type of device", "c, b or p");
            device.type = text.front();
        } else if (part.name == "major") {
            device.major = TRY(device_number(text));
        } else if (part.name == "minor") {
            device.minor = TRY(device_number(text));
        } else if (part.name == "mode") {
            device.mode = TRY(form::mode(text));
        } else if (part.name == "uid") {
            device.uid = TRY(form::id(text));
        } else if (part.name == "gid") {
            device.gid = TRY(form::id(text));
        } else {
            return form::wrong(part.name, "is no part of a device",
                               "path, type, major, minor, mode, uid, gid");
        }
    }
    if (device.path.empty())
        return form::wrong(value, "says no path", "path=/dev/fuse,type=c,major=10,minor=229");
    spec.devices.push_back(std::move(device));
    return {};
}

Values write_devices(JailSpec const& spec) {
    Values values;
    for (DeviceSpec const& device : spec.devices)
        values.push_back(form::PartWriter()
                             .add("path", device.path)
                             .add("type", std::string(1, device.type))
                             .add("major", std::to_string(device.major))
                             .add("minor", std::to_string(device.minor))
                             .add("mode", fmt::format("{:04o}", device.mode))
                             .add("uid", std::to_string(device.uid))
                             .add("gid", std::to_string(device.gid))
                             .take());
    return values;
}

using Paths = std::optional<std::vector<std::string>>;

Result<void> read_paths(Paths& paths, std::string_view value) {
    if (value == "usual") {
        paths.reset();
    } else if (value == "none") {
        paths.emplace();
    } else {
        std::string path = TRY(form::inside(value));
        if (!paths) paths.emplace();
        paths->push_back(std::move(path));
    }
    return {};
}
Values write_paths(Paths const& paths) {
    if (!paths) return {};
    return paths->empty() ? Values{"none"} : *paths;
}

Result<void> read_propagation(JailSpec& spec, std::string_view value) {
    for (char const* known : {"private", "rprivate", "slave", "rslave", "shared", "rshared",
                              "unbindable", "runbindable"})
        if (value == known) {
            spec.root.propagation = value;
            return {};
        }
    return form::wrong(value, "is no propagation (mount_namespaces(7))",
                       "private, slave, shared or unbindable, with an r before for all below");
}

using Kind = Key::Kind;
using Text = std::string_view;
using Base = std::string const&;

constexpr Key k_root_keys[] = {
    {"root", "DIR", k_root,
     "A host directory to use as the root, read-only unless root-mode says otherwise; or a tar "
     "archive, or an OCI image layout with or without :NAME",
     "/srv/jails/web", Kind::one,
     [](JailSpec& s, Text v, Base b) { return read_root(s, Source::directory, v, b); },
     write_root<Source::directory>, "root"},
    {"root-archive", "FILE", k_root,
     "A tar archive, plain or gzip, to use as the root, unpacked for this jail", "/srv/web.tar.gz",
     Kind::one, [](JailSpec& s, Text v, Base b) { return read_root(s, Source::archive, v, b); },
     write_root<Source::archive>, "root"},
    {"root-image", "PATH", k_root,
     "An OCI image layout to use as the root: a directory, unpacked for this jail",
     "/srv/images/web", Kind::one,
     [](JailSpec& s, Text v, Base b) { return read_root(s, Source::oci_layout, v, b); },
     write_root<Source::oci_layout>, "root"},
    {"image-reference", "NAME", k_root, "Which image of the layout", "latest", Kind::one,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.root.reference = TRY(form::text(v));
         return {};
     },
     [](JailSpec const& s) { return unless(s.root.reference.empty(), s.root.reference); }},
    {"root-mode", "MODE", k_root,
     "read-only (the default), overlay (writes are kept in root-upper, or in memory and lost), or "
     "writable",
     "overlay", Kind::one,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.root.mode = TRY(one_of<RootSpec::Mode>(v));
         return {};
     },
     [](JailSpec const& s) {
         return unless(s.root.mode == RootSpec{}.mode, std::string(name_of(s.root.mode)));
     }},
    {"root-upper", "DIR", k_root, "A host directory that keeps what an overlay changes",
     "/srv/jails/web.changes", Kind::one,
     [](JailSpec& s, Text v, Base b) -> Result<void> {
         s.root.upper = TRY(form::outside(v, b));
         return {};
     },
     [](JailSpec const& s) { return unless(s.root.upper.empty(), s.root.upper); }},
    {"root-quota", "SIZE", k_root, "The most that may be written to an overlay in memory", "64M",
     Kind::one,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.root.quota = TRY(form::size(v));
         return {};
     },
     [](JailSpec const& s) {
         return s.root.quota ? Values{std::to_string(*s.root.quota)} : Values{};
     }},
    {"unpack-limit", "SIZE", k_root, "The most that an archive or image may become (8G)", "500M",
     Kind::one,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.root.unpack_limit = TRY(form::size(v));
         return {};
     },
     [](JailSpec const& s) {
         return s.root.unpack_limit ? Values{std::to_string(*s.root.unpack_limit)} : Values{};
     }},
    {"image-defaults", "yes|no", k_root,
     "Whether an image's configuration completes the process: its program, where none is named, "
     "variables, working directory, user (yes)",
     "no", Kind::flag,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.root.image_defaults = TRY(form::yes_no(v));
         return {};
     },
     [](JailSpec const& s) { return unless(s.root.image_defaults, "no"); }},
    {"root-propagation", "KIND", k_root,
     "How mounts travel between the root and the host (mount_namespaces(7))", "rslave", Kind::one,
     [](JailSpec& s, Text v, Base) { return read_propagation(s, v); },
     [](JailSpec const& s) {
         return unless(s.root.propagation == RootSpec{}.propagation, s.root.propagation);
     }},
    {"standard-mounts", "yes|no", k_root,
     "Whether the root is furnished with a /proc, /sys, /dev and /tmp of its own (yes)", "no",
     Kind::flag,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.standard_mounts = TRY(form::yes_no(v));
         return {};
     },
     [](JailSpec const& s) { return unless(s.standard_mounts, "no"); }},
    {"add", "HOST[:GUEST]", k_root,
     "A host file or directory that appears read-only inside, at the same path or at GUEST",
     "/etc/hosts", Kind::list, read_add, [](JailSpec const&) { return Values{}; }},
    {"mount", "PART,...", k_root,
     "A mount: type=, source=, target=, recursive, ro, nosuid, nodev, noexec, and the file "
     "system's "
     "own options",
     "type=tmpfs,target=/run,nosuid,size=16m", Kind::list, read_mount, write_mounts},
    {"device", "PART,...", k_root,
     "A device node: path=, type=c|b|p, major=, minor=, mode=, uid=, gid=",
     "path=/dev/fuse,type=c,major=10,minor=229", Kind::list,
     [](JailSpec& s, Text v, Base) { return read_device(s, v); }, write_devices},
    {"mask", "PATH", k_root,
     "A path inside that is hidden: the first replaces the usual ones; none hides nothing",
     "/proc/kcore", Kind::list, [](JailSpec& s, Text v, Base) { return read_paths(s.masked, v); },
     [](JailSpec const& s) { return write_paths(s.masked); }},
    {"read-only-path", "PATH", k_root,
     "A path inside that cannot be written to: the first replaces the usual ones; or none",
     "/proc/sys", Kind::list,
     [](JailSpec& s, Text v, Base) { return read_paths(s.read_only_paths, v); },
     [](JailSpec const& s) { return write_paths(s.read_only_paths); }},
};

} // namespace

std::span<Key const> root_keys() {
    return k_root_keys;
}

} // namespace iso::jail::tables
