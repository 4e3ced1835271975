#include "isolate/spec/spec_json.hpp"

#include "isolate/spec/fields.hpp"
#include "isolate/spec/json_text.hpp"
#include "isolate/spec/names.hpp"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <type_traits>

namespace iso::jail {

namespace {

using nlohmann::json;

// --- writing ------------------------------------------------------------------------------------

json spec_value(std::string const& text) {
    if (is_utf8(text)) return text;
    std::string hex;
    for (char const c : text)
        hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
    json out = json::object();
    out["hex"] = hex;
    return out;
}
json spec_value(char letter) {
    return std::string(1, letter);
}
template <typename Number>
requires std::is_arithmetic_v<Number> json spec_value(Number number) {
    return number;
}
template <typename Enum>
requires std::is_enum_v<Enum> json spec_value(Enum value) {
    return std::string(name_of(value));
}
template <Described Struct>
json spec_value(Struct const& value);

template <typename Item>
json spec_value(std::vector<Item> const& list) {
    json out = json::array();
    for (auto const& item : list)
        out.push_back(spec_value(item));
    return out;
}
template <typename Value>
json spec_value(std::map<std::string, Value> const& map) {
    json out = json::object();
    for (auto const& [name, value] : map)
        out[name] = spec_value(value);
    return out;
}
json spec_value(std::array<NamespaceChoice, k_namespace_count> const& choices) {
    json out = json::object();
    for (std::size_t i = 0; i < choices.size(); ++i)
        if (choices[i] != NamespaceChoice{})
            out[std::string(name_of(static_cast<Namespace>(i)))] = spec_value(choices[i]);
    return out;
}
template <typename Value>
json spec_value(std::optional<Value> const& value) {
    return value ? spec_value(*value) : json();
}

template <Described Struct>
json spec_value(Struct const& value) {
    Struct const usual{};
    json out = json::object();
    auto put = [&](auto const& f) {
        if (value.*f.member != usual.*f.member) out[f.name] = spec_value(value.*f.member);
    };
    std::apply([&](auto const&... all) { (put(all), ...); },
               fields_of(static_cast<Struct const*>(nullptr)));
    return out;
}

// --- reading ------------------------------------------------------------------------------------

/// Where we are: "state.json: jail.limits.io[3]".
using Place = std::string;

tl::unexpected<Error> wrong(Place const& place, json const& in, std::string const& wanted) {
    std::string shown = in.dump(-1, ' ', true, json::error_handler_t::replace);
    if (shown.size() > 60) shown = shown.substr(0, 57) + "...";
    return error(place, shown + " is not " + wanted, wanted);
}

Result<void> read(json const& in, std::string& out, Place const& place) {
    if (in.is_string()) {
        out = in.get<std::string>();
    } else if (in.is_object() && in.size() == 1 && in.contains("hex") && in["hex"].is_string()) {
        std::string const& hex = in["hex"].get_ref<std::string const&>();
        out.clear();
        for (std::size_t i = 0; i < hex.size(); i += 2) {
            unsigned byte = 0;
            char const* const from = hex.data() + i;
            if (hex.size() - i < 2) return wrong(place, in, "hex digits in pairs");
            if (std::from_chars(from, from + 2, byte, 16).ptr != from + 2)
                return wrong(place, in, "hex digits in pairs");
            out += static_cast<char>(byte);
        }
    } else {
        return wrong(place, in, "text");
    }
    if (out.find('\0') != std::string::npos) return wrong(place, in, "text without a NUL byte");
    return {};
}
Result<void> read(json const& in, char& out, Place const& place) {
    if (!in.is_string() || in.get_ref<std::string const&>().size() != 1)
        return wrong(place, in, "one letter");
    out = in.get_ref<std::string const&>().front();
    return {};
}
Result<void> read(json const& in, bool& out, Place const& place) {
    if (!in.is_boolean()) return wrong(place, in, "true or false");
    out = in.get<bool>();
    return {};
}
template <typename Number>
requires std::is_integral_v<Number> Result<void> read(json const& in, Number& out,
                                                      Place const& place) {
    // nlohmann's get() would turn 1.5, -1 and 2^40 into some number of this type.
    using Limits = std::numeric_limits<Number>;
    bool fits = false;
    if (in.is_number_unsigned())
        fits = in.get<std::uint64_t>() <= static_cast<std::uint64_t>(Limits::max());
    else if (in.is_number_integer() && std::is_signed_v<Number>)
        fits = in.get<std::int64_t>() >= static_cast<std::int64_t>(Limits::min());
    if (!fits)
        return wrong(place, in,
                     fmt::format("a whole number from {} to {}", Limits::min(), Limits::max()));
    out = in.get<Number>();
    return {};
}
template <typename Enum>
requires std::is_enum_v<Enum> Result<void> read(json const& in, Enum& out, Place const& place) {
    auto const value =
        in.is_string() ? named<Enum>(in.get_ref<std::string const&>()) : std::optional<Enum>();
    if (!value) return wrong(place, in, all_names<Enum>());
    out = *value;
    return {};
}
template <Described Struct>
Result<void> read(json const& in, Struct& out, Place const& place);

template <typename Item>
Result<void> read(json const& in, std::vector<Item>& out, Place const& place) {
    if (!in.is_array()) return wrong(place, in, "a list");
    out.clear();
    for (std::size_t i = 0; i < in.size(); ++i)
        TRY(read(in[i], out.emplace_back(), fmt::format("{}[{}]", place, i)));
    return {};
}
Result<void> check_name(std::string const& name, Place const& place) {
    if (name.find('\0') == std::string::npos) return {};
    return error(place, "a name with a NUL byte", "names without one");
}
template <typename Value>
Result<void> read(json const& in, std::map<std::string, Value>& out, Place const& place) {
    if (!in.is_object()) return wrong(place, in, "an object");
    out.clear();
    for (auto const& [name, value] : in.items()) {
        TRY(check_name(name, place));
        TRY(read(value, out[name], place + "." + name));
    }
    return {};
}
Result<void> read(json const& in, std::array<NamespaceChoice, k_namespace_count>& out,
                  Place const& place) {
    if (!in.is_object()) return wrong(place, in, "an object");
    for (auto const& [name, value] : in.items()) {
        auto const which = named<Namespace>(name);
        if (!which)
            return error(place + "." + name, "no namespace of this name", all_names<Namespace>());
        TRY(read(value, out[static_cast<std::size_t>(*which)], place + "." + name));
    }
    return {};
}
template <typename Value>
Result<void> read(json const& in, std::optional<Value>& out, Place const& place) {
    return read(in, out.emplace(), place);
}

template <Described Struct>
Result<void> read(json const& in, Struct& out, Place const& place) {
    constexpr auto fields = fields_of(static_cast<Struct const*>(nullptr));
    if (!in.is_object()) return wrong(place, in, "an object");
    for (auto const& [name, value] : in.items()) {
        bool known = false;
        Result<void> done;
        auto take = [&](auto const& f) {
            if (name != f.name) return;
            known = true;
            done = read(value, out.*f.member, place + "." + name);
        };
        std::apply([&](auto const&... all) { (take(all), ...); }, fields);
        if (!known) {
            std::string allowed;
            std::apply(
                [&](auto const&... all) {
                    ((allowed += (allowed.empty() ? "" : ", ") + std::string(all.name)), ...);
                },
                fields);
            return error(place + "." + name, "unknown field", "one of " + allowed);
        }
        TRY(std::move(done));
    }
    return {};
}

} // namespace

std::string spec_to_json(JailSpec const& spec) {
    json const out = {{"version", k_spec_version}, {"jail", spec_value(spec)}};
    return out.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<JailSpec> spec_from_json(std::string_view text, std::string const& where) {
    json const in = TRY(parse_json(text, where));
    if (!in.is_object()) return wrong(where, in, "an object {\"version\": ..., \"jail\": ...}");
    for (auto const& [name, value] : in.items())
        if (name != "version" && name != "jail")
            return error(where + ": " + name, "unknown field", "version, jail");
    if (!in.contains("version") || !in["version"].is_number_unsigned() ||
        in["version"] != k_spec_version)
        return error(where + ": version",
                     (in.contains("version")
                          ? in["version"].dump(-1, ' ', true, json::error_handler_t::replace)
                          : std::string("missing")) +
                         fmt::format("; this isolate reads version {}", k_spec_version),
                     "the isolate that wrote it");
    if (!in.contains("jail")) return error(where + ": jail", "missing", "an object");
    JailSpec spec;
    TRY(read(in["jail"], spec, where + ": jail"));
    return spec;
}

} // namespace iso::jail
