#pragma once

namespace iso::bench::report {

// Files of this folder that are part of the program (embedded.cpp.in).
extern char const* const k_references; ///< references.json
extern char const* const k_style;      ///< style.css

} // namespace iso::bench::report
