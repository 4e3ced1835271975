// Several results on one page: beside each other, never averaged.
#include "benchmarks/report/markup.hpp"
#include "benchmarks/report/parts.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace iso::bench::report {

std::string side_by_side(std::vector<Input> const& inputs, std::vector<Part>& contents) {
    Table table("The results on this page", {{"file"},
                                             {"date"},
                                             {"machine"},
                                             {"kernel"},
                                             {"KVM backend"},
                                             {"comparison"},
                                             {"complete"},
                                             {"beside the first"}});
    for (Input const& input : inputs) {
        Results const& results = input.results;
        auto const other = differences(inputs.front().results, results);
        table.add({input.name, results.environment.get("date"),
                   results.environment.get("cpu.model"), results.environment.get("kernel"),
                   results.environment.get("kvm.backend"),
                   fmt::format("{}, seed {}", results.mode, results.seed),
                   results.complete() ? "yes" : "no",
                   &input == &inputs.front() ? ""
                   : other.empty()           ? "same machine, same bytes"
                                             : fmt::format("{}", fmt::join(other, "; "))});
    }
    contents.push_back({"files", "The results"});
    return "<section aria-labelledby=\"files\">\n<h2 id=\"files\">The results</h2>\n"
           "<p class=\"lead\">Each stands for itself: nothing on this page is an average over "
           "files. Where the machine or the bytes differ, only ratios may be looked at side by "
           "side, and with care.</p>\n" +
           table.box() + "</section>\n";
}

} // namespace iso::bench::report
