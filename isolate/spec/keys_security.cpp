#include "isolate/spec/key_tables.hpp"

namespace iso::jail::tables {

namespace {

constexpr char const* k_security = "Security";

template <std::uint64_t CapabilitySpec::*member>
Result<void> read_set(JailSpec& spec, std::string_view value, std::string const&) {
    spec.process.capabilities.*member = TRY(form::capabilities(value));
    return {};
}

/// What one key says of all three.
bool is_one_set(CapabilitySpec const& sets) {
    return sets.bounding == sets.effective && sets.bounding == sets.permitted;
}

template <std::uint64_t CapabilitySpec::*member, bool may_be_in_one>
Values write_set(JailSpec const& spec) {
    CapabilitySpec const& sets = spec.process.capabilities;
    bool const said = may_be_in_one && is_one_set(sets);
    return unless(said || sets.*member == 0, form::capabilities(sets.*member));
}

Result<void> read_capabilities(JailSpec& spec, std::string_view value) {
    std::uint64_t const set = TRY(form::capabilities(value));
    CapabilitySpec& sets = spec.process.capabilities;
    sets.bounding = sets.effective = sets.permitted = set;
    return {};
}
Values write_capabilities(JailSpec const& spec) {
    CapabilitySpec const& sets = spec.process.capabilities;
    return unless(!is_one_set(sets) || sets.bounding == 0, form::capabilities(sets.bounding));
}

using Profile = SeccompSpec::Profile;

Result<void> read_seccomp(JailSpec& spec, std::string_view value, std::string const& base) {
    SeccompSpec seccomp;
    seccomp.ignore_unknown = spec.seccomp.ignore_unknown;
    if (value == "none") {
        seccomp.profile = Profile::none;
    } else if (value != "standard") {
        if (value.find('/') == value.npos)
            return form::wrong(value, "is no filter",
                               "standard, none, or a file's path with a / in it");
        seccomp.profile = Profile::file;
        seccomp.path = TRY(form::outside(value, base));
    }
    spec.seccomp = std::move(seccomp);
    return {};
}
Values write_seccomp(JailSpec const& spec) {
    if (spec.seccomp.profile == Profile::none) return {"none"};
    if (spec.seccomp.profile == Profile::file) return {spec.seccomp.path};
    return {};
}

using Kind = Key::Kind;
using Text = std::string_view;
using Base = std::string const&;
using C = CapabilitySpec;

constexpr Key k_security_keys[] = {
    {"capabilities", "LIST", k_security,
     "Capabilities that the program has and may keep: chown,net_raw, or all, or none (the default)",
     "CAP_CHOWN,CAP_NET_BIND_SERVICE", Kind::one,
     [](JailSpec& s, Text v, Base) { return read_capabilities(s, v); }, write_capabilities},
    {"bounding-capabilities", "LIST", k_security, "Only the set that no program inside can exceed",
     "CAP_CHOWN", Kind::one, read_set<&C::bounding>, write_set<&C::bounding, true>},
    {"effective-capabilities", "LIST", k_security, "Only the set that is in force at the start",
     "CAP_CHOWN", Kind::one, read_set<&C::effective>, write_set<&C::effective, true>},
    {"permitted-capabilities", "LIST", k_security, "Only the set that may be put in force",
     "CAP_CHOWN", Kind::one, read_set<&C::permitted>, write_set<&C::permitted, true>},
    {"inheritable-capabilities", "LIST", k_security,
     "The set that files' own sets may let through (capabilities(7))", "CAP_CHOWN", Kind::one,
     read_set<&C::inheritable>, write_set<&C::inheritable, false>},
    {"ambient-capabilities", "LIST", k_security,
     "The set that a program of another user than 0 keeps when it is started", "CAP_CHOWN",
     Kind::one, read_set<&C::ambient>, write_set<&C::ambient, false>},
    {"no-new-privileges", "yes|no", k_security,
     "Whether set-user-id files and file capabilities give nothing (yes)", "no", Kind::flag,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.process.no_new_privileges = TRY(form::yes_no(v));
         return {};
     },
     [](JailSpec const& s) { return unless(s.process.no_new_privileges, "no"); }},
    {"seccomp", "standard|none|FILE", k_security,
     "The system call filter: the standard one, none, or a profile in Docker's JSON",
     "/etc/web.json", Kind::one, read_seccomp, write_seccomp, "seccomp"},
    {"seccomp-text", "JSON", k_security, "The system call filter, as JSON in place of a file",
     R"({"defaultAction":"SCMP_ACT_ALLOW"})", Kind::one,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         std::string text = TRY(form::text(v));
         s.seccomp = {Profile::text, {}, std::move(text), s.seccomp.ignore_unknown};
         return {};
     },
     [](JailSpec const& s) { return unless(s.seccomp.profile != Profile::text, s.seccomp.text); },
     "seccomp"},
    {"seccomp-ignore-unknown", "yes|no", k_security,
     "Whether a profile may name system calls that are not known here (no)", "yes", Kind::flag,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.seccomp.ignore_unknown = TRY(form::yes_no(v));
         return {};
     },
     [](JailSpec const& s) { return unless(!s.seccomp.ignore_unknown, "yes"); }},
    {"landlock-read", "PATH", k_security,
     "Of the files inside, Landlock leaves these to be read; with any, all others are closed",
     "/usr", Kind::list,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.landlock.readable.push_back(TRY(form::inside(v)));
         return {};
     },
     [](JailSpec const& s) { return s.landlock.readable; }},
    {"landlock-write", "PATH", k_security, "And these to be written to as well", "/tmp", Kind::list,
     [](JailSpec& s, Text v, Base) -> Result<void> {
         s.landlock.writable.push_back(TRY(form::inside(v)));
         return {};
     },
     [](JailSpec const& s) { return s.landlock.writable; }},
};

} // namespace

std::span<Key const> security_keys() {
    return k_security_keys;
}

} // namespace iso::jail::tables
