#include "isolate/spec/json_text.hpp"

#include <fmt/format.h>

#include <set>
#include <vector>

namespace iso::jail {

namespace {

using nlohmann::json;

/// Looks at a document as it comes, before any of it is kept: what is too deep or too much is
/// refused without having been built.
class JsonGuard : public nlohmann::json_sax<json> {
public:
    bool null() override { return count(); }
    bool boolean(bool) override { return count(); }
    bool number_integer(number_integer_t) override { return count(); }
    bool number_unsigned(number_unsigned_t) override { return count(); }
    bool number_float(number_float_t, string_t const&) override { return count(); }
    bool string(string_t&) override { return count(); }
    bool binary(binary_t&) override { return count(); }
    bool start_object(std::size_t) override {
        names_.emplace_back();
        return deeper();
    }
    bool key(string_t& name) override {
        if (names_.back().insert(name).second) return count();
        return fail("the name '" + name.substr(0, 60) + "' stands twice in one object");
    }
    bool end_object() override {
        names_.pop_back();
        --depth_;
        return true;
    }
    bool start_array(std::size_t) override { return deeper(); }
    bool end_array() override {
        --depth_;
        return true;
    }
    bool parse_error(std::size_t at, std::string const&,
                     nlohmann::detail::exception const& problem) override {
        // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ..."
        std::string_view what = problem.what();
        if (auto const end = what.find("] "); end != std::string_view::npos)
            what.remove_prefix(end + 2);
        return fail(fmt::format("{} (byte {})", what.substr(0, 300), at));
    }
    [[nodiscard]] std::string const& problem() const { return problem_; }

private:
    bool fail(std::string text) {
        problem_ = std::move(text);
        return false;
    }
    bool count() {
        if (++values_ <= k_max_json_values) return true;
        return fail(fmt::format("more than {} values", k_max_json_values));
    }
    bool deeper() {
        if (++depth_ <= k_max_json_depth) return count();
        return fail(fmt::format("nested more than {} deep", k_max_json_depth));
    }

    std::size_t values_ = 0, depth_ = 0;
    std::vector<std::set<std::string>> names_;
    std::string problem_;
};

} // namespace

Result<json> parse_json(std::string_view text, std::string const& where) {
    if (text.size() > k_max_json_bytes)
        return error(where,
                     fmt::format("{} bytes; at most {} are read", text.size(), k_max_json_bytes),
                     "a smaller file");
    JsonGuard guard;
    if (!json::sax_parse(text, &guard)) return error(where, guard.problem(), "valid JSON");
    json value = json::parse(text, nullptr, false);
    if (value.is_discarded()) return error(where, "not JSON", "valid JSON");
    return value;
}

} // namespace iso::jail
