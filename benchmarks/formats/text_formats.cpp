#include "benchmarks/formats/formats.hpp"
#include "benchmarks/harness/results_json.hpp"
#include "benchmarks/harness/table.hpp"
#include "benchmarks/harness/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace iso::bench {

namespace {

std::string effect_text(Cell const& cell) {
    if (!cell.effect()) return "no number";
    bool const ratio = cell.comparison != Comparison::added;
    std::string text =
        ratio ? fmt::format("{:.3f}", *cell.effect()) : fmt::format("{:+.2f} ms", *cell.effect());
    if (cell.ci_low && cell.ci_high)
        text += ratio ? fmt::format(" [{:.3f}, {:.3f}]", *cell.ci_low, *cell.ci_high)
                      : fmt::format(" [{:+.2f}, {:+.2f}]", *cell.ci_low, *cell.ci_high);
    return text;
}

std::string markdown_text(std::string text) {
    for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
        text.insert(at, "\\");
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

std::string place(Results const& results, WorkloadRecord const& workload, std::string const& metric,
                  EngineRecord const& engine) {
    Cell const* const cell = results.find(workload.name, metric, engine.name);
    if (cell == nullptr) return "";
    if (cell->status == Status::unavailable) return "n/a";
    if (cell->status != Status::ok) return fmt::format("**{}**", to_string(cell->status));
    bool const native = &engine == &results.engines.front();
    if (native) return fmt::format("{:.4g} {}", cell->median.value_or(0), cell->unit);
    return effect_text(*cell) + (cell->emulated ? " (emulated)" : "");
}

} // namespace

std::string to_junit(Results const& results) {
    std::size_t tests = 0;
    std::size_t failures = 0;
    std::size_t skipped = 0;
    std::string cases;
    for (Cell const& cell : results.cells) {
        if (!cell.deciding) continue;
        ++tests;
        cases +=
            fmt::format("  <testcase classname=\"{}.{}\" name=\"{}\">\n", escape_xml(cell.workload),
                        escape_xml(cell.engine), escape_xml(cell.metric));
        std::string const reason = escape_xml(cell.reason);
        if (cell.status == Status::ok) {
            cases += fmt::format("   <system-out>{}, n = {}</system-out>\n",
                                 escape_xml(effect_text(cell)), cell.n);
        } else if (cell.status == Status::unavailable) {
            ++skipped;
            cases += fmt::format("   <skipped message=\"{}\"/>\n", reason);
        } else {
            ++failures;
            cases += fmt::format("   <failure type=\"{}\" message=\"{}\"/>\n",
                                 to_string(cell.status), reason);
        }
        cases += "  </testcase>\n";
    }
    return fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n <testsuite name=\"isobench "
        "compare\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">\n{} </testsuite>\n"
        "</testsuites>\n",
        tests, failures, skipped, cases);
}

std::string to_markdown(Results const& results) {
    Environment const& machine = results.environment;
    std::string out =
        fmt::format("### What isolation costs\n\n{}, {}; KVM backend: {}\n\n",
                    machine.get("cpu.model"), machine.get("kernel"), machine.get("kvm.backend"));
    out += "| workload | metric |";
    std::string rule = "\n|---|---|";
    for (EngineRecord const& engine : results.engines) {
        out += fmt::format(" {} |", markdown_text(engine.name));
        rule += "---:|";
    }
    out += " n |" + rule + "---:|\n";
    for (WorkloadRecord const& workload : results.workloads) {
        std::string last;
        for (Cell const& cell : results.cells) {
            if (cell.workload != workload.name || !cell.deciding || cell.metric == last) continue;
            last = cell.metric;
            out += fmt::format("| {} | {} |", markdown_text(workload.name), cell.metric);
            for (EngineRecord const& engine : results.engines)
                out += fmt::format(" {} |", place(results, workload, cell.metric, engine));
            out += fmt::format(" {} |\n", cell.n);
        }
    }
    for (Cell const& cell : results.cells)
        if (cell.deciding && cell.status != Status::ok && cell.status != Status::unavailable)
            out += fmt::format("\n* **{}**: {} in {}: {}", to_string(cell.status), cell.workload,
                               cell.engine, markdown_text(cell.reason));
    out += "\n<details><summary>How to read this</summary>\n\nNative is a median; the other "
           "columns are "
           "ratios to native, or milliseconds more, with 95 % intervals, within blocks of one run. "
           "native "
           "(A/A) is native again: how small a difference can be seen.\n";
    for (EngineRecord const& engine : results.engines)
        if (!engine.usable)
            out += fmt::format("\n* {} cannot run here: {}", engine.name,
                               markdown_text(engine.reason));
    for (std::string const& warning : results.warnings)
        out += "\n* " + markdown_text(warning);
    return out + "\n\n</details>\n";
}

std::vector<std::string> const& format_names() {
    static std::vector<std::string> const names{"table",         "csv",   "json",    "gbench",
                                                "customsmaller", "junit", "markdown"};
    return names;
}

std::string format_results(Results const& results, std::string const& format) {
    if (format == "csv") return to_csv(results);
    if (format == "json") return to_json(results);
    if (format == "gbench") return to_google_benchmark(results);
    if (format == "customsmaller") return to_smaller_is_better(results);
    if (format == "junit") return to_junit(results);
    if (format == "markdown") return to_markdown(results);
    return render(results, TableStyle::of_terminal(1));
}

} // namespace iso::bench
