#include "benchmarks/harness/grid.hpp"
#include "tests/support/catch.hpp"

#include <sstream>

namespace {

using namespace iso::bench;

Grid sample(std::size_t columns) {
    Grid grid;
    grid.pinned = 1;
    GridLine line;
    line.label = "row";
    line.n = "9";
    for (std::size_t i = 0; i < columns; ++i) {
        grid.columns.push_back({"column" + std::to_string(i), "below"});
        line.places.push_back({std::to_string(i) + ".00", i == 0 ? "" : "[0.90, 1.10]", false});
    }
    GridLine title;
    title.section = "A section";
    grid.lines = {title, line};
    return grid;
}

std::size_t widest(std::string const& text) {
    std::istringstream lines(text);
    std::size_t width = 0;
    for (std::string line; std::getline(lines, line);)
        width = std::max(width, display_width(line));
    return width;
}

std::size_t count(std::string const& text, std::string const& what) {
    std::size_t found = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
        ++found;
    return found;
}

} // namespace

TEST_CASE("a table that fits stands on one line per row") {
    std::string const text = render_grid(sample(3), {false, true, 100});
    CHECK(text == "       column0            column1            column2    n\n"
                  "         below              below              below\n"
                  "A section\n"
                  "  row     0.00  1.00 [0.90, 1.10]  2.00 [0.90, 1.10]    9\n");
}

TEST_CASE("a table with many columns is shown in blocks, each with the first column") {
    std::string const text = render_grid(sample(17), {false, true, 80});
    INFO(text);
    CHECK(widest(text) <= 80 + 10); // a column more is better than a second block
    for (int i = 1; i < 17; ++i)
        CHECK(count(text, " column" + std::to_string(i) + (i == 1 ? " " : "")) == 1);
    CHECK(count(text, "column0") == count(text, "A section"));
    CHECK(count(text, "A section") > 1);
    CHECK(count(text, "[0.90, 1.10]") == 16);
}

TEST_CASE("a terminal narrower than two columns still shows every column") {
    std::string const text = render_grid(sample(4), {false, true, 10});
    for (int i = 1; i < 4; ++i)
        CHECK(count(text, "column" + std::to_string(i)) == 1);
}
