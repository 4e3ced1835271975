#include "isolate/audit/outcome.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

namespace iso::jail {

namespace {

constexpr std::size_t k_max_detail = 200;

tl::unexpected<Error> not_an_answer(std::string cause) {
    return error("the battery's answer", std::move(cause),
                 "the jail on its own: somebody inside interferes, or ended the battery");
}

bool is_printable(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

template <std::size_t n>
std::optional<std::size_t> index_of(char const* const (&names)[n], std::string_view name) {
    auto const* const found = std::find(std::begin(names), std::end(names), name);
    if (found == std::end(names)) return {};
    return static_cast<std::size_t>(found - std::begin(names));
}

/// The fields between tabulators; false when there is another number of them.
template <std::size_t n>
bool split(std::string_view line, std::array<std::string_view, n>& fields) {
    for (std::size_t i = 0; i < n; ++i) {
        auto const tab = line.find('\t');
        if ((tab == line.npos) != (i + 1 == n)) return false;
        fields[i] = line.substr(0, tab);
        if (tab != line.npos) line.remove_prefix(tab + 1);
    }
    return true;
}

Result<void> read_line(std::string_view line, std::vector<Outcome>& outcomes) {
    std::array<std::string_view, 4> fields;
    if (!split(line, fields)) return not_an_answer("a line has not four fields");
    auto const [id, state, by, detail] = fields;
    auto const at = std::find_if(outcomes.begin(), outcomes.end(),
                                 [&](Outcome const& each) { return each.check->id == id; });
    if (at == outcomes.end()) return not_an_answer("a line is about no attempt");
    if (at->state != State::unknown || !at->detail.empty())
        return not_an_answer(fmt::format("{} is there twice", at->check->id));
    auto const which_state = index_of(k_state_names, state);
    auto const which_by = index_of(k_by_names, by);
    if (!which_state || !which_by || detail.size() > k_max_detail || !is_printable(detail))
        return not_an_answer(fmt::format("the line about {} is of no known form", at->check->id));
    at->state = static_cast<State>(*which_state);
    at->by = static_cast<By>(*which_by);
    at->detail = detail.empty() ? "-" : std::string(detail);
    return {};
}

} // namespace

Result<std::vector<Outcome>> read_outcomes(std::string_view text) {
    std::vector<Outcome> outcomes;
    for (Check const& check : checks())
        outcomes.push_back({&check, State::unknown, By::nothing, {}, {}});
    std::string const last = fmt::format("end\t{}", checks().size());
    bool ended = false;
    while (!text.empty()) {
        auto const end = text.find('\n');
        if (end == text.npos || ended) return not_an_answer("there is more after its last line");
        std::string_view const line = text.substr(0, end);
        text.remove_prefix(end + 1);
        if (line == last) {
            ended = true;
            continue;
        }
        TRY(read_line(line, outcomes));
    }
    if (!ended) return not_an_answer("it ends in the middle");
    for (Outcome const& outcome : outcomes)
        if (outcome.detail.empty())
            return not_an_answer(fmt::format("{} is missing", outcome.check->id));
    return outcomes;
}

Result<std::vector<std::string>> read_facts(std::string_view line) {
    constexpr std::size_t k_most = 32;
    std::vector<std::string> words;
    while (!line.empty()) {
        auto const blank = line.find(' ');
        std::string_view const word = line.substr(0, blank);
        line.remove_prefix(blank == line.npos ? line.size() : blank + 1);
        auto const equals = word.find('=');
        if (equals == word.npos || equals == 0 || !is_printable(word) || words.size() == k_most)
            return error("battery stay", "it says nothing that could be read");
        words.emplace_back(word);
    }
    if (words.empty()) return error("battery stay", "it says nothing");
    return words;
}

} // namespace iso::jail
