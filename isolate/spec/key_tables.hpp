#pragma once

#include "isolate/spec/key_values.hpp"
#include "isolate/spec/keys.hpp"
#include "isolate/spec/names.hpp"

/// The parts of the table of keys, and what several of them need.
namespace iso::jail::tables {

using Values = std::vector<std::string>;

std::span<Key const> general_keys();
std::span<Key const> root_keys();
std::span<Key const> process_keys();
std::span<Key const> limit_keys();
std::span<Key const> security_keys();

/// One value, unless it is what a new spec has.
inline Values unless(bool usual, std::string value) {
    return usual ? Values{} : Values{std::move(value)};
}
inline char const* yes_or_no(bool value) {
    return value ? "yes" : "no";
}

template <typename Enum>
Result<Enum> one_of(std::string_view value) {
    if (auto const known = named<Enum>(value)) return *known;
    return form::wrong(value, "is not known here", all_names<Enum>());
}

/// NAME=VALUE for each entry of a map.
inline Values pairs(std::map<std::string, std::string> const& map) {
    Values values;
    for (auto const& [name, value] : map)
        values.push_back(name + "=" + value);
    return values;
}
inline Result<void> add_pair(std::map<std::string, std::string>& map, std::string_view value) {
    auto const [name, text] = TRY(form::pair(value));
    map[name] = text;
    return {};
}

} // namespace iso::jail::tables
