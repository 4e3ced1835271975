#include "isolate/mount_options.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

#include <sys/mount.h>

namespace iso::jail {

namespace {

constexpr std::uint64_t k_nosymfollow = 0x00200000; // MOUNT_ATTR_NOSYMFOLLOW, Linux 5.14

struct NamedAttribute {
    std::string_view name;
    std::uint64_t set;
    std::uint64_t clear = 0;
};

/// mount(8), "FILESYSTEM-INDEPENDENT MOUNT OPTIONS"; those with r before are OCI's recursive forms.
constexpr NamedAttribute k_attributes[] = {
    {"ro", MOUNT_ATTR_RDONLY},
    {"rw", 0, MOUNT_ATTR_RDONLY},
    {"nosuid", MOUNT_ATTR_NOSUID},
    {"suid", 0, MOUNT_ATTR_NOSUID},
    {"nodev", MOUNT_ATTR_NODEV},
    {"dev", 0, MOUNT_ATTR_NODEV},
    {"noexec", MOUNT_ATTR_NOEXEC},
    {"exec", 0, MOUNT_ATTR_NOEXEC},
    {"noatime", MOUNT_ATTR_NOATIME},
    {"relatime", 0, MOUNT_ATTR_NOATIME | MOUNT_ATTR_STRICTATIME},
    {"strictatime", MOUNT_ATTR_STRICTATIME},
    {"nodiratime", MOUNT_ATTR_NODIRATIME},
    {"diratime", 0, MOUNT_ATTR_NODIRATIME},
    {"nosymfollow", k_nosymfollow},
    {"symfollow", 0, k_nosymfollow},
};

/// What is so anyway.
constexpr std::string_view k_usual[] = {
    "defaults",   "async",  "atime",         "nolazytime", "loud",   "noiversion", "nomand",
    "norelatime", "silent", "nostrictatime", "auto",       "nofail", "nouser"};

/// Of the whole file system, so that a bind cannot have them.
constexpr std::string_view k_of_superblock[] = {"sync", "dirsync", "lazytime", "mand", "iversion"};

template <typename Range>
bool among(Range const& range, std::string_view name) {
    return std::find(std::begin(range), std::end(range), name) != std::end(range);
}

NamedAttribute const* attribute_named(std::string_view name) {
    auto const find = [](std::string_view text) {
        auto const* const found = std::find_if(std::begin(k_attributes), std::end(k_attributes),
                                               [&](auto const& a) { return a.name == text; });
        return found == std::end(k_attributes) ? nullptr : found;
    };
    NamedAttribute const* const plain = find(name);
    if (plain != nullptr || !name.starts_with('r')) return plain;
    return find(name.substr(1));
}

} // namespace

std::uint64_t propagation_flags(std::string const& name) {
    std::uint64_t const recursive = name.starts_with('r') ? std::uint64_t{MS_REC} : 0;
    std::string_view const kind = std::string_view(name).substr(recursive != 0 ? 1 : 0);
    if (kind == "private") return recursive | MS_PRIVATE;
    if (kind == "slave") return recursive | MS_SLAVE;
    if (kind == "shared") return recursive | MS_SHARED;
    if (kind == "unbindable") return recursive | MS_UNBINDABLE;
    return 0;
}

std::vector<std::string> mount_option_names() {
    std::vector<std::string> names{"bind", "rbind"};
    for (NamedAttribute const& attribute : k_attributes)
        names.emplace_back(attribute.name);
    for (std::string_view const usual : k_usual)
        names.emplace_back(usual);
    for (char const* kind : {"private", "slave", "shared", "unbindable"}) {
        names.emplace_back(kind);
        names.push_back(std::string("r") + kind);
    }
    std::sort(names.begin(), names.end());
    return names;
}

Result<MountFlags> read_mount_options(MountSpec const& mount) {
    std::string const shown = "mount(" + mount.target + ")";
    MountFlags flags;
    flags.bind = mount.type == "bind" || mount.type == "none";
    flags.recursive = mount.recursive;
    for (std::string const& option : mount.options)
        if (option == "bind" || option == "rbind") {
            flags.bind = true;
            flags.recursive = flags.recursive || option == "rbind";
        }
    if (mount.read_only) flags.attributes |= MOUNT_ATTR_RDONLY;
    if (mount.no_suid) flags.attributes |= MOUNT_ATTR_NOSUID;
    if (mount.no_dev) flags.attributes |= MOUNT_ATTR_NODEV;
    if (mount.no_exec) flags.attributes |= MOUNT_ATTR_NOEXEC;
    for (std::string const& option : mount.options) {
        if (option.empty() || option == "bind" || option == "rbind" || among(k_usual, option))
            continue;
        if (NamedAttribute const* attribute = attribute_named(option)) {
            flags.attributes = (flags.attributes & ~attribute->clear) | attribute->set;
        } else if (std::uint64_t const propagation = propagation_flags(option); propagation != 0) {
            flags.propagation = propagation;
        } else if (option == "tmpcopyup" && mount.type == "tmpfs") {
            flags.copy_up = true;
        } else if (option == "remount" || option == "idmap" || option == "ridmap" ||
                   option == "tmpcopyup") {
            return error(shown, "the option " + option + " is not supported yet",
                         "a mount without it");
        } else if (flags.bind) {
            return error(shown, "a bind has no option " + option,
                         among(k_of_superblock, option)
                             ? "a mount without it: it is the whole file system's"
                             : "ro, nosuid, nodev, noexec, noatime, or a propagation");
        } else {
            if (!flags.data.empty()) flags.data += ',';
            flags.data += option;
        }
    }
    return flags;
}

} // namespace iso::jail
