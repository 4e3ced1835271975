#include "isolate/life/name.hpp"

#include <fmt/format.h>

#include <cstdint>

#include <sys/random.h>

namespace iso::jail {

namespace {

constexpr bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// As it may be shown on a terminal, and no longer than a line.
std::string shown_name(std::string_view name) {
    std::string text;
    for (char const c : name.substr(0, 40))
        text += c >= ' ' && c <= '~' ? c : '?';
    return text + (name.size() > 40 ? "..." : "");
}

} // namespace

Result<void> check_name(std::string_view name) {
    constexpr char const* k_hint =
        "letters, digits, '_', '-', '+' and '.', the first a letter or a digit";
    if (name.empty()) return refused("name of the jail", "it is empty", k_hint);
    std::string const op = "name of the jail '" + shown_name(name) + "'";
    if (name.size() > k_longest_name)
        return refused(op, fmt::format("longer than {} characters", k_longest_name), k_hint);
    if (!is_letter_or_digit(name.front()))
        return refused(op, "does not begin with a letter or a digit", k_hint);
    for (char const c : name)
        if (!is_letter_or_digit(c) && c != '_' && c != '-' && c != '+' && c != '.')
            return refused(op,
                           c == '/' ? "'/' would lead to another directory"
                                    : "has a character that no name may have",
                           k_hint);
    return {};
}

std::string make_name() {
    std::uint32_t number = 0;
    (void)!::getrandom(&number, sizeof number, 0);
    return fmt::format("jail-{:08x}", number);
}

} // namespace iso::jail
