#include "common/units.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace iso {

Result<std::uint64_t> parse_bytes(std::string_view text) {
    std::string const op = "size '" + std::string(text) + "'";
    char const* const form = "a number with K, M, G or T, for example 64M";
    std::uint64_t value = 0;
    auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec == std::errc::result_out_of_range) return error(op, "too large", form);
    if (ec != std::errc{}) return error(op, "not a size", form);
    unsigned shift = 0;
    std::string_view const unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    if (unit.size() > 1) return error(op, "not a size", form);
    if (!unit.empty()) {
        switch (unit.front()) {
        case 'k':
        case 'K':
            shift = 10;
            break;
        case 'm':
        case 'M':
            shift = 20;
            break;
        case 'g':
        case 'G':
            shift = 30;
            break;
        case 't':
        case 'T':
            shift = 40;
            break;
        default:
            return error(op, "unknown unit", form);
        }
    }
    if (shift != 0 && value > (std::numeric_limits<std::uint64_t>::max() >> shift))
        return error(op, "too large", form);
    return value << shift;
}

Result<std::uint64_t> parse_duration_ns(std::string_view text) {
    std::string const op = "duration '" + std::string(text) + "'";
    char const* const form = "a number with ns, us, ms, s, m or h, for example 1.5s";
    double value = 0;
    auto const [end, ec] =
        std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (ec != std::errc{} || !std::isfinite(value) || value < 0)
        return error(op, "not a duration", form);
    std::string_view const unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    double scale = 0;
    if (unit.empty() || unit == "s")
        scale = 1e9;
    else if (unit == "ns")
        scale = 1;
    else if (unit == "us")
        scale = 1e3;
    else if (unit == "ms")
        scale = 1e6;
    else if (unit == "m")
        scale = 60e9;
    else if (unit == "h")
        scale = 3600e9;
    else
        return error(op, "unknown unit", form);
    double const ns = value * scale;
    if (ns >= 9.2e18) return error(op, "too long", form);
    // 0 means "none" wherever a duration is taken: a tiny one must not become it.
    return value > 0 ? std::max<std::uint64_t>(static_cast<std::uint64_t>(ns), 1) : 0;
}

} // namespace iso
