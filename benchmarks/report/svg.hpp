#pragma once

#include <string>
#include <string_view>

namespace iso::bench::report {

/// One picture. Colours, strokes and fonts are classes of style.css, so that the same picture is
/// right in light, in dark and on paper.
class Svg {
public:
    /// `id` is unique in the page. `title` and `description` are what a screen reader tells.
    Svg(std::string id, double width, std::string title, std::string description)
        : id_(std::move(id))
        , width_(width)
        , title_(std::move(title))
        , description_(std::move(description)) {}

    /// `hint` becomes the title of the shape: what a pointer that rests on it shows.
    void rect(double x, double y, double width, double height, std::string_view style,
              std::string_view hint = {});
    void line(double x1, double y1, double x2, double y2, std::string_view style);
    void path(std::string_view commands, std::string_view style, std::string_view hint = {});
    /// `style` names the anchor, too: "start" unless it has "mid" or "end".
    void text(double x, double y, std::string_view words, std::string_view style);
    /// The same, rising to the right.
    void rotated(double x, double y, std::string_view words, std::string_view style);
    void diamond(double x, double y, double radius, std::string_view style,
                 std::string_view hint = {});
    /// A whisker from low to high on a line at y.
    void interval(double low, double high, double y, double cap, std::string_view style = "ci");

    [[nodiscard]] double width() const { return width_; }

    /// The finished element. `style`: a class for the whole, or "".
    [[nodiscard]] std::string finish(double height, std::string_view style = {}) const;

private:
    std::string id_;
    double width_;
    std::string title_;
    std::string description_;
    std::string body_;
};

} // namespace iso::bench::report
