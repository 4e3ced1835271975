#include "benchmarks/gate/verb_gate.hpp"

#include "benchmarks/gate/counts_gate.hpp"
#include "benchmarks/gate/gate_text.hpp"
#include "benchmarks/gate/interleaved.hpp"
#include "benchmarks/gate/revision.hpp"
#include "benchmarks/harness/output_file.hpp"
#include "benchmarks/harness/results_file.hpp"
#include "common/fd.hpp"
#include "common/temp_dir.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unistd.h>

namespace iso::bench {

namespace {

std::string title_of(Side const& base, Side const& head) {
    auto named = [](Side const& side) {
        return side.commit.empty() ? side.text : fmt::format("{} ({:.12})", side.text, side.commit);
    };
    return fmt::format("base {} against head {}", named(base), named(head));
}

/// The results of the run, if there was one, and what they mean.
struct Gated {
    Judgement judgement;
    std::optional<Results> results;
    bool interrupted = false;
};

Gated conclude(Family family, GateRule const& rule) {
    Gated gated;
    gated.judgement = judge(family.cells, rule);
    gated.judgement.notes = std::move(family.notes);
    return gated;
}

Result<Gated> gate_files(GateOptions const& options, Side const& base, Side const& head) {
    Results const before = TRY(read_results(base.path));
    Results const after = TRY(read_results(head.path));
    if (options.counts) {
        Gated gated;
        gated.judgement = TRY(judge_counts_of_files(before, after, options.compare.engines,
                                                    options.compare.workloads));
        return gated;
    }
    if (before.counts || after.counts)
        return tl::unexpected<Error>(
            std::move(
                error("gate", "a file holds counts, not times", "isobench gate --counts").value())
                .with_exit(exit_code::usage));
    return conclude(
        TRY(family_of_files(before, after, options.compare.engines, options.compare.workloads)),
        options.rule);
}

/// The engines whose programs are wanted: native has none.
/// Errors: an engine or a workload that does not exist, told before anything is built.
Result<std::vector<std::string>> wanted_programs(CompareOptions const& options) {
    TRY(check_workload_names(options.workloads));
    auto const engines = make_engines({});
    std::vector<std::string> known;
    for (auto const& engine : engines)
        known.emplace_back(engine->name());
    for (std::string const& name : options.engines)
        if (std::find(known.begin(), known.end(), name) == known.end())
            return tl::unexpected<Error>(unknown_name("engine", name, known));
    std::vector<std::string> wanted = options.engines.empty() ? known : options.engines;
    std::erase(wanted, known.front());
    return wanted;
}

/// Turns revisions into trees. What was built for this run alone goes with `temporary`.
Result<void> build_sides(GateOptions const& options, Side& base, Side& head, TempDir& temporary,
                         Interrupts& interrupts, Progress& progress) {
    if (base.kind != Side::Kind::revision && head.kind != Side::Kind::revision) return {};
    auto const programs = TRY(wanted_programs(options.compare));
    TRY(check_committed("--head", head));
    if (options.build_directory.empty()) temporary = TRY(TempDir::create("isobench-gate"));
    std::string const place = options.build_directory.empty()
                                  ? temporary.path()
                                  : TRY(absolute_path(options.build_directory));
    for (Side* const side : {&base, &head})
        if (side->kind == Side::Kind::revision)
            TRY(build_revision(*side, programs, place, interrupts, progress));
    return {};
}

Result<Gated> gate_trees(GateOptions const& options, Side base, Side head, Interrupts& interrupts,
                         Progress& progress) {
    TempDir temporary;
    TRY(build_sides(options, base, head, temporary, interrupts, progress));
    GateLineup lineup =
        TRY(GateLineup::probe(base, head, options.compare.engines, options.inject, interrupts));
    Compared compared =
        TRY(options.counts ? measure_counts(options, base, lineup, interrupts, progress)
                           : measure_interleaved(options, base, lineup, interrupts, progress));
    Gated gated;
    if (!compared.interrupted && options.counts)
        gated.judgement = judge_counts_of_run(compared.results, lineup.engines);
    else if (!compared.interrupted)
        gated = conclude(family_of_run(compared.results, lineup.engines), options.rule);
    gated.interrupted = compared.interrupted;
    auto& notes = gated.judgement.notes;
    notes.insert(notes.begin(), lineup.notes.begin(), lineup.notes.end());
    if (auto const names = differing_workloads(compared.results, base, head); !names.empty())
        notes.push_back(
            fmt::format("these workloads have other bytes in head; base's were run in both: {}",
                        fmt::join(names, ", ")));
    notes.insert(notes.end(), compared.results.warnings.begin(), compared.results.warnings.end());
    gated.results = std::move(compared.results);
    return gated;
}

/// Where the verdict goes, known to be writable before anything is measured.
struct Outputs {
    OutputFile text; ///< instead of stdout
    OutputFile samples;
    std::vector<std::pair<OutputFile, std::string>> reports; ///< each with its format

    static Result<Outputs> prepare(GateOptions const& options) {
        Outputs outputs;
        if (!options.output.empty()) outputs.text = TRY(OutputFile::prepare(options.output));
        if (!options.compare.json.empty())
            outputs.samples = TRY(OutputFile::prepare(options.compare.json));
        for (std::string const& path : options.reports)
            outputs.reports.emplace_back(TRY(OutputFile::prepare(path)),
                                         TRY(format_of_report(path)));
        return outputs;
    }
};

Result<void> write_out(GateOptions const& options, Gated const& gated, std::string const& title,
                       Outputs const& outputs) {
    TableStyle const style = TableStyle::of_terminal(STDOUT_FILENO);
    std::string const text = gate_text(gated.judgement, title, options.format, style);
    if (outputs.text)
        TRY(outputs.text.commit(text));
    else
        fmt::print("{}", text);
    for (auto const& [file, format] : outputs.reports)
        TRY(file.commit(gate_text(gated.judgement, title, format, style)));
    if (outputs.samples && gated.results) TRY(outputs.samples.commit(to_json(*gated.results)));
    return {};
}

} // namespace

Result<int> verb_gate(GateOptions const& options) {
    Side const base = TRY(resolve_side("--base", options.base));
    Side const head = TRY(resolve_side("--head", options.head));
    if (base.is_measured() != head.is_measured())
        return tl::unexpected<Error>(
            std::move(error("gate", "one side is a result file, the other is built and measured",
                            "two files, or two of build trees and revisions")
                          .value())
                .with_exit(exit_code::usage));
    Interrupts interrupts = TRY(Interrupts::create()); // before there are files to leave behind
    Outputs const outputs = TRY(Outputs::prepare(options));
    Progress progress;
    Result<Gated> gated = base.is_measured() ? gate_trees(options, base, head, interrupts, progress)
                                             : gate_files(options, base, head);
    progress.clear();
    if (int const signal = interrupts.pending(); signal != 0) return exit_code::from_signal(signal);
    if (!gated) return tl::unexpected<Error>(std::move(gated.error()));
    TRY(write_out(options, *gated, title_of(base, head), outputs));
    return gated->judgement.exit_status();
}

} // namespace iso::bench
