#include "isolate/spec/names.hpp"
#include "isolate/spec/oci_parts.hpp"

#include <limits>
#include <set>

namespace iso::jail::oci {

namespace {

using OciNotes = std::vector<std::string>;

Result<void> read_namespaces(JailSpec& spec, Value const& value, OciNotes& notes) {
    std::set<std::string> seen;
    for (Value const& each : TRY(value.list())) {
        Object in = TRY(Object::create(each, notes));
        Value const type = in["type"];
        std::string const name = TRY(type.text());
        NamespaceName const* found = nullptr;
        for (NamespaceName const& known : k_oci_namespaces)
            if (name == known.name) found = &known;
        if (found == nullptr)
            return wrong(type.place(), type.raw(),
                         "pid, network, mount, ipc, uts, user, cgroup or time");
        if (!seen.insert(name).second)
            return error(type.place(), "'" + name + "' stands twice", "one entry for each type");
        NamespaceChoice& choice = spec.at(found->kind);
        choice = {};
        if (Value const path = in["path"]; path.says_something())
            choice = {NamespaceChoice::From::path, TRY(path.inside())};
        in.note_unknown();
    }
    using From = NamespaceChoice::From;
    From const network = spec.at(Namespace::network).from;
    // In a namespace that somebody else has made, the interfaces are theirs as well.
    spec.network.mode = network == From::fresh  ? NetworkSpec::Mode::loopback
                        : network == From::host ? NetworkSpec::Mode::host
                                                : NetworkSpec::Mode::none;
    return {};
}

Result<void> read_ranges(std::vector<IdRange>& ranges, Value const& value, OciNotes& notes) {
    for (Value const& each : TRY(value.list())) {
        Object in = TRY(Object::create(each, notes));
        IdRange range;
        range.inside = TRY(in["containerID"].id());
        range.outside = TRY(in["hostID"].id());
        std::uint64_t const most = std::numeric_limits<std::uint32_t>::max();
        Value const size = in["size"];
        range.count =
            static_cast<std::uint32_t>(TRY(size.number(1, static_cast<std::int64_t>(most))));
        if (std::uint64_t{range.inside} + range.count > most ||
            std::uint64_t{range.outside} + range.count > most)
            return error(size.place(), "goes beyond the last id, 4294967294", "a smaller size");
        in.note_unknown();
        ranges.push_back(range);
    }
    return {};
}

Result<void> read_offsets(JailSpec& spec, Value const& value, OciNotes& notes) {
    Object offsets = TRY(Object::create(value, notes));
    auto take = [&](char const* clock, std::optional<TimeOffset>& out) -> Result<void> {
        Value const offset = offsets[clock];
        if (!offset) return {};
        Object in = TRY(Object::create(offset, notes));
        out.emplace();
        if (Value const seconds = in["secs"])
            out->seconds = TRY(seconds.number(-9'223'372'036, 9'223'372'036));
        if (Value const rest = in["nanosecs"])
            out->nanoseconds = static_cast<std::uint32_t>(TRY(rest.number(0, 999'999'999)));
        in.note_unknown();
        return {};
    };
    TRY(take("monotonic", spec.monotonic));
    TRY(take("boottime", spec.boottime));
    offsets.note_unknown();
    return {};
}

Result<void> read_devices(JailSpec& spec, Value const& value, OciNotes& notes) {
    for (Value const& each : TRY(value.list())) {
        Object in = TRY(Object::create(each, notes));
        DeviceSpec device;
        Value const type = in["type"];
        std::string const text = TRY(type.text());
        if (text != "c" && text != "b" && text != "u" && text != "p")
            return wrong(type.place(), type.raw(), "c, b, u or p");
        device.type = text == "u" ? 'c' : text.front();
        device.path = TRY(in["path"].inside());
        for (auto const& [name, out] :
             {std::pair{"major", &device.major}, std::pair{"minor", &device.minor}}) {
            Value const number = in[name];
            if (number || device.type != 'p') *out = TRY(number.number(0, 0xffffffff));
        }
        if (Value const mode = in["fileMode"]) // with the type's bits, as some clients send it
            device.mode = static_cast<std::uint32_t>(TRY(mode.number(0, 0177777))) & 07777U;
        if (Value const uid = in["uid"]) device.uid = TRY(uid.id());
        if (Value const gid = in["gid"]) device.gid = TRY(gid.id());
        in.note_unknown();
        spec.devices.push_back(std::move(device));
    }
    return {};
}

Result<void> read_seccomp(JailSpec& spec, Value const& value) {
    if (!value) return {};
    if (!value.raw().is_object()) return wrong(value.place(), value.raw(), "an object");
    // Who compiles the filter judges the rest; this face hands it on as it is.
    spec.seccomp = {SeccompSpec::Profile::text, {}, value.raw().dump(), true};
    return {};
}

Result<void> read_personality(Value const& value, OciNotes& notes) {
    Object in = TRY(Object::create(value, notes));
    if (Value const domain = in["domain"]; domain && TRY(domain.text()) != "LINUX")
        return unsupported(domain.place(), "only LINUX");
    TRY(in.refuse({"flags"}));
    in.note_unknown();
    return {};
}

Result<void> read_paths(std::optional<std::vector<std::string>>& out, Value const& value) {
    out.emplace();
    for (Value const& path : TRY(value.list()))
        out->push_back(TRY(path.inside()));
    return {};
}

} // namespace

Result<void> read_linux(JailSpec& spec, Value const& value, OciNotes& notes) {
    Object in = TRY(Object::create(value, notes));
    TRY(read_namespaces(spec, in["namespaces"], notes));
    TRY(read_ranges(spec.uids, in["uidMappings"], notes));
    TRY(read_ranges(spec.gids, in["gidMappings"], notes));
    TRY(read_offsets(spec, in["timeOffsets"], notes));
    TRY(read_devices(spec, in["devices"], notes));
    if (Value const path = in["cgroupsPath"]) {
        spec.cgroup_path = TRY(path.text());
        if (("/" + spec.cgroup_path + "/").find("/../") != std::string::npos)
            return wrong(path.place(), path.raw(), "a path without '..'");
    }
    TRY(read_resources(spec.limits, in["resources"], notes));
    spec.sysctl = TRY(in["sysctl"].text_map());
    TRY(read_seccomp(spec, in["seccomp"]));
    if (Value const kind = in["rootfsPropagation"]; kind.says_something()) {
        std::string const text = TRY(kind.text());
        std::set<std::string> const known{"private", "rprivate", "slave",      "rslave",
                                          "shared",  "rshared",  "unbindable", "runbindable"};
        if (!known.contains(text))
            return wrong(kind.place(), kind.raw(), "private, slave, shared or unbindable");
        spec.root.propagation = text;
    }
    TRY(read_paths(spec.masked, in["maskedPaths"]));
    TRY(read_paths(spec.read_only_paths, in["readonlyPaths"]));
    TRY(read_personality(in["personality"], notes));
    TRY(in.refuse({"mountLabel"}, "it has no SELinux"));
    TRY(in.refuse({"intelRdt", "memoryPolicy", "netDevices"}));
    in.note_unknown();
    return {};
}

} // namespace iso::jail::oci
