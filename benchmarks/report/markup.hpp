#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace iso::bench::report {

/// A coordinate: one decimal, none when it is 0.
std::string coordinate(double value);

/// A number as the tables show it: three or four digits that mean something, never exponents for
/// what people count in ("1842", "46.7", "1.003", "0.00012").
std::string figure_of(double value);

/// Milliseconds with their sign: "+1.94".
std::string signed_figure(double value);

/// "a few words, so" as part of an id: lower-case letters, digits and dashes.
std::string slug(std::string_view text);

/// A table for people: the first column heads its row, and the caption says what it holds.
class Table {
public:
    struct Column {
        std::string title;
        bool number = false; ///< aligned right
    };

    Table(std::string caption, std::vector<Column> columns)
        : caption_(std::move(caption))
        , columns_(std::move(columns)) {}

    /// One row; missing cells stay empty. The text is escaped here.
    void add(std::vector<std::string> const& cells);
    [[nodiscard]] bool empty() const { return rows_.empty(); }

    /// The table in a box of its own that scrolls sideways when the window is narrower.
    [[nodiscard]] std::string box() const;

private:
    std::string caption_;
    std::vector<Column> columns_;
    std::string rows_;
};

/// What a person may open: closed on the screen, printed in full.
std::string details(std::string_view summary, std::string const& body);

/// A chart with its caption, a note for the reader, and the numbers behind it.
std::string figure(std::string_view id, std::string_view caption, std::string_view note,
                   std::string const& picture, Table const& data);

} // namespace iso::bench::report
