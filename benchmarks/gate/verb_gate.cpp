#include "benchmarks/gate/verb_gate.hpp"

#include "benchmarks/gate/counts_gate.hpp"
#include "benchmarks/gate/gate_text.hpp"
#include "benchmarks/gate/interleaved.hpp"
#include "benchmarks/harness/output_file.hpp"
#include "benchmarks/harness/results_file.hpp"
#include "common/fd.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

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

Result<Gated> gate_trees(GateOptions const& options, Side base, Side head, Interrupts& interrupts,
                         Progress& progress) {
    TempDir temporary;
    std::string place = options.build_directory;
    if (base.kind == Side::Kind::revision || head.kind == Side::Kind::revision) {
        if (place.empty()) {
            temporary = TRY(TempDir::create("isobench-gate"));
            place = temporary.path();
        }
        for (Side* const side : {&base, &head})
            if (side->kind == Side::Kind::revision)
                TRY(build_revision(*side, place, interrupts, progress));
    }
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

Result<void> write_out(GateOptions const& options, Gated const& gated, std::string const& title,
                       OutputFile const& text_file, OutputFile const& json_file) {
    TableStyle const style = TableStyle::of_terminal(STDOUT_FILENO);
    std::string const text = gate_text(gated.judgement, title, options.format, style);
    if (text_file)
        TRY(text_file.commit(text));
    else
        fmt::print("{}", text);
    if (json_file && gated.results) TRY(json_file.commit(to_json(*gated.results)));
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
    OutputFile text_file;
    Interrupts interrupts = TRY(Interrupts::create()); // before there are files to leave behind
    OutputFile json_file;
    if (!options.output.empty()) text_file = TRY(OutputFile::prepare(options.output));
    if (!options.compare.json.empty()) json_file = TRY(OutputFile::prepare(options.compare.json));
    Progress progress;
    Result<Gated> gated = base.is_measured() ? gate_trees(options, base, head, interrupts, progress)
                                             : gate_files(options, base, head);
    progress.clear();
    if (int const signal = interrupts.pending(); signal != 0) return exit_code::from_signal(signal);
    if (!gated) return tl::unexpected<Error>(std::move(gated.error()));
    TRY(write_out(options, *gated, title_of(base, head), text_file, json_file));
    return gated->judgement.exit_status();
}

} // namespace iso::bench
