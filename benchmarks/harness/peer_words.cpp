#include "benchmarks/harness/peer_words.hpp"

#include <algorithm>
#include <functional>

namespace iso::bench {

using nlohmann::json;

namespace {

constexpr std::string_view k_args = "{args...}";

/// Calls `name` for what stands in each pair of braces and replaces it by the answer.
std::string replace(std::string const& text, std::function<std::string(std::string const&)> name) {
    std::string out;
    std::size_t at = 0;
    for (;;) {
        std::size_t const open = text.find('{', at);
        std::size_t const close = text.find('}', open);
        if (open == std::string::npos || close == std::string::npos) break;
        out += text.substr(at, open - at) + name(text.substr(open + 1, close - open - 1));
        at = close + 1;
    }
    return out + text.substr(at);
}

std::string check(std::string const& word, PeerFile const& peer) {
    if (word == k_args) return {};
    std::string problem;
    replace(word, [&](std::string const& name) -> std::string {
        bool const staged = name == "root"        ? peer.workload == PeerWorkload::directory
                            : name == "initramfs" ? peer.workload == PeerWorkload::initramfs
                            : name == "kernel"    ? peer.needs_kernel
                                                  : true;
        if (!staged)
            problem = "{" + name + "} is not made for this peer (see \"workload\" and \"needs\")";
        bool known = false;
        for (char const* const one :
             {"program", "root", "initramfs", "kernel", "files", "scratch", "id"})
            known = known || name == one;
        if (name.starts_with("tool:"))
            known = std::find(peer.programs.begin(), peer.programs.end(), name.substr(5)) !=
                    peer.programs.end();
        if (name == "args...")
            problem = "{args...} has to be a word of its own";
        else if (!known)
            problem = "unknown placeholder {" + name + "}";
        return {};
    });
    return problem;
}

std::string fill_one(std::string const& text, PeerValues const& values) {
    return replace(text, [&](std::string const& name) {
        auto const found = values.texts.find(name);
        return found == values.texts.end() ? "{" + name + "}" : found->second;
    });
}

} // namespace

std::string unknown_placeholder(Words const& words, PeerFile const& peer) {
    for (std::string const& word : words)
        if (std::string problem = check(word, peer); !problem.empty()) return problem;
    return {};
}

std::string unknown_placeholder(json const& value, PeerFile const& peer) {
    if (value.is_string()) return check(value.get<std::string>(), peer);
    if (value.is_structured())
        for (json const& below : value)
            if (std::string problem = unknown_placeholder(below, peer); !problem.empty())
                return problem;
    return {};
}

bool uses(Words const& words, std::string_view placeholder) {
    return std::any_of(words.begin(), words.end(), [&](std::string const& word) {
        return word.find(placeholder) != std::string::npos;
    });
}

bool uses(json const& value, std::string_view placeholder) {
    if (value.is_string()) return value.get<std::string>().find(placeholder) != std::string::npos;
    return value.is_structured() && std::any_of(value.begin(), value.end(), [&](json const& below) {
               return uses(below, placeholder);
           });
}

Words fill(Words const& words, PeerValues const& values) {
    Words filled;
    for (std::string const& word : words) {
        if (word == k_args)
            filled.insert(filled.end(), values.args.begin(), values.args.end());
        else
            filled.push_back(fill_one(word, values));
    }
    return filled;
}

json fill(json const& value, PeerValues const& values) {
    if (value.is_string()) return fill_one(value.get<std::string>(), values);
    if (value.is_object()) {
        json filled = json::object();
        for (auto const& [key, below] : value.items())
            filled[key] = fill(below, values);
        return filled;
    }
    if (!value.is_array()) return value;
    json filled = json::array();
    for (json const& below : value) {
        if (below.is_string() && below.get<std::string>() == k_args)
            for (std::string const& word : values.args)
                filled.push_back(word);
        else
            filled.push_back(fill(below, values));
    }
    return filled;
}

} // namespace iso::bench
