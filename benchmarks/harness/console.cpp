#include "benchmarks/harness/console.hpp"

#include <charconv>
#include <utility>

namespace iso::bench {

namespace {

constexpr std::size_t k_noise_bytes = 4096;
constexpr std::size_t k_digits = 3; // of a status

} // namespace

void ConsoleFrame::feed(std::string_view bytes, std::string& program) {
    for (char const byte : bytes)
        take(byte, program);
}

void ConsoleFrame::take(char byte, std::string& program) {
    if (state_ == State::status) {
        if (byte != '\n') {
            if (digits_.size() <= k_digits) digits_ += byte;
            return;
        }
        int value = -1;
        auto const [end, problem] =
            std::from_chars(digits_.data(), digits_.data() + digits_.size(), value);
        if (problem == std::errc{} && end == digits_.data() + digits_.size() && value >= 0 &&
            digits_.size() <= k_digits)
            status_ = value;
        state_ = State::after;
        noise_ += '\n'; // the machine's words before the program and after it are not one line
        return;
    }
    if (state_ == State::after) return keep(byte);
    std::string_view const mark = state_ == State::before ? k_console_begin : k_console_end;
    if (byte == mark[matched_]) {
        if (++matched_ != mark.size()) return;
        matched_ = 0;
        state_ = state_ == State::before ? State::inside : State::status;
        return;
    }
    // What looked like the mark was not. Its first byte occurs in it once, so only this byte can
    // begin another.
    for (char const held : mark.substr(0, std::exchange(matched_, 0)))
        state_ == State::before ? keep(held) : void(program += held);
    if (byte == mark.front())
        matched_ = 1;
    else
        state_ == State::before ? keep(byte) : void(program += byte);
}

void ConsoleFrame::keep(char byte) {
    if (noise_.size() >= 2 * k_noise_bytes) noise_.erase(0, k_noise_bytes);
    noise_ += byte;
}

std::string ConsoleFrame::last_words() const {
    std::string line;
    std::string last;
    for (char const byte : noise_ + "\n") {
        if (byte == '\n') {
            bool const panic = last.find("Kernel panic") != std::string::npos;
            if (line.find_first_not_of(' ') != std::string::npos && !panic) last = line;
            line.clear();
        } else if (static_cast<unsigned char>(byte) >= 0x20 && byte != 0x7f && line.size() < 200) {
            line += byte;
        }
    }
    return last;
}

} // namespace iso::bench
