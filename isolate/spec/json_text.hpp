#pragma once

#include "common/json.hpp"
#include "common/result.hpp"

#include <string>
#include <string_view>

namespace iso::jail {

/// What a file that describes one jail may have, by far more than any real one has.
inline constexpr std::size_t k_max_json_bytes = std::size_t{4} << 20U;
inline constexpr std::size_t k_max_json_values = 200'000;
inline constexpr std::size_t k_max_json_depth = 32;

/// Parses JSON of unknown origin: bounded in length, depth and count of values, and no name twice
/// in one object (which one would count?). `where` begins the error.
Result<nlohmann::json> parse_json(std::string_view text, std::string const& where);

} // namespace iso::jail
