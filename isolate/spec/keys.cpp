#include "isolate/spec/keys.hpp"

#include "isolate/spec/key_tables.hpp"

#include <algorithm>

namespace iso::jail {

std::span<Key const> keys() {
    // Put together when it is first asked for: a plain run never does.
    static std::vector<Key> const all = [] {
        std::vector<Key> table;
        for (auto const part : {tables::general_keys(), tables::root_keys(), tables::process_keys(),
                                tables::limit_keys(), tables::security_keys()})
            table.insert(table.end(), part.begin(), part.end());
        return table;
    }();
    return all;
}

Key const* find_key(std::string_view name) {
    for (Key const& key : keys())
        if (name == key.name) return &key;
    return nullptr;
}

namespace {

/// How many letters have to change for one word to become the other (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            std::size_t const above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
            diagonal = above;
        }
    }
    return row[b.size()];
}

} // namespace

std::string similar_keys(std::string_view name) {
    std::string found;
    if (name.size() > 64) return found;
    for (Key const& key : keys()) {
        bool const related = name.size() >= 3 && std::string_view(key.name).starts_with(name);
        if (!related && distance(name, key.name) > 2) continue;
        found += found.empty() ? key.name : std::string(", ") + key.name;
    }
    return found;
}

Result<void> apply(std::vector<KeyValue> const& said, JailSpec& spec, std::string const& base) {
    // What a jail is like is what the rest changes, wherever on the line it stands.
    auto is_first = [](Key const& key) { return std::string_view(key.name) == "like"; };
    auto in_order = said;
    std::stable_partition(in_order.begin(), in_order.end(),
                          [&](KeyValue const& each) { return is_first(*each.key); });
    for (auto const& [key, value] : in_order) {
        auto done = key->read(spec, value, base);
        if (done) continue;
        done.error().op = std::string("--") + key->name;
        return done;
    }
    return {};
}

std::vector<KeyValue> said_of(JailSpec const& spec) {
    std::vector<KeyValue> said;
    for (Key const& key : keys())
        for (std::string& value : key.write(spec))
            said.push_back({&key, std::move(value)});
    return said;
}

} // namespace iso::jail
