#include "isolate/spec/key_values.hpp"

#include "common/units.hpp"
#include "isolate/spec/names.hpp"

#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace iso::jail::form {

tl::unexpected<Error> wrong(std::string_view value, std::string const& cause,
                            std::string const& wanted) {
    // What a message quotes is shown, not sent to the terminal: control characters become '?'.
    std::string shown(value.substr(0, 80));
    for (char& c : shown)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    return error("", "'" + shown + "'" + (value.size() > 80 ? "... " : " ") + cause, wanted);
}

namespace {

template <typename Number>
Result<Number> number(std::string_view text, Number least, Number most) {
    Number value = 0;
    auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || end != text.data() + text.size() || value < least || value > most)
        return wrong(text, "is not allowed",
                     fmt::format("a whole number from {} to {}", least, most));
    return value;
}

} // namespace

Result<std::int64_t> integer(std::string_view text, std::int64_t least, std::int64_t most) {
    return number(text, least, most);
}
Result<std::uint64_t> whole(std::string_view text, std::uint64_t least, std::uint64_t most) {
    return number(text, least, most);
}
Result<std::uint32_t> id(std::string_view text) {
    // 2^32 - 1 means "no id" to the kernel (setresuid(2)).
    return number<std::uint32_t>(text, 0, std::numeric_limits<std::uint32_t>::max() - 1);
}

Result<std::uint32_t> mode(std::string_view text) {
    std::uint32_t value = 0;
    auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
    if (problem != std::errc{} || end != text.data() + text.size() || value > 07777)
        return wrong(text, "is no mode", "octal digits like 0644");
    return value;
}

Result<std::optional<std::uint64_t>> size(std::string_view text) {
    if (text == "unlimited") return std::optional<std::uint64_t>();
    auto const bytes = parse_bytes(text);
    if (!bytes) return wrong(text, "is " + bytes.error().cause, bytes.error().hint);
    return std::optional(*bytes);
}

Result<bool> yes_no(std::string_view text) {
    if (text == "yes" || text == "no") return text == "yes";
    return wrong(text, "is neither yes nor no", "yes or no");
}

Result<std::string> text(std::string_view value) {
    if (value.empty()) return wrong(value, "is empty", "some text");
    if (value.find('\0') != value.npos) return wrong(value, "has a NUL byte", "text without it");
    return std::string(value);
}

Result<std::string> inside(std::string_view value) {
    char const* const wanted = "an absolute path inside the jail, like /srv";
    std::string path = TRY(text(value));
    if (path.front() != '/') return wrong(value, "is not an absolute path", wanted);
    if ((path + "/").find("/../") != path.npos) return wrong(value, "has a '..' in it", wanted);
    return path;
}

Result<std::string> outside(std::string_view value, std::string const& base) {
    std::string path = TRY(text(value));
    if (path.front() == '/') return path;
    if (path.starts_with("./")) path.erase(0, 2);
    if (path == "." || path.empty()) return base;
    return (base == "/" ? base : base + "/") + path;
}

Result<std::pair<std::string, std::string>> pair(std::string_view value) {
    TRY(text(value));
    auto const equals = value.find('=');
    if (equals == value.npos || equals == 0) return wrong(value, "is not NAME=VALUE", "NAME=VALUE");
    return std::pair{std::string(value.substr(0, equals)), std::string(value.substr(equals + 1))};
}

Result<std::vector<Part>> parts(std::string_view value) {
    TRY(text(value));
    std::vector<Part> found(1);
    for (std::size_t i = 0; i < value.size(); ++i) {
        Part& part = found.back();
        char c = value[i];
        if (c == ',') {
            found.emplace_back();
            continue;
        }
        if (c == '=' && !part.value) {
            part.value.emplace();
            continue;
        }
        if (c == '\\') {
            if (++i == value.size())
                return wrong(value, "ends with a backslash", "\\\\ for a backslash");
            c = value[i];
        }
        (part.value ? *part.value : part.name) += c;
    }
    for (Part const& part : found)
        if (part.name.empty()) return wrong(value, "has an empty part", "NAME=VALUE,NAME,...");
    return found;
}

void PartWriter::escaped(std::string_view text) {
    for (char const c : text) {
        if (c == ',' || c == '\\') text_ += '\\';
        text_ += c;
    }
}
PartWriter& PartWriter::add(std::string_view name) {
    if (!text_.empty()) text_ += ',';
    escaped(name);
    return *this;
}
PartWriter& PartWriter::add(std::string_view name, std::string_view value) {
    add(name);
    text_ += '=';
    escaped(value);
    return *this;
}

Result<std::uint64_t> capabilities(std::string_view value) {
    if (value == "none") return std::uint64_t{0};
    if (value == "all") return all_capabilities();
    std::uint64_t set = 0;
    for (Part const& part : TRY(parts(value))) {
        auto const bit = capability_number(part.name);
        if (!bit || part.value)
            return wrong(part.name, "is no capability",
                         "names of capabilities(7) at commas like chown,net_raw, or all, or none");
        set |= std::uint64_t{1} << *bit;
    }
    return set;
}

std::string capabilities(std::uint64_t set) {
    if (set == 0) return "none";
    if (set == all_capabilities()) return "all";
    PartWriter writer;
    for (unsigned bit = 0; bit < 64; ++bit)
        if ((set >> bit & 1U) != 0) writer.add(capability_name(bit));
    return writer.take();
}

Result<std::uint64_t> amount(std::string_view text) {
    return TRY(size(text)).value_or(std::numeric_limits<std::uint64_t>::max());
}
std::string amount(std::uint64_t value) {
    return value == std::numeric_limits<std::uint64_t>::max() ? "unlimited" : std::to_string(value);
}

} // namespace iso::jail::form
