#include "benchmarks/harness/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace iso::bench {

namespace {

/// The first of the three variables that is set decides (POSIX XBD 8.2). None set, as in many
/// containers, says nothing about the terminal, and terminals of today show UTF-8.
bool locale_is_unicode() {
    for (char const* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        char const* const value = std::getenv(name);
        if (value == nullptr || *value == '\0') continue;
        return std::strstr(value, "UTF-8") != nullptr || std::strstr(value, "utf8") != nullptr;
    }
    return true;
}

} // namespace

TableStyle TableStyle::of_terminal(int fd) {
    TableStyle style;
    char const* const no_colour = std::getenv("NO_COLOR");
    char const* const kind = std::getenv("TERM");
    style.colour = ::isatty(fd) != 0 && (no_colour == nullptr || *no_colour == '\0') &&
                   kind != nullptr && std::strcmp(kind, "dumb") != 0;
    style.unicode = locale_is_unicode();
    return style;
}

std::size_t display_width(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0U) != 0x80; // not a continuation byte of UTF-8
    }));
}

std::string pad_left(std::string_view text, std::size_t width) {
    std::size_t const now = display_width(text);
    return std::string(now < width ? width - now : 0, ' ') + std::string(text);
}

std::string pad_right(std::string_view text, std::size_t width) {
    std::size_t const now = display_width(text);
    return std::string(text) + std::string(now < width ? width - now : 0, ' ');
}

std::string wrap(std::string_view text, std::size_t width, std::size_t indent) {
    std::string out;
    std::size_t column = 0;
    while (!text.empty()) {
        auto const blank = std::min(text.find(' '), text.size());
        std::string_view const word = text.substr(0, blank);
        std::size_t const size = display_width(word);
        if (column != 0 && column + 1 + size > width) {
            out += '\n' + std::string(indent, ' ');
            column = indent;
        } else if (column != 0) {
            out += ' ';
            ++column;
        }
        out += word;
        column += size;
        text.remove_prefix(std::min(blank + 1, text.size()));
    }
    return out + '\n';
}

std::string format_ns(double ns, TableStyle const& style) {
    struct Unit {
        double size;
        char const* name;
    };
    Unit const units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, style.micro()}, {1, "ns"}};
    for (Unit const& unit : units)
        if (std::abs(ns) >= unit.size || unit.size == 1) {
            double const value = ns / unit.size;
            double const size = std::abs(value);
            return fmt::format("{:.{}f} {}", value, size < 10 ? 2 : size < 100 ? 1 : 0, unit.name);
        }
    return {};
}

std::string format_rate(double bytes, double ns) {
    bool const large = bytes >= ns; // a byte in a nanosecond is a gigabyte in a second
    double const value = bytes / ns * (large ? 1 : 1000);
    return fmt::format("{:.{}f} {}", value,
                       value < 10    ? 2
                       : value < 100 ? 1
                                     : 0,
                       large ? "GB/s" : "MB/s");
}

std::string escape_xml(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (char const c : text) {
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        default:
            if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') out += c;
        }
    }
    return out;
}

int decimals_for(double value) {
    double const size = std::abs(value);
    return size < 2 ? 3 : size < 10 ? 2 : size < 100 ? 1 : 0;
}

} // namespace iso::bench
