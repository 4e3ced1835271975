#pragma once

#include "common/result.hpp"
#include "isolate/spec/spec.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace iso::jail {

/// One thing that can be said about a jail: --NAME on the command line, NAME in a jail file. The
/// table of them (keys()) is the one place that knows how each is said, read and written.
struct Key {
    enum class Kind : std::uint8_t {
        one,   ///< one value; a later one replaces an earlier one
        flag,  ///< yes or no; alone it means yes
        list,  ///< may be said again, which adds to what was said
        words, ///< a list of words in one saying; on the command line it is what follows `--`
    };
    char const* name;
    char const* form;    ///< of the value: "SIZE"
    char const* group;   ///< the heading under which it is shown
    char const* help;    ///< one sentence
    char const* example; ///< a value that it takes
    Kind kind;
    /// Takes one value (for words: one word) into the spec. A host path is relative to `base`.
    /// Errors: `op` is empty, the caller knows where it reads.
    Result<void> (*read)(JailSpec& spec, std::string_view value, std::string const& base);
    /// The values by which `read` makes this part of a new spec the same as in `spec`.
    std::vector<std::string> (*write)(JailSpec const& spec);
    /// Keys of the same `sets` set the same thing: of these a jail file may have one.
    char const* sets = nullptr;
};

/// The whole table, in the order in which a jail file is written.
std::span<Key const> keys();

/// The key of this name, or nullptr.
Key const* find_key(std::string_view name);

/// The names that `name` may have been meant for, for an error's hint: "--memory, --memory-low".
std::string similar_keys(std::string_view name);

/// What was said about a jail, in order: the command line's part of the table.
struct KeyValue {
    Key const* key;
    std::string value;
};

/// Applies what was said, in order. Errors: `op` is "--NAME VALUE".
Result<void> apply(std::vector<KeyValue> const& said, JailSpec& spec, std::string const& base);

/// Every key with its values that together make a new spec into this one.
std::vector<KeyValue> said_of(JailSpec const& spec);

} // namespace iso::jail
