#include "isolate/spec/oci_config.hpp"

#include "isolate/spec/json_text.hpp"
#include "isolate/spec/oci_parts.hpp"

#include <fmt/format.h>

// The field names and what they mean: opencontainers/runtime-spec, config.md and config-linux.md,
// v1.0.2 to v1.3.0.

namespace iso::jail {

namespace {

using oci::Object;
using oci::Value;
using Notes = std::vector<std::string>;

std::string from_bundle(std::string path, std::string const& bundle) {
    return path.starts_with("/") ? path : bundle + "/" + path;
}

Result<void> check_version(Value const& version) {
    std::string const text = TRY(version.text());
    if (text.starts_with("1.") && text.size() > 2 && text[2] >= '0' && text[2] <= '9') return {};
    return oci::wrong(version.place(), version.raw(), "a version that isolate knows: 1.0 to 1.3");
}

Result<void> read_root(JailSpec& spec, Value const& value, std::string const& bundle,
                       Notes& notes) {
    TRY(value.there());
    Object root = TRY(Object::create(value, notes));
    Value const path = root["path"];
    std::string const text = TRY(path.text());
    if (text.empty()) return oci::wrong(path.place(), path.raw(), "a path");
    spec.root.source = RootSpec::Source::directory;
    spec.root.path = from_bundle(text, bundle);
    spec.root.mode = RootSpec::Mode::writable;
    if (Value const read_only = root["readonly"]; read_only && TRY(read_only.flag()))
        spec.root.mode = RootSpec::Mode::read_only;
    root.note_unknown();
    return {};
}

struct OptionFlag {
    char const* set;
    char const* clear;
    bool MountSpec::*member;
};
constexpr OptionFlag k_option_flags[] = {{"ro", "rw", &MountSpec::read_only},
                                         {"nosuid", "suid", &MountSpec::no_suid},
                                         {"nodev", "dev", &MountSpec::no_dev},
                                         {"noexec", "exec", &MountSpec::no_exec}};

Result<void> take_mount_option(MountSpec& mount, Value const& place) {
    std::string const option = TRY(place.text());
    if (option == "bind" || option == "rbind") {
        mount.type = "bind";
        mount.recursive = option == "rbind";
        return {};
    }
    for (OptionFlag const& flag : k_option_flags)
        if (option == flag.set || option == flag.clear) {
            mount.*flag.member = option == flag.set;
            return {};
        }
    // Mounts with ids of their own, and attributes for all mounts below at once.
    for (char const* refused :
         {"idmap",      "ridmap",      "rro",       "rrw",         "rnosuid",      "rsuid",
          "rnodev",     "rdev",        "rnoexec",   "rexec",       "ratime",       "rnoatime",
          "rdiratime",  "rnodiratime", "rrelatime", "rnorelatime", "rstrictatime", "rnostrictatime",
          "rsymfollow", "rnosymfollow"})
        if (option == refused)
            return oci::unsupported(place.place(), "the option '" + option + "'");
    if (option != "defaults" && !option.empty()) mount.options.push_back(option);
    return {};
}

Result<void> read_mounts(JailSpec& spec, Value const& value, std::string const& bundle,
                         Notes& notes) {
    for (Value const& each : TRY(value.list())) {
        Object in = TRY(Object::create(each, notes));
        MountSpec mount;
        mount.target = TRY(in["destination"].inside());
        if (Value const type = in["type"]) mount.type = TRY(type.text());
        if (Value const source = in["source"]) mount.source = TRY(source.text());
        for (Value const& option : TRY(in["options"].list()))
            TRY(take_mount_option(mount, option));
        TRY(in.refuse({"uidMappings", "gidMappings"}, "mounts with ids of their own"));
        if (mount.type.empty() || mount.type == "none")
            return error(each.place() + ".type", "neither a file system nor a bind",
                         "a type, or the option bind");
        if (mount.type == "bind") {
            if (mount.source.empty()) return error(each.place() + ".source", "missing", "a path");
            mount.source = from_bundle(std::move(mount.source), bundle);
        }
        in.note_unknown();
        spec.mounts.push_back(std::move(mount));
    }
    return {};
}

Result<void> read_hooks(JailSpec& spec, Value const& value, Notes& notes) {
    Object hooks = TRY(Object::create(value, notes));
    for (char const* moment : oci::k_oci_moments)
        for (Value const& each : TRY(hooks[moment].list())) {
            Object in = TRY(Object::create(each, notes));
            Hook hook;
            Value const path = in["path"];
            hook.path = TRY(path.text());
            if (!hook.path.starts_with("/"))
                return oci::wrong(path.place(), path.raw(), "an absolute path");
            hook.arguments = TRY(in["args"].texts());
            hook.environment = TRY(in["env"].texts());
            if (Value const timeout = in["timeout"])
                hook.timeout_seconds = static_cast<int>(TRY(timeout.number(1, 86400)));
            in.note_unknown();
            spec.hooks[moment].push_back(std::move(hook));
        }
    hooks.note_unknown();
    return {};
}

Result<std::string> host_name(Value const& value) {
    std::string name = TRY(value.text());
    // HOST_NAME_MAX (gethostname(2)).
    if (name.size() > 64) return oci::wrong(value.place(), value.raw(), "at most 64 bytes");
    return name;
}

/// What only makes sense in a namespace of the jail's own.
Result<void> check_namespaces(JailSpec const& spec, std::string const& where) {
    auto shared = [&](Namespace kind) { return spec.at(kind).from == NamespaceChoice::From::host; };
    auto lacks = [&](char const* field, char const* kind) {
        return error(where + ": " + field,
                     fmt::format("would change the host: linux.namespaces has no {}", kind),
                     fmt::format("{{\"type\": \"{}\"}} in linux.namespaces", kind));
    };
    if (shared(Namespace::mount)) return lacks("root", "mount");
    if (!spec.hostname.empty() && shared(Namespace::uts)) return lacks("hostname", "uts");
    if (!spec.domainname.empty() && shared(Namespace::uts)) return lacks("domainname", "uts");
    if (!(spec.uids.empty() && spec.gids.empty()) && shared(Namespace::user))
        return lacks("linux.uidMappings", "user");
    if ((spec.monotonic || spec.boottime) && shared(Namespace::time))
        return lacks("linux.timeOffsets", "time");
    return {};
}

} // namespace

Result<OciConfig> read_oci_config(std::string_view text, std::string const& bundle,
                                  std::string const& where) {
    nlohmann::json const in = TRY(parse_json(text, where));
    if (!in.is_object()) return oci::wrong(where, in, "an object");
    OciConfig config;
    JailSpec& spec = config.spec;
    Object top = TRY(Object::create(Value(&in, where + ": "), config.notes));
    TRY(check_version(top["ociVersion"]));
    TRY(top.refuse({"windows", "solaris", "vm", "zos", "freebsd"}, "it is for another platform"));

    spec.standard_mounts = false;
    spec.hostname.clear();
    spec.masked.emplace();
    spec.read_only_paths.emplace();
    spec.seccomp.profile = SeccompSpec::Profile::none;
    for (NamespaceChoice& choice : spec.namespaces)
        choice.from = NamespaceChoice::From::host;

    TRY(read_root(spec, top["root"], bundle, config.notes));
    TRY(read_mounts(spec, top["mounts"], bundle, config.notes));
    if (Value const process = top["process"])
        spec.process = TRY(oci::read_process(process, config.notes));
    if (Value const name = top["hostname"]) spec.hostname = TRY(host_name(name));
    if (Value const name = top["domainname"]) spec.domainname = TRY(host_name(name));
    TRY(read_hooks(spec, top["hooks"], config.notes));
    spec.annotations = TRY(top["annotations"].text_map());
    TRY(oci::read_linux(spec, top["linux"], config.notes));
    top.note_unknown();
    TRY(check_namespaces(spec, where));
    return config;
}

Result<ProcessSpec> read_oci_process(std::string_view text, std::string const& where,
                                     Notes& notes) {
    nlohmann::json const in = TRY(parse_json(text, where));
    return oci::read_process(Value(&in, where + ": "), notes);
}

Result<void> read_oci_resources(std::string_view text, std::string const& where, LimitSpec& limits,
                                Notes& notes) {
    nlohmann::json const in = TRY(parse_json(text, where));
    return oci::read_resources(limits, Value(&in, where + ": "), notes);
}

} // namespace iso::jail
