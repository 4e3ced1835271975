#include "benchmarks/harness/list_text.hpp"

#include "benchmarks/harness/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unistd.h>

namespace iso::bench {

namespace {

/// "size=8388608" as "size=8M".
std::string short_form(std::string const& argument) {
    auto const value = argument.find('=') + 1;
    if (argument.find_first_not_of("0123456789", value) != std::string::npos) return argument;
    std::uint64_t number = std::stoull(argument.substr(value));
    char const* unit = "";
    for (char const* const next : {"K", "M"}) {
        if (number == 0 || number % 1024 != 0) break;
        number /= 1024;
        unit = next;
    }
    return argument.substr(0, value) + std::to_string(number) + unit;
}

/// Every argument of the program, with the value that this row gives it.
std::string arguments_of(Workload const& workload) {
    std::vector<std::string> words = split_words(program_of(workload).arguments);
    for (std::string& word : words) {
        std::string const name = word.substr(0, word.find('=') + 1);
        for (std::string const& own : split_words(workload.arguments))
            if (own.starts_with(name)) word = own;
        if (name == "ops=")
            word = fmt::format("ops={}", workload.ops);
        else
            word = short_form(word);
    }
    return fmt::format("{}", fmt::join(words, " "));
}

std::string quick_of(Workload const& workload) {
    if (workload.ops == 0) return {};
    std::string text = fmt::format("ops={}", workload.quick_ops);
    if (!workload.quick_arguments.empty()) text += fmt::format(" {}", workload.quick_arguments);
    return text;
}

std::vector<std::string_view> names_by_default() {
    std::vector<std::string_view> names;
    for (Workload const& workload : workloads())
        if (workload.by_default) names.push_back(workload.name);
    return names;
}

constexpr std::size_t k_width = 100;

std::string entry(Workload const& workload, std::string const& directory) {
    std::string const path = directory + "/" + std::string(workload.file());
    bool const built = ::access(path.c_str(), X_OK) == 0;
    std::string out = fmt::format("\n  {:<17} {} [{}]{}{}\n", workload.name, workload.title,
                                  to_string(workload.kind), workload.by_default ? " *" : "",
                                  built ? "" : "   (not built; try: ./isolab build)");
    auto line = [&](char const* key, std::string const& text) {
        if (text.empty()) return;
        // wrap() drops blanks at the beginning, so the first line gets its own here.
        out += "    " + wrap(fmt::format("{:<10} {}", key, text), k_width - 4, 15);
    };
    line("measures", std::string(workload.measures));
    line("metric", fmt::format("{}, {}", metric_of(workload.kind), unit_of(workload.kind)));
    if (workload.file() != workload.name) line("program", std::string(workload.file()));
    line("arguments", arguments_of(workload));
    line("--quick", quick_of(workload));
    line("needs", std::string(workload.needs));
    return out;
}

} // namespace

std::string list_text(std::string const& workload_directory) {
    std::string out = fmt::format("Workloads (in {}); * measured by default\n", workload_directory);
    for (Group const& group : groups()) {
        out += fmt::format("\n{} (--workloads={})\n", group.title, group.name);
        for (Workload const& workload : workloads())
            if (workload.group == group.name) out += entry(workload, workload_directory);
    }
    return out +
           "\n  Each also takes identity=1 (docs/engine-contract.md).\n"
           "  Any static x86-64 ELF is a workload, too: isobench compare -- PROGRAM [ARG...]\n";
}

std::string list_markdown() {
    std::string out = "# The workloads\n\n";
    out += wrap("This page is made by `isobench list --markdown` from the manifest "
                "(benchmarks/harness/manifest_table.cpp); a test compares them. Every row of the "
                "comparison's table is a program, run in one way. The programs are static x86-64 "
                "executables without a C library: the same bytes run natively and in every engine "
                "([the contract](engine-contract.md)). Each checks its own result and prints one "
                "line of JSON.",
                k_width);
    out += "\n";
    out += wrap(fmt::format("`isobench compare` measures {} of the {} rows unless told otherwise: "
                            "{}. `--workloads` takes names, groups (the words in parentheses) and "
                            "`all`.",
                            names_by_default().size(), workloads().size(),
                            fmt::join(names_by_default(), ", ")),
                k_width);
    out += "\n";
    out += wrap("`compute` rows are compared by CPU time of the process tree, a run with `ops=0` "
                "subtracted; `latency` rows by the workload's own clock; `start-up` by wall time. "
                "Where a kernel does not offer what a row needs, its cell is `n/a`.",
                k_width);
    for (Group const& group : groups()) {
        out += fmt::format("\n## {} (`{}`)\n\n", group.title, group.name);
        out += wrap(group.about, k_width);
        out += "\n| row | axis | kind, unit | one operation | program and arguments | --quick | "
               "needs |\n|---|---|---|---|---|---|---|\n";
        for (Workload const& w : workloads()) {
            if (w.group != group.name) continue;
            std::string const quick = quick_of(w);
            std::string const words = arguments_of(w);
            out += fmt::format("| `{}`{} | {} | {}, {} | {} | `{}{}{}` | {} | {} |\n", w.name,
                               w.by_default ? " \\*" : "", w.title, to_string(w.kind),
                               unit_of(w.kind), w.measures, w.file(), words.empty() ? "" : " ",
                               words, quick.empty() ? quick : fmt::format("`{}`", quick), w.needs);
        }
    }
    return out + "\n\\* measured by default\n";
}

} // namespace iso::bench
