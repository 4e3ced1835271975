#include "benchmarks/report/references.hpp"

#include "benchmarks/report/embedded.hpp"
#include "common/json.hpp"

#include <algorithm>

namespace iso::bench::report {

using nlohmann::json;

namespace {

std::optional<double> optional_number(json const& in, char const* key) {
    if (!in.contains(key)) return {};
    return in.at(key).get<double>();
}

} // namespace

Source const* References::find(std::string const& source) const {
    auto const found = std::find_if(sources.begin(), sources.end(),
                                    [&](Source const& s) { return s.id == source; });
    return found == sources.end() ? nullptr : &*found;
}

Result<References> References::parse(std::string const& text) {
    json const in = json::parse(text, nullptr, false);
    if (!in.is_object()) return error("references", "not one JSON object");
    References references;
    try {
        for (json const& source : in.at("sources"))
            references.sources.push_back(
                {source.at("id"), source.at("citation"), source.at("data"), source.at("machine")});
        for (json const& figure : in.at("figures")) {
            Reference reference;
            figure.at("group").get_to(reference.group);
            figure.at("label").get_to(reference.label);
            figure.at("value").get_to(reference.value);
            reference.against = figure.value("against", "");
            figure.at("source").get_to(reference.source);
            reference.ratio = optional_number(figure, "ratio");
            reference.p50_ms = optional_number(figure, "p50_ms");
            reference.p99_ms = optional_number(figure, "p99_ms");
            reference.n = figure.value("n", 0U);
            if (references.find(reference.source) == nullptr)
                return error("references", "no source '" + reference.source + "'");
            references.figures.push_back(std::move(reference));
        }
    } catch (json::exception const& problem) {
        return error("references", problem.what());
    }
    return references;
}

Result<References> References::built_in() {
    return parse(k_references);
}

} // namespace iso::bench::report
