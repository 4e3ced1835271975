#pragma once

#include "common/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace iso {

inline constexpr std::uint64_t k_mib = std::uint64_t{1} << 20U;

/// Reads a size: digits and an optional K, M, G or T (powers of 1024, case does not matter).
/// Errors: anything else, zero digits, overflow of 64 bits.
Result<std::uint64_t> parse_bytes(std::string_view text);

/// Reads a duration and returns nanoseconds: digits with an optional fraction and an optional
/// unit ns, us, ms, s, m or h; seconds without a unit, as timeout(1) does.
Result<std::uint64_t> parse_duration_ns(std::string_view text);

} // namespace iso
