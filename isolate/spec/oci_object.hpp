#pragma once

#include "common/json.hpp"
#include "common/result.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// Reading OCI's config.json: each field is taken by its name, with what it is called in full.
namespace iso::jail::oci {

using nlohmann::json;

tl::unexpected<Error> wrong(std::string const& place, json const& in, std::string const& wanted);
/// For what the specification has and isolate does not do.
tl::unexpected<Error> unsupported(std::string const& place, std::string const& why = {});

/// One value with its place: "config.json: linux.resources.memory".
class Value {
public:
    Value(json const* in, std::string place)
        : in_(in)
        , place_(std::move(place)) {}

    /// Whether the field is there; null counts as not there, as Go's encoders write it.
    explicit operator bool() const { return in_ != nullptr && !in_->is_null(); }
    [[nodiscard]] json const& raw() const;
    [[nodiscard]] std::string const& place() const { return place_; }
    /// Whether it says anything: not absent, empty, 0 or false.
    [[nodiscard]] bool says_something() const;

    // What these are asked of must be there; of lists and maps, nothing is an empty one.
    [[nodiscard]] Result<std::string> text() const;
    /// A path: absolute, without "..".
    [[nodiscard]] Result<std::string> inside() const;
    [[nodiscard]] Result<bool> flag() const;
    [[nodiscard]] Result<std::int64_t> number(std::int64_t least, std::int64_t most) const;
    [[nodiscard]] Result<std::uint64_t> amount() const;
    [[nodiscard]] Result<std::uint32_t> id() const;
    [[nodiscard]] Result<std::vector<Value>> list() const;
    [[nodiscard]] Result<std::vector<std::string>> texts() const;
    [[nodiscard]] Result<std::map<std::string, std::string>> text_map() const;

    /// Errors: it is not there.
    [[nodiscard]] Result<void> there() const;

private:
    json const* in_;
    std::string place_;
};

/// An object whose fields are taken one by one; what nobody took is unknown.
class Object {
public:
    /// Errors: not an object. An absent value is an object without fields.
    static Result<Object> create(Value const& value, std::vector<std::string>& notes);

    Value operator[](char const* name);
    /// Refuses fields that the specification has and isolate does not do, if they say anything.
    Result<void> refuse(std::initializer_list<char const*> names, std::string const& why = {});
    /// Notes what was not taken: config.md, "Extensibility", forbids an error.
    void note_unknown() const;
    [[nodiscard]] std::vector<std::string>& notes() const { return *notes_; }

private:
    Object(json const* in, std::string place, std::vector<std::string>* notes)
        : in_(in)
        , place_(std::move(place))
        , notes_(notes) {}
    [[nodiscard]] std::string place_of(std::string const& name) const;

    json const* in_;
    std::string place_;
    std::vector<std::string>* notes_;
    std::set<std::string> taken_;
};

} // namespace iso::jail::oci
