// Profiles in JSON: https://github.com/opencontainers/runtime-spec, config-linux.md, "Seccomp", and
// what Docker and Podman add to it for profiles in files ("archMap", "includes", "excludes").
#include "isolate/seccomp_json.hpp"

#include "common/fd.hpp"
#include "common/json.hpp"
#include "isolate/seccomp_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <iterator>

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/utsname.h>

namespace iso::jail {

namespace {

using Json = nlohmann::json;

constexpr char const* k_shown = "seccomp profile";
constexpr std::size_t k_longest_profile = 4U << 20U;
constexpr std::uint64_t k_highest_errno = 4095;

tl::unexpected<Error> wrong(std::string cause, std::string hint = {}) {
    return error(k_shown, std::move(cause), std::move(hint));
}

/// A rule of the profile: names still to be turned into numbers.
struct NamedRule {
    std::vector<std::string> names;
    std::vector<ArgumentRule> rules; ///< empty: whatever the arguments are
    SeccompAction action;
};

class ProfileReader {
public:
    ProfileReader(std::uint64_t capabilities, bool ignore_unknown)
        : capabilities_(capabilities)
        , ignore_unknown_(ignore_unknown) {}

    Result<SeccompProfile> read(Json const& json) {
        TRY(members(json, "the profile",
                    {"defaultAction", "defaultErrnoRet", "defaultErrno", "architectures", "archMap",
                     "flags", "listenerPath", "listenerMetadata", "syscalls"}));
        if (json.contains("listenerPath") || json.contains("listenerMetadata"))
            return wrong("listenerPath is not supported yet", "a profile without SCMP_ACT_NOTIFY");
        if (!json.contains("defaultAction")) return wrong("it has no defaultAction");
        default_ = TRY(action(json, "defaultAction", "defaultErrnoRet", "defaultErrno"));
        TRY(architectures(json));
        TRY(flags(json));
        TRY(rules(json));
        for (Architecture const architecture : architectures_)
            TRY(resolve(architecture));
        finish();
        return std::move(profile_);
    }

private:
    Result<void> members(Json const& json, char const* what,
                         std::initializer_list<std::string_view> known) {
        if (!json.is_object()) return wrong(fmt::format("{} is no JSON object", what));
        for (auto const& [name, value] : json.items())
            if (std::find(known.begin(), known.end(), name) == known.end())
                return wrong(fmt::format("{} has an unknown member '{}'", what, name));
        return {};
    }

    static Result<std::string> text(Json const& json, char const* name) {
        if (!json.is_string()) return wrong(fmt::format("{} is no text", name));
        return json.get<std::string>();
    }

    static Result<std::uint64_t> number(Json const& json, char const* name, std::uint64_t most) {
        if (!json.is_number_unsigned() || json.get<std::uint64_t>() > most)
            return wrong(fmt::format("{} is no whole number up to {}", name, most));
        return json.get<std::uint64_t>();
    }

    /// Lists may be null: that is how Go writes an empty one.
    template <typename Take>
    Result<void> each(Json const& json, char const* name, Take take) {
        auto const found = json.find(name);
        if (found == json.end() || found->is_null()) return {};
        if (!found->is_array()) return wrong(fmt::format("{} is no list", name));
        for (Json const& entry : *found)
            TRY(take(entry));
        return {};
    }

    static Result<SeccompAction> action(Json const& json, char const* name, char const* errno_name,
                                        char const* errno_word) {
        std::uint64_t value = EPERM; // what OCI says for one that is not given
        if (auto const given = json.find(errno_name); given != json.end() && !given->is_null()) {
            value = TRY(number(*given, errno_name, k_highest_errno));
        } else if (auto const word = json.find(errno_word); word != json.end()) {
            std::string const error_name = TRY(text(*word, errno_word));
            auto const known = errno_number(error_name);
            if (!error_name.empty() && !known)
                return wrong(fmt::format("{} '{}' is no error", errno_word, error_name),
                             fmt::format("{} with its number", errno_name));
            if (known) value = static_cast<std::uint64_t>(*known);
        }
        std::string const word = TRY(text(json.at(name), name));
        auto const base = action_value(word);
        if (!base) return wrong(fmt::format("{} '{}' is not known", name, word), action_names());
        if (*base == SECCOMP_RET_USER_NOTIF)
            return wrong("SCMP_ACT_NOTIFY is not supported yet", "a profile without it");
        bool const has_data = *base == SECCOMP_RET_ERRNO || *base == SECCOMP_RET_TRACE;
        return SeccompAction{*base |
                             (has_data ? static_cast<std::uint32_t>(value) & SECCOMP_RET_DATA : 0)};
    }

    Result<void> architectures(Json const& json) {
        auto add = [&](std::string const& name) -> Result<void> {
            auto const architecture = architecture_named(name);
            if (!architecture && !is_foreign_architecture(name))
                return wrong(fmt::format("architecture '{}' is not known", name),
                             "SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32");
            if (architecture && std::find(architectures_.begin(), architectures_.end(),
                                          *architecture) == architectures_.end())
                architectures_.push_back(*architecture);
            return {};
        };
        // The machine's own is always meant, as for libseccomp.
        architectures_ = {Architecture::x86_64};
        Result<void> const architectures_read = each(json, "architectures", [&](Json const& entry) {
            return add(entry.is_string() ? entry.get<std::string>() : entry.dump());
        });
        TRY(architectures_read);
        return each(json, "archMap", [&](Json const& entry) -> Result<void> {
            TRY(members(entry, "an entry of archMap", {"architecture", "subArchitectures"}));
            if (entry.value("architecture", Json()) != "SCMP_ARCH_X86_64") return {};
            return each(entry, "subArchitectures", [&](Json const& name) -> Result<void> {
                return add(TRY(text(name, "subArchitectures")));
            });
        });
    }

    Result<void> flags(Json const& json) {
        return each(json, "flags", [&](Json const& entry) -> Result<void> {
            std::string const name = TRY(text(entry, "flags"));
            auto const flag = filter_flag(name);
            if (!flag)
                return wrong(fmt::format("the flag '{}' is not known", name),
                             "SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW, "
                             "SECCOMP_FILTER_FLAG_TSYNC");
            profile_.flags |= *flag;
            return {};
        });
    }

    /// Whether the conditions of "includes" hold (`wanted`), or none of those of "excludes".
    Result<bool> holds(Json const& rule, char const* name, bool wanted) {
        auto const found = rule.find(name);
        if (found == rule.end() || found->is_null()) return true;
        TRY(members(*found, name, {"caps", "arches", "minKernel"}));
        bool result = true;
        bool one_listed = false;
        bool arch_matches = false;
        Result<void> const capabilities_read =
            each(*found, "caps", [&](Json const& entry) -> Result<void> {
                std::string const capability = TRY(text(entry, "caps"));
                auto const bit = capability_bit(capability);
                if (!bit) return wrong(fmt::format("'{}' is no capability", capability));
                if (((capabilities_ >> *bit & 1U) != 0) != wanted) result = false;
                return {};
            });
        TRY(capabilities_read);
        Result<void> const arches_read =
            each(*found, "arches", [&](Json const& entry) -> Result<void> {
                std::string const arch = TRY(text(entry, "arches"));
                one_listed = true;
                arch_matches = arch_matches || arch == "amd64" || arch == "x86_64";
                return {};
            });
        TRY(arches_read);
        if (one_listed && arch_matches != wanted) result = false;
        if (auto const least = found->find("minKernel"); least != found->end()) {
            std::string const version = TRY(text(*least, "minKernel"));
            bool const newer = TRY(kernel_is_at_least(version));
            if (newer != wanted) result = false;
        }
        return result;
    }

    static Result<bool> kernel_is_at_least(std::string const& version) {
        auto read = [](std::string_view from, unsigned& major, unsigned& minor) {
            char const* const end = from.data() + from.size();
            auto const first = std::from_chars(from.data(), end, major);
            if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '.') return false;
            return std::from_chars(first.ptr + 1, end, minor).ec == std::errc{};
        };
        utsname name{};
        unsigned major = 0, minor = 0, wanted_major = 0, wanted_minor = 0;
        if (::uname(&name) != 0 || !read(name.release, major, minor))
            return wrong("minKernel: this kernel does not tell its version");
        if (!read(version, wanted_major, wanted_minor))
            return wrong("minKernel '" + version + "' is no version", "one like 4.8");
        return major > wanted_major || (major == wanted_major && minor >= wanted_minor);
    }

    Result<Comparison> comparison(Json const& json) {
        TRY(members(json, "an entry of args", {"index", "value", "valueTwo", "op"}));
        Comparison result;
        constexpr std::uint64_t k_any = ~std::uint64_t{0};
        if (!json.contains("index") || !json.contains("value") || !json.contains("op"))
            return wrong("an entry of args lacks index, value or op");
        result.argument = static_cast<unsigned>(TRY(number(json.at("index"), "index", 5)));
        result.value = TRY(number(json.at("value"), "value", k_any));
        std::uint64_t const second =
            json.contains("valueTwo") ? TRY(number(json.at("valueTwo"), "valueTwo", k_any)) : 0;
        std::string const op = TRY(text(json.at("op"), "op"));
        auto const known = operator_named(op);
        if (!known)
            return wrong(fmt::format("the operator '{}' is not known", op),
                         "SCMP_CMP_NE, _LT, _LE, _EQ, _GE, _GT, _MASKED_EQ");
        result.op = *known;
        if (result.op == Comparison::Op::masked_equal) {
            result.mask = result.value;
            result.value = second & result.mask;
        }
        return result;
    }

    Result<void> rules(Json const& json) {
        return each(json, "syscalls", [&](Json const& entry) -> Result<void> {
            TRY(members(entry, "an entry of syscalls",
                        {"name", "names", "action", "errnoRet", "errno", "args", "comment",
                         "includes", "excludes"}));
            if (!TRY(holds(entry, "includes", true)) || !TRY(holds(entry, "excludes", false)))
                return {};
            NamedRule rule;
            if (!entry.contains("action")) return wrong("an entry of syscalls has no action");
            rule.action = TRY(action(entry, "action", "errnoRet", "errno"));
            if (entry.contains("name")) rule.names.push_back(TRY(text(entry.at("name"), "name")));
            Result<void> const names_read =
                each(entry, "names", [&](Json const& name) -> Result<void> {
                    rule.names.push_back(TRY(text(name, "names")));
                    return {};
                });
            TRY(names_read);
            if (rule.names.empty()) return wrong("an entry of syscalls names none");
            std::vector<Comparison> all;
            Result<void> const arguments_read =
                each(entry, "args", [&](Json const& argument) -> Result<void> {
                    all.push_back(TRY(comparison(argument)));
                    return {};
                });
            TRY(arguments_read);
            rule.rules = alternatives(all, rule.action);
            rules_.push_back(std::move(rule));
            return {};
        });
    }

    /// All have to hold; but several about one argument are alternatives, as runc takes them.
    static std::vector<ArgumentRule> alternatives(std::vector<Comparison> const& all,
                                                  SeccompAction action) {
        if (all.empty()) return {};
        bool twice = false;
        for (std::size_t i = 0; i < all.size(); ++i)
            for (std::size_t j = 0; j < i; ++j)
                twice = twice || all[i].argument == all[j].argument;
        if (!twice) return {{all, action}};
        std::vector<ArgumentRule> result;
        for (Comparison const& one : all)
            result.push_back({{one}, action});
        return result;
    }

    Result<void> resolve(Architecture architecture) {
        SeccompPolicy& policy = policies_[static_cast<std::size_t>(architecture)];
        for (NamedRule const& rule : rules_)
            for (std::string const& name : rule.names) {
                Resolved const found = resolve_call(architecture, name);
                if (found.kind == Resolved::Kind::unknown && !ignore_unknown_)
                    return wrong(fmt::format("'{}' is no system call", name),
                                 "a profile without it");
                if (found.kind != Resolved::Kind::number) continue;
                if (rule.action == default_) continue; // libseccomp drops these, too
                if (rule.rules.empty()) {
                    policy.calls.emplace(found.number, rule.action); // the first one stays
                    continue;
                }
                for (ArgumentRule each : rule.rules) {
                    for (Comparison& condition : each.conditions)
                        condition.low_half = architecture != Architecture::x86_64;
                    policy.rules[found.number].push_back(std::move(each));
                }
            }
        // A rule for any arguments covers those for some.
        for (auto const& [number, answer] : policy.calls)
            policy.rules.erase(number);
        return {};
    }

    /// x86-64 and x32 are one to seccomp(2), told apart by a bit of the number.
    void finish() {
        auto has = [&](Architecture architecture) {
            return std::find(architectures_.begin(), architectures_.end(), architecture) !=
                   architectures_.end();
        };
        SeccompPolicy& native = policies_[static_cast<std::size_t>(Architecture::x86_64)];
        SeccompPolicy& x32 = policies_[static_cast<std::size_t>(Architecture::x32)];
        SeccompPolicy& i386 = policies_[static_cast<std::size_t>(Architecture::x86)];
        native.unlisted = i386.unlisted = default_;
        if (has(Architecture::x32)) {
            native.calls.merge(x32.calls);
            native.rules.merge(x32.rules);
        } else {
            native.ranges.push_back({k_x32_bit, 0xfffffffe, SeccompAction{SECCOMP_RET_KILL}});
        }
        profile_.architectures.push_back({AUDIT_ARCH_X86_64, std::move(native)});
        if (has(Architecture::x86))
            profile_.architectures.push_back({AUDIT_ARCH_I386, std::move(i386)});
    }

    std::uint64_t capabilities_;
    bool ignore_unknown_;
    SeccompProfile profile_;
    SeccompAction default_;
    std::vector<Architecture> architectures_;
    std::vector<NamedRule> rules_;
    SeccompPolicy policies_[3];
};

} // namespace

Result<SeccompProfile> read_profile(std::string const& text, std::uint64_t capabilities,
                                    bool ignore_unknown) {
    Json const json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) return wrong("it is no JSON", "the form of Docker's default.json");
    return ProfileReader(capabilities, ignore_unknown).read(json);
}

Result<CompiledProfile> compile_profile(SeccompSpec const& spec, std::uint64_t capabilities) {
    std::string const text = spec.profile == SeccompSpec::Profile::file
                                 ? TRY(read_file(spec.path, k_longest_profile))
                                 : spec.text;
    auto profile = read_profile(text, capabilities, spec.ignore_unknown);
    if (!profile) {
        if (!spec.path.empty()) profile.error().op += " " + spec.path;
        return tl::unexpected<Error>(std::move(profile).error());
    }
    return CompiledProfile{
        TRY(compile_seccomp(profile->architectures, SeccompAction{SECCOMP_RET_KILL})),
        profile->flags};
}

} // namespace iso::jail
