#include "isolate/spec/oci_object.hpp"

#include <fmt/format.h>

namespace iso::jail::oci {

namespace {

/// What a message shows of a value: no control characters, not too much.
std::string shown(json const& in) {
    std::string text = in.dump(-1, ' ', true, json::error_handler_t::replace);
    if (text.size() > 60) text = text.substr(0, 57) + "...";
    return text;
}

} // namespace

tl::unexpected<Error> wrong(std::string const& place, json const& in, std::string const& wanted) {
    return error(place, shown(in) + " is not " + wanted, wanted);
}

tl::unexpected<Error> unsupported(std::string const& place, std::string const& why) {
    return error(place, "isolate does not do this" + (why.empty() ? "" : ": " + why),
                 "without this field");
}

bool Value::says_something() const {
    if (!*this) return false;
    if (in_->is_boolean()) return in_->get<bool>();
    if (in_->is_number()) return *in_ != 0;
    if (in_->is_string()) return !in_->get_ref<std::string const&>().empty();
    return !in_->empty();
}

json const& Value::raw() const {
    static json const nothing;
    return in_ != nullptr ? *in_ : nothing;
}

Result<void> Value::there() const {
    if (*this) return {};
    return error(place_, "missing", "the field that the specification requires");
}

Result<std::string> Value::text() const {
    TRY(there());
    if (!in_->is_string()) return wrong(place_, *in_, "text");
    std::string text = in_->get<std::string>();
    if (text.find('\0') != text.npos) return wrong(place_, *in_, "text without a NUL byte");
    return text;
}

Result<std::string> Value::inside() const {
    std::string path = TRY(text());
    if (path.empty() || path.front() != '/') return wrong(place_, *in_, "an absolute path");
    if ((path + "/").find("/../") != path.npos)
        return wrong(place_, *in_, "a path without '..', which could lead out");
    return path;
}

Result<bool> Value::flag() const {
    TRY(there());
    if (!in_->is_boolean()) return wrong(place_, *in_, "true or false");
    return in_->get<bool>();
}

Result<std::int64_t> Value::number(std::int64_t least, std::int64_t most) const {
    TRY(there());
    bool fits = in_->is_number_integer();
    if (fits && in_->is_number_unsigned())
        fits = in_->get<std::uint64_t>() <=
               static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!fits || in_->get<std::int64_t>() < least || in_->get<std::int64_t>() > most)
        return wrong(place_, *in_, fmt::format("a whole number from {} to {}", least, most));
    return in_->get<std::int64_t>();
}

Result<std::uint64_t> Value::amount() const {
    TRY(there());
    if (!in_->is_number_unsigned()) return wrong(place_, *in_, "a whole number without a sign");
    return in_->get<std::uint64_t>();
}

Result<std::uint32_t> Value::id() const {
    return static_cast<std::uint32_t>(TRY(number(0, 0xfffffffe)));
}

Result<std::vector<Value>> Value::list() const {
    std::vector<Value> values;
    if (!*this) return values;
    if (!in_->is_array()) return wrong(place_, *in_, "a list");
    for (std::size_t i = 0; i < in_->size(); ++i)
        values.emplace_back(&(*in_)[i], fmt::format("{}[{}]", place_, i));
    return values;
}

Result<std::vector<std::string>> Value::texts() const {
    std::vector<std::string> texts;
    for (Value const& each : TRY(list()))
        texts.push_back(TRY(each.text()));
    return texts;
}

Result<std::map<std::string, std::string>> Value::text_map() const {
    std::map<std::string, std::string> map;
    if (!*this) return map;
    if (!in_->is_object()) return wrong(place_, *in_, "an object");
    for (auto const& [name, value] : in_->items()) {
        if (name.empty() || name.find('\0') != name.npos || name.find('=') != name.npos)
            return wrong(place_, name, "a name");
        map[name] = TRY(Value(&value, place_ + "." + name).text());
    }
    return map;
}

std::string Object::place_of(std::string const& name) const {
    return place_ + (place_.ends_with(' ') ? "" : ".") + name;
}

Result<Object> Object::create(Value const& value, std::vector<std::string>& notes) {
    if (value && !value.raw().is_object()) return wrong(value.place(), value.raw(), "an object");
    return Object(value ? &value.raw() : nullptr, value.place(), &notes);
}

Value Object::operator[](char const* name) {
    taken_.insert(name);
    bool const has = in_ != nullptr && in_->contains(name);
    return Value(has ? &(*in_)[name] : nullptr, place_of(name));
}

Result<void> Object::refuse(std::initializer_list<char const*> names, std::string const& why) {
    for (char const* name : names)
        if (Value const value = (*this)[name]; value.says_something())
            return unsupported(value.place(), why);
    return {};
}

void Object::note_unknown() const {
    if (in_ == nullptr) return;
    for (auto const& [name, value] : in_->items())
        if (!taken_.contains(name))
            notes_->push_back(place_of(name) +
                              ": unknown to the specification that isolate knows: ignored");
}

} // namespace iso::jail::oci
