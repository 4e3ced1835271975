#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>

namespace iso::test {

/// Damages texts by chance, the same way in every run: bytes changed, cut out, repeated, and pieces
/// of the format's own syntax where they do not belong.
class Mutations {
public:
    explicit Mutations(std::string syntax)
        : syntax_(std::move(syntax)) {}

    std::uint64_t below(std::uint64_t n) { return random_() % n; }

    std::string of(std::string text) {
        for (std::uint64_t n = below(4) + 1; n > 0; --n) {
            std::size_t const at = below(text.size());
            switch (below(5)) {
            case 0:
                text[at] = static_cast<char>(random_());
                break;
            case 1:
                text.erase(at, below(16));
                break;
            case 2:
                text.insert(at, std::string(text, below(text.size()), below(64)));
                break;
            case 3:
                text.insert(at, std::string(below(64), syntax_[below(syntax_.size())]));
                break;
            default:
                text[at] = syntax_[below(syntax_.size())];
            }
            if (text.empty()) text = " ";
        }
        return text;
    }

private:
    std::mt19937_64 random_{1}; // NOLINT: the same in every run
    std::string syntax_;
};

} // namespace iso::test
