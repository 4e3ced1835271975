#include "benchmarks/harness/peer_fields.hpp"

#include "benchmarks/harness/lineup.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace iso::bench {

using nlohmann::json;

tl::unexpected<Error> PeerText::wrong(std::string const& field, std::string cause,
                                      std::string hint) const {
    Error problem;
    problem.op = fmt::format("{}:{}: {}", path, line_of(find_key(field)), field);
    problem.cause = std::move(cause);
    problem.hint = std::move(hint);
    problem.exit_status = exit_code::usage;
    problem.at = std::source_location::current();
    return tl::unexpected<Error>(std::move(problem));
}

std::size_t PeerText::line_of(std::size_t byte) const {
    auto const end = text.begin() + static_cast<std::ptrdiff_t>(std::min(byte, text.size()));
    return 1 + static_cast<std::size_t>(std::count(text.begin(), end, '\n'));
}

/// Where the last of a field's keys stands: each is looked for behind the one above it. A key in a
/// comment would mislead by a few lines, no more.
std::size_t PeerText::find_key(std::string const& field) const {
    std::size_t at = 0;
    std::size_t begin = 0;
    while (begin < field.size()) {
        std::size_t const end = std::min(field.find('.', begin), field.size());
        std::string const key = '"' + field.substr(begin, end - begin) + '"';
        for (std::size_t found = text.find(key, at); found != std::string::npos;
             found = text.find(key, found + 1)) {
            auto const next = text.find_first_not_of(" \t\n", found + key.size());
            if (next == std::string::npos || text[next] != ':') continue;
            at = found;
            break;
        }
        begin = end + 1;
    }
    return at;
}

Result<json> PeerText::parse() const {
    std::vector<std::set<std::string>> levels;
    std::string twice;
    auto const watch = [&](int, json::parse_event_t event, json& value) {
        if (event == json::parse_event_t::object_start) levels.emplace_back();
        if (event == json::parse_event_t::object_end) levels.pop_back();
        if (event == json::parse_event_t::key &&
            !levels.back().insert(value.get<std::string>()).second)
            twice = value.get<std::string>();
        return true;
    };
    json document;
    try {
        document = json::parse(text, watch, true, true);
    } catch (json::parse_error const& problem) {
        std::string cause = problem.what();
        cause.erase(0, cause.find("] ") == std::string::npos ? 0 : cause.find("] ") + 2);
        Error told;
        told.op = fmt::format("{}:{}", path, line_of(problem.byte == 0 ? 0 : problem.byte - 1));
        told.cause = "not JSON (// comments are allowed): " + cause;
        told.exit_status = exit_code::usage;
        told.at = std::source_location::current();
        return tl::unexpected<Error>(std::move(told));
    }
    if (!document.is_object()) return wrong("the document", "not a JSON object");
    if (!twice.empty()) return wrong(twice, "the key stands there twice");
    return document;
}

json const* PeerFields::take(std::string const& key) {
    taken_.insert(key);
    auto const found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
}

Result<std::string> PeerFields::text(std::string const& key) {
    json const* const value = take(key);
    if (value == nullptr) return wrong(key, "missing");
    if (!value->is_string() || value->get<std::string>().empty())
        return wrong(key, "has to be a text that is not empty");
    return value->get<std::string>();
}

Result<std::string> PeerFields::text_or(std::string const& key, std::string fallback) {
    if (has(key)) return text(key);
    take(key);
    return fallback;
}

Result<bool> PeerFields::flag_or(std::string const& key, bool fallback) {
    json const* const value = take(key);
    if (value == nullptr) return fallback;
    if (!value->is_boolean()) return wrong(key, "has to be true or false");
    return value->get<bool>();
}

Result<std::uint64_t> PeerFields::number_or(std::string const& key, std::uint64_t fallback) {
    json const* const value = take(key);
    if (value == nullptr) return fallback;
    if (!value->is_number_unsigned()) return wrong(key, "has to be a number, not negative");
    return value->get<std::uint64_t>();
}

Result<std::vector<std::string>> PeerFields::words_of(std::string const& key,
                                                      json const& value) const {
    if (!value.is_array()) return wrong(key, "has to be a list of texts");
    std::vector<std::string> words;
    for (json const& word : value) {
        if (!word.is_string())
            return wrong(key, fmt::format("word {} is not a text", words.size() + 1));
        words.push_back(word.get<std::string>());
    }
    return words;
}

Result<std::vector<std::string>> PeerFields::words(std::string const& key) {
    if (!has(key)) {
        take(key);
        return wrong(key, "missing");
    }
    auto words = TRY(words_or_none(key));
    if (words.empty()) return wrong(key, "the list is empty");
    return words;
}

Result<std::vector<std::string>> PeerFields::words_or_none(std::string const& key) {
    json const* const value = take(key);
    if (value == nullptr) return std::vector<std::string>{};
    return words_of(key, *value);
}

Result<std::vector<std::vector<std::string>>> PeerFields::commands_or_none(std::string const& key) {
    json const* const value = take(key);
    std::vector<std::vector<std::string>> commands;
    if (value == nullptr) return commands;
    if (!value->is_array()) return wrong(key, "has to be a list of commands");
    for (json const& command : *value) {
        commands.push_back(TRY(words_of(key, command)));
        if (commands.back().empty()) return wrong(key, "an empty command");
    }
    return commands;
}

Result<std::map<std::string, std::string>> PeerFields::texts_or_none(std::string const& key) {
    std::map<std::string, std::string> texts;
    json const object = TRY(object_or_none(key));
    for (auto const& [name, value] : object.items()) {
        if (!value.is_string()) return wrong(key + "." + name, "has to be a text");
        texts[name] = value.get<std::string>();
    }
    return texts;
}

Result<json> PeerFields::object_or_none(std::string const& key) {
    json const* const value = take(key);
    if (value == nullptr) return json::object();
    if (!value->is_object()) return wrong(key, "has to be an object");
    return *value;
}

Result<void> PeerFields::finish() const {
    for (auto const& [key, ignored] : object_.items()) {
        if (taken_.contains(key)) continue;
        std::string const meant = closest(key, {taken_.begin(), taken_.end()});
        return wrong(key, "unknown key",
                     meant.empty() ? "see docs/peers.md" : "did you mean '" + meant + "'?");
    }
    return {};
}

} // namespace iso::bench
