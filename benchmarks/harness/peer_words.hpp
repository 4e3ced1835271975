#pragma once

#include "benchmarks/harness/peer_file.hpp"

#include <string_view>

namespace iso::bench {

/// What the placeholders of a peer's words stand for in one run.
struct PeerValues {
    std::map<std::string, std::string> texts; ///< by name, without braces: "root", "tool:runc"
    Words args;                               ///< what {args...} becomes
};

/// For errors: what may stand in braces.
inline constexpr char const* k_placeholders =
    "{program} {args...} {root} {initramfs} {kernel} {files} {scratch} {id} {tool:NAME}";

/// What is wrong with the placeholders of a list of words, or of the texts in a JSON value; or "".
std::string unknown_placeholder(Words const& words, PeerFile const& peer);
std::string unknown_placeholder(nlohmann::json const& value, PeerFile const& peer);

bool uses(Words const& words, std::string_view placeholder);
bool uses(nlohmann::json const& value, std::string_view placeholder);

/// The words with everything filled in; "{args...}" becomes as many words as there are.
/// Precondition: unknown_placeholder() found nothing.
Words fill(Words const& words, PeerValues const& values);
nlohmann::json fill(nlohmann::json const& value, PeerValues const& values);

} // namespace iso::bench
