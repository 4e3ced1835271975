#pragma once

#include "common/json.hpp"

#include <algorithm>
#include <string>

namespace iso::test {

inline bool is_of_type(nlohmann::json const& value, std::string const& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "null") return value.is_null();
    if (type == "integer") return value.is_number_integer();
    return type == "number" && value.is_number();
}

/// What is wrong with a value, by the few keywords of JSON Schema that our schemas use, one after
/// the other; empty: nothing. A keyword that is not known here is a fault: it must not be passed
/// over.
inline std::string fault(nlohmann::json const& schema, nlohmann::json const& value,
                         std::string const& where);

inline std::string fault_inside(nlohmann::json const& schema, nlohmann::json const& value,
                                std::string const& where) {
    if (value.is_array() && schema.contains("items"))
        for (std::size_t i = 0; i < value.size(); ++i)
            if (auto text = fault(schema.at("items"), value[i], where + "/" + std::to_string(i));
                !text.empty())
                return text;
    if (!value.is_object()) return {};
    nlohmann::json const known = schema.value("properties", nlohmann::json::object());
    for (auto const& [key, member] : value.items()) {
        nlohmann::json const* const rule = known.contains(key) ? &known.at(key)
                                           : schema.contains("additionalProperties")
                                               ? &schema.at("additionalProperties")
                                               : nullptr;
        if (rule == nullptr) continue;
        if (auto text = fault(*rule, member, where + "/" + key); !text.empty()) return text;
    }
    return {};
}

inline std::string fault(nlohmann::json const& schema, nlohmann::json const& value,
                         std::string const& where) {
    for (auto const& [keyword, rule] : schema.items()) {
        bool good = true;
        if (keyword == "type") {
            good = false;
            for (nlohmann::json const& type :
                 rule.is_array() ? rule : nlohmann::json::array({rule}))
                good |= is_of_type(value, type.get<std::string>());
        } else if (keyword == "const") {
            good = value == rule;
        } else if (keyword == "enum") {
            good = std::find(rule.begin(), rule.end(), value) != rule.end();
        } else if (keyword == "minimum") {
            good = !value.is_number() || value.get<double>() >= rule.get<double>();
        } else if (keyword == "minItems") {
            good = !value.is_array() || value.size() >= rule.get<std::size_t>();
        } else if (keyword == "required") {
            if (value.is_object())
                for (nlohmann::json const& key : rule)
                    if (!value.contains(key.get<std::string>()))
                        return where + " lacks " + key.dump();
        } else if (keyword != "items" && keyword != "properties" &&
                   keyword != "additionalProperties" && keyword != "$schema" &&
                   keyword != "title" && keyword != "description") {
            return "the schema has a keyword that this test does not know: " + keyword;
        }
        if (!good) return where + ": " + keyword + " " + rule.dump() + " refuses " + value.dump();
    }
    return fault_inside(schema, value, where);
}

} // namespace iso::test
