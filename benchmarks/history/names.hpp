#pragma once

#include "benchmarks/harness/results.hpp"
#include "common/json.hpp"

#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <vector>

// How the values of a record are written as text, in the database and in an export, and read back.
// Nothing: the text is none of them.
namespace iso::bench::history {

template <typename T>
std::optional<T> named(std::string_view text, std::initializer_list<T> values) {
    for (T const value : values)
        if (to_string(value) == text) return value;
    return {};
}

inline std::optional<Kind> kind_of(std::string_view text) {
    return named(text,
                 {Kind::compute, Kind::latency, Kind::start_up, Kind::density, Kind::program});
}

inline std::optional<Comparison> comparison_of(std::string_view text) {
    return named(text, {Comparison::ratio, Comparison::added});
}

inline std::optional<Status> status_of(std::string_view text) {
    return named(text, {Status::ok, Status::unavailable, Status::failed, Status::void_,
                        Status::incomplete, Status::inconclusive});
}

inline std::optional<std::uint64_t> number_of(std::string const& text) {
    std::uint64_t value = 0;
    auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || end != text.data() + text.size() || text != std::to_string(value))
        return {};
    return value;
}

inline std::optional<std::map<std::string, std::string>> facts_of(nlohmann::json const& in) {
    if (!in.is_object()) return {};
    std::map<std::string, std::string> facts;
    for (auto const& [key, value] : in.items()) {
        if (!value.is_string()) return {};
        facts[key] = value.get<std::string>();
    }
    return facts;
}

inline std::optional<std::vector<std::string>> words_of(nlohmann::json const& in) {
    if (!in.is_array()) return {};
    std::vector<std::string> words;
    for (nlohmann::json const& word : in) {
        if (!word.is_string()) return {};
        words.push_back(word.get<std::string>());
    }
    return words;
}

/// One line of JSON; bytes that are no UTF-8 are replaced.
inline std::string one_line(nlohmann::json const& value) {
    return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace iso::bench::history
