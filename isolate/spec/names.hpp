#pragma once

#include "isolate/spec/spec.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace iso::jail {

/// The one name of each value, in every face: command line, jail file, JSON, messages.
template <typename Value>
struct Named {
    Value value;
    std::string_view name;
};

std::span<Named<Namespace> const> names_of(Namespace);
std::span<Named<NamespaceChoice::From> const> names_of(NamespaceChoice::From);
std::span<Named<RootSpec::Source> const> names_of(RootSpec::Source);
std::span<Named<RootSpec::Mode> const> names_of(RootSpec::Mode);
std::span<Named<SeccompSpec::Profile> const> names_of(SeccompSpec::Profile);
std::span<Named<NetworkSpec::Mode> const> names_of(NetworkSpec::Mode);

template <typename Enum>
std::string_view name_of(Enum value) {
    for (auto const& [known, name] : names_of(Enum{}))
        if (known == value) return name;
    return "?";
}

template <typename Enum>
std::optional<Enum> named(std::string_view name) {
    for (auto const& [value, known] : names_of(Enum{}))
        if (known == name) return value;
    return {};
}

/// "none, loopback or host": what a message says is allowed.
template <typename Enum>
std::string all_names() {
    std::string text;
    auto const names = names_of(Enum{});
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
        text += names[i].name;
    }
    return text;
}

/// "CAP_CHOWN" for 0 and so on (capabilities(7)); "CAP_57" for one that has no name here.
std::string capability_name(unsigned number);
/// Takes "CAP_CHOWN", "cap_chown", "chown" and "CAP_57".
std::optional<unsigned> capability_number(std::string_view name);
/// All capabilities that have a name here.
std::uint64_t all_capabilities();

/// "nofile" for RLIMIT_NOFILE (getrlimit(2)); empty for a number without a name.
std::string_view rlimit_name(int resource);
/// Takes "nofile" and "RLIMIT_NOFILE".
std::optional<int> rlimit_number(std::string_view name);

/// Whether text is well-formed UTF-8 (RFC 3629): JSON can hold nothing else.
bool is_utf8(std::string_view text);

} // namespace iso::jail
