#pragma once

#include "common/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The forms that values of keys have. Errors have no `op`: the reader of the line knows it.
namespace iso::jail::form {

tl::unexpected<Error> wrong(std::string_view value, std::string const& cause,
                            std::string const& wanted);

/// A whole number from `least` to `most`.
Result<std::int64_t> integer(std::string_view text, std::int64_t least, std::int64_t most);
Result<std::uint64_t> whole(std::string_view text, std::uint64_t least, std::uint64_t most);
Result<std::uint32_t> id(std::string_view text);
/// Bits of a mode in octal, like 0644.
Result<std::uint32_t> mode(std::string_view text);
/// A size as "64M"; "unlimited" is nothing.
Result<std::optional<std::uint64_t>> size(std::string_view text);
Result<bool> yes_no(std::string_view text);
/// Some text, not empty.
Result<std::string> text(std::string_view value);
/// A path inside the jail: absolute, without "..".
Result<std::string> inside(std::string_view value);
/// A path of the host, made absolute from `base`.
Result<std::string> outside(std::string_view value, std::string const& base);
/// NAME=VALUE with a NAME.
Result<std::pair<std::string, std::string>> pair(std::string_view value);

/// One part of a value of parts: "size=16M", or "ro".
struct Part {
    std::string name;
    std::optional<std::string> value;
};
/// "a=b,c": parts at commas. A comma or backslash that belongs to a part follows a backslash.
Result<std::vector<Part>> parts(std::string_view value);
/// Writes parts such that parts() reads them.
class PartWriter {
public:
    PartWriter& add(std::string_view name, std::string_view value);
    PartWriter& add(std::string_view name);
    PartWriter& add_if(bool wanted, std::string_view name) { return wanted ? add(name) : *this; }
    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    void escaped(std::string_view text);
    std::string text_;
};

/// Names of capabilities at commas, "all" or "none".
Result<std::uint64_t> capabilities(std::string_view value);
std::string capabilities(std::uint64_t set);

/// What has no sign and may be missing: "unlimited" for a limit of all ones.
Result<std::uint64_t> amount(std::string_view text);
std::string amount(std::uint64_t value);

} // namespace iso::jail::form
