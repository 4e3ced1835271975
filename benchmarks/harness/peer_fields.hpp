#pragma once

#include "common/json.hpp"
#include "common/result.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace iso::bench {

/// The text of a file of commented JSON, with the places of its keys, for errors that say where.
struct PeerText {
    std::string path;
    std::string text;

    /// "PATH:LINE: FIELD", exit status 2. A field "needs.root" stands below "needs".
    [[nodiscard]] tl::unexpected<Error> wrong(std::string const& field, std::string cause,
                                              std::string hint = {}) const;
    /// The whole document. Errors: not JSON, not an object, a key twice in one object.
    [[nodiscard]] Result<nlohmann::json> parse() const;

private:
    [[nodiscard]] std::size_t line_of(std::size_t byte) const;
    [[nodiscard]] std::size_t find_key(std::string const& field) const;
};

/// The keys of one JSON object, each taken once, each with its type checked; what is left over at
/// the end is an error, so that a typo is not silently a default.
class PeerFields {
public:
    PeerFields(PeerText const& text, nlohmann::json const& object, std::string prefix)
        : text_(text)
        , object_(object)
        , prefix_(std::move(prefix)) {}

    [[nodiscard]] bool has(std::string const& key) const { return object_.contains(key); }
    Result<std::string> text(std::string const& key); ///< not empty
    Result<std::string> text_or(std::string const& key, std::string fallback);
    Result<bool> flag_or(std::string const& key, bool fallback);
    Result<std::uint64_t> number_or(std::string const& key, std::uint64_t fallback);
    Result<std::vector<std::string>> words(std::string const& key); ///< not empty
    Result<std::vector<std::string>> words_or_none(std::string const& key);
    Result<std::vector<std::vector<std::string>>> commands_or_none(std::string const& key);
    Result<std::map<std::string, std::string>> texts_or_none(std::string const& key);
    /// An object below; an empty one when it is not there.
    Result<nlohmann::json> object_or_none(std::string const& key);
    /// Errors: a key that nobody took.
    Result<void> finish() const;
    [[nodiscard]] tl::unexpected<Error> wrong(std::string const& key, std::string cause,
                                              std::string hint = {}) const {
        return text_.wrong(prefix_ + key, std::move(cause), std::move(hint));
    }

private:
    nlohmann::json const* take(std::string const& key);
    Result<std::vector<std::string>> words_of(std::string const& key,
                                              nlohmann::json const& value) const;

    PeerText const& text_;
    nlohmann::json const& object_;
    std::string prefix_;
    std::set<std::string> taken_;
};

} // namespace iso::bench
