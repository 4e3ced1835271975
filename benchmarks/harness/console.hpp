#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace iso::bench {

// What benchmarks/peers/init writes around a program's output. The first byte occurs once in each.
inline constexpr std::string_view k_console_begin = "\x1eisolab begin\n";
inline constexpr std::string_view k_console_end = "\x1eisolab end "; ///< then the status, then "\n"

/// Takes a program's own bytes out of what came over the console of the machine that it ran in.
/// The kernel's messages before and after are not the program's; the last of them are kept, as they
/// are what is known of a machine that did not come up.
class ConsoleFrame {
public:
    /// Takes what came next; appends to `program` what the program wrote.
    void feed(std::string_view bytes, std::string& program);

    /// What the program ended with; nothing when its end was not announced.
    [[nodiscard]] std::optional<int> status() const { return status_; }
    [[nodiscard]] bool begun() const { return state_ != State::before; }
    /// The last line of the machine's own words, or the one that tells of its panic; without what a
    /// terminal would act on.
    [[nodiscard]] std::string last_words() const;

private:
    enum class State { before, inside, status, after };

    void take(char byte, std::string& program);
    void keep(char byte);

    State state_ = State::before;
    std::size_t matched_ = 0; ///< of the mark that ends this state
    std::string digits_;
    std::optional<int> status_;
    std::string noise_;
};

} // namespace iso::bench
