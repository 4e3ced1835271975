#include "benchmarks/harness/grid.hpp"

#include <algorithm>
#include <numeric>

namespace iso::bench {

namespace {

constexpr char const* k_gap = "  ";
constexpr std::size_t k_gap_width = 2;
constexpr std::size_t k_n_width = 5;
// So much wider than text a block may be: better than a second block for the last column.
constexpr std::size_t k_slack = 10;

using Columns = std::vector<std::size_t>;

std::string trimmed(std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
}

struct Widths {
    std::size_t label = 0;
    std::vector<std::size_t> value;
    std::vector<std::size_t> interval;
    std::vector<std::size_t> header;
    bool two_lines = false; ///< intervals under their values

    [[nodiscard]] std::size_t column(std::size_t i) const {
        std::size_t const one_line = value[i] + (interval[i] == 0 ? 0 : 1 + interval[i]);
        return std::max(header[i], two_lines ? std::max(value[i], interval[i]) : one_line);
    }
    [[nodiscard]] std::size_t whole(Columns const& columns) const {
        return std::accumulate(
            columns.begin(), columns.end(), label + k_n_width,
            [&](std::size_t sum, std::size_t i) { return sum + k_gap_width + column(i); });
    }
};

Widths measure(Grid const& grid) {
    Widths widths;
    for (std::size_t i = 0; i < grid.columns.size(); ++i) {
        widths.value.push_back(0);
        widths.interval.push_back(0);
        widths.header.push_back(
            std::max(display_width(grid.columns[i].name), display_width(grid.columns[i].below)));
        for (GridLine const& line : grid.lines) {
            if (i >= line.places.size()) continue;
            widths.value[i] = std::max(widths.value[i], display_width(line.places[i].value));
            widths.interval[i] =
                std::max(widths.interval[i], display_width(line.places[i].interval));
        }
    }
    for (GridLine const& line : grid.lines)
        widths.label = std::max(widths.label, display_width(line.label) + 2);
    return widths;
}

/// As many columns in each block as fit; at least one beside the pinned ones.
std::vector<Columns> blocks_of(Grid const& grid, Widths const& widths, std::size_t width) {
    Columns pinned(std::min(grid.pinned, grid.columns.size()));
    std::iota(pinned.begin(), pinned.end(), std::size_t{0});
    std::vector<Columns> blocks{pinned};
    for (std::size_t i = pinned.size(); i < grid.columns.size(); ++i) {
        Columns wider = blocks.back();
        wider.push_back(i);
        if (blocks.back().size() > pinned.size() && widths.whole(wider) > width) {
            blocks.push_back(pinned);
            blocks.back().push_back(i);
        } else {
            blocks.back() = std::move(wider);
        }
    }
    return blocks;
}

std::string render_block(Grid const& grid, Widths const& widths, Columns const& columns,
                         TableStyle const& style) {
    std::string names = std::string(widths.label, ' ');
    std::string below = names;
    for (std::size_t const i : columns) {
        names += k_gap + pad_left(grid.columns[i].name, widths.column(i));
        below += k_gap + pad_left(grid.columns[i].below, widths.column(i));
    }
    std::string out =
        style.bold(names + pad_left("n", k_n_width)) + "\n" + trimmed(style.dim(below));
    for (GridLine const& line : grid.lines) {
        if (!line.section.empty()) {
            out += style.bold(line.section) + "\n";
            continue;
        }
        std::string first = pad_right("  " + line.label, widths.label);
        std::string second = std::string(widths.label, ' ');
        for (std::size_t const i : columns) {
            if (i >= line.places.size()) continue;
            GridPlace const& place = line.places[i];
            std::string text = place.value;
            if (!widths.two_lines && widths.interval[i] != 0)
                text = place.value + " " + pad_left(place.interval, widths.interval[i]);
            std::string const padded = pad_left(text, widths.column(i));
            first += k_gap + (place.loud ? style.alarm(padded) : padded);
            second += k_gap + pad_left(place.interval, widths.column(i));
        }
        out += trimmed(first + pad_left(line.n, k_n_width));
        if (widths.two_lines && second.find_first_not_of(' ') != std::string::npos)
            out += trimmed(style.dim(second));
    }
    return out;
}

} // namespace

std::string render_grid(Grid const& grid, TableStyle const& style) {
    Widths widths = measure(grid);
    Columns all(grid.columns.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    widths.two_lines = widths.whole(all) > style.width;
    std::string out;
    for (Columns const& columns : blocks_of(grid, widths, style.width + k_slack))
        out += (out.empty() ? "" : "\n") + render_block(grid, widths, columns, style);
    return out;
}

} // namespace iso::bench
