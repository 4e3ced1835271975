#pragma once

#include "benchmarks/harness/text.hpp"

#include <string>
#include <vector>

namespace iso::bench {

/// One place in a table: a value that is aligned right, and an interval aligned left after it.
struct GridPlace {
    std::string value;
    std::string interval;
    bool loud = false;
};

struct GridLine {
    std::string section; ///< a title across the table; then nothing else
    std::string label;
    std::vector<GridPlace> places;
    std::string n; ///< in a narrow column of its own at the end
};

struct GridColumn {
    std::string name;
    std::string below; ///< a second line of the header
};

/// A table of numbers with intervals, as wide as the terminal.
struct Grid {
    std::vector<GridColumn> columns;
    std::vector<GridLine> lines;
    std::size_t pinned = 0; ///< so many columns stand in every block
};

/// When it is too wide the intervals go under their values; when it still is, the columns are shown
/// in several blocks below each other, the pinned ones in each.
std::string render_grid(Grid const& grid, TableStyle const& style);

} // namespace iso::bench
