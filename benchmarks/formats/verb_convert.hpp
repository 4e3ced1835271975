#pragma once

#include "common/result.hpp"

#include <string>

namespace iso::bench {

/// `isobench convert FILE`: a result file in another format.
struct ConvertOptions {
    std::string file;
    std::string format = "table";
    std::string output; ///< instead of stdout
};

Result<int> verb_convert(ConvertOptions const& options);

} // namespace iso::bench
