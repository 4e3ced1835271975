#include "benchmarks/report/parts.hpp"

#include "benchmarks/harness/text.hpp"
#include "benchmarks/report/charts.hpp"
#include "benchmarks/report/markup.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace iso::bench::report {

namespace {

/// Adds sections one below the other, each with its heading, to a page and its contents.
class Sections {
public:
    Sections(View const& view, std::vector<Part>& contents, int level)
        : view_(view)
        , contents_(contents)
        , level_(level) {}

    void add(std::string const& name, std::string const& title, std::string const& words,
             std::string const& body) {
        if (body.empty()) return;
        std::string const id = view_.id(name);
        contents_.push_back({id, title});
        text_ += fmt::format("<section aria-labelledby=\"{0}\">\n<h{1} id=\"{0}\">{2}</h{1}>\n", id,
                             level_, escape_xml(title));
        if (!words.empty()) text_ += "<p class=\"lead\">" + escape_xml(words) + "</p>\n";
        text_ += body + "</section>\n";
    }

    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    View const& view_;
    std::vector<Part>& contents_;
    int level_;
    std::string text_;
};

std::string grid(std::string const& charts) {
    return charts.empty() ? std::string() : "<div class=\"grid\">\n" + charts + "</div>\n";
}

std::string ratio_charts(View const& view, References const& references) {
    std::string charts;
    for (Section const& section : view.sections) {
        bool const density =
            std::all_of(section.rows.begin(), section.rows.end(),
                        [](Row const& row) { return row.workload->kind == Kind::density; });
        if (!density)
            charts += ratio_chart(view, section, references); // that has charts of its own
    }
    return grid(charts);
}

std::string density_charts(View const& view) {
    std::string charts;
    for (WorkloadRecord const& workload : view.results.workloads)
        if (workload.kind == Kind::density)
            charts += instance_chart(view, workload) + grid(memory_chart(view, workload));
    return charts;
}

std::string start_charts(View const& view, References const& references) {
    std::string charts;
    for (WorkloadRecord const& workload : view.results.workloads)
        if (workload.kind == Kind::start_up || workload.kind == Kind::program)
            charts += start_chart(view, workload, references);
    return charts;
}

std::string block_charts(View const& view) {
    std::string charts;
    for (Section const& section : view.sections)
        for (Row const& row : section.rows)
            charts += block_chart(view, row);
    return grid(charts);
}

constexpr char const* k_ratios =
    "Bars begin at native and end at the median over blocks; the line across the end is the 95 % "
    "bootstrap interval. The grey band is native against itself: what lies in it cannot be told "
    "from "
    "noise. Hatched bars went through instruction emulation: the price of that host, not of "
    "hardware. Diamonds are published figures from other machines: for orientation, not to expect.";
constexpr char const* k_overhead =
    "The extra time of one operation over native, divided by cause: how much oftener something "
    "happened than natively (counted in the same runs) times what the host charged for one of it "
    "(measured in the same run). The grey rest is the residual: time that no count explains. It is "
    "not noise alone: work that nothing counts is in it, and what the counted things cost beyond "
    "the simplest case that was priced. More than 100 % explained means that they were cheaper "
    "here "
    "than that. Operations that cannot be told from native's are left out.";
constexpr char const* k_blocks =
    "Every block is one point: its ratio to native beside the engine's median, in the order of "
    "measuring. A drift or a step here is the machine's, and makes the numbers above doubtful; "
    "triangles lie outside of the lane.";

} // namespace

std::string navigation(std::vector<Part> const& contents) {
    std::string items;
    for (Part const& part : contents)
        items += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", part.id, escape_xml(part.title));
    return "<nav aria-label=\"Contents\"><ul>\n" + items + "</ul></nav>\n";
}

std::string one_result(View const& view, References const& references, std::vector<Part>& contents,
                       int level) {
    Sections sections(view, contents, level);
    sections.add("short", "In short", "", in_short(view));
    sections.add("troubles", "What to know first", "", troubles(view));
    sections.add("ratios", "What each engine costs", k_ratios, ratio_charts(view, references));
    sections.add("glance", "At a glance", "", heat_map(view));
    sections.add("starting", "Starting and stopping", "", start_charts(view, references));
    sections.add("density", "Many instances", "", density_charts(view));
    sections.add("why", "Where the time goes", k_overhead, overhead_chart(view));
    sections.add("blocks", "Every block", k_blocks, block_charts(view));
    sections.add("machine", "The machine and the method", "", machine_in_full(view));
    return sections.take();
}

std::string published(References const& references, std::vector<Part>& contents) {
    Table table(
        "Published figures, drawn as diamonds",
        {{"figure"}, {"part"}, {"value"}, {"native there"}, {"times native", true}, {"source"}});
    for (Reference const& reference : references.figures) {
        Source const* const source = references.find(reference.source);
        auto const at = source - references.sources.data();
        table.add({reference.label, reference.group, reference.value, reference.against,
                   reference.ratio ? figure_of(*reference.ratio) : "",
                   fmt::format("[{}]", at + 1)});
    }
    std::string list;
    for (Source const& source : references.sources)
        list += fmt::format("<li>{}. Machine: {}. Data: {}.</li>\n", escape_xml(source.citation),
                            escape_xml(source.machine), escape_xml(source.data));
    contents.push_back({"published", "Published figures"});
    return "<section aria-labelledby=\"published\">\n<h2 id=\"published\">Published figures</h2>\n"
           "<p class=\"lead\">Old machines, other kernels, other definitions: they say what is "
           "usual, not what this machine should show. Throughputs are turned into times.</p>\n" +
           table.box() + "<ol class=\"sources\">\n" + list + "</ol>\n</section>\n";
}

} // namespace iso::bench::report
