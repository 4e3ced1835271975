// gate-validation: what `isobench gate` finds, and what it takes for a change that is none.
#include "benchmarks/validation/binomial.hpp"
#include "benchmarks/validation/live.hpp"
#include "benchmarks/validation/resample.hpp"
#include "common/units.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <map>

namespace {

using namespace iso;
using namespace iso::bench;
using namespace iso::bench::validation;

struct Options {
    Subject subject;
    double inject = 0;
    std::uint64_t blocks = 1200;
    std::uint64_t runs = 2000;
    bool single = false;
    std::vector<std::string> pools;
    std::vector<std::string> plan;
    std::vector<std::string> files;
    std::string time = "1h";
    LiveOptions live;
};

std::string shares(std::uint64_t hits, std::uint64_t n) {
    if (n == 0) return "";
    Interval const range = clopper_pearson(hits, n);
    return fmt::format("{:6.2f} % [{:.2f}, {:.2f}]",
                       100 * static_cast<double>(hits) / static_cast<double>(n), 100 * range.low,
                       100 * range.high);
}

void print_row(std::string const& what, double inject, std::array<std::uint64_t, 4> const& by,
               double blocks) {
    std::uint64_t const n = by[0] + by[1] + by[2] + by[3];
    fmt::print("{:<36} {:>7.3g} % {:>6} {:>6} {:>10} {:>7} {:>9}  {:<24} {:>6.1f}\n", what,
               100 * inject, n, by[0], by[1], by[2], by[3], shares(by[1], n), blocks);
}

void print_head() {
    fmt::print("{:<36} {:>9} {:>6} {:>6} {:>10} {:>7} {:>9}  {:<24} {:>6}\n", "", "injected",
               "runs", "fine", "regression", "not run", "too noisy", "found [95 %]", "blocks");
}

Result<void> pool(Options const& options) {
    Interrupts interrupts = TRY(Interrupts::create());
    fmt::print("{}", to_text(TRY(measure_pool(options.subject, options.inject, options.blocks,
                                              interrupts))));
    return {};
}

Result<void> resampled(Options const& options) {
    print_head();
    GateOptions const gate;
    for (std::string const& path : options.pools) {
        Pool const pool = TRY(read_pool(path));
        if (pool.blocks.size() < gate.blocks)
            return error(path, "fewer blocks than a gate may take");
        auto* const draw = options.single ? resample_blocks : resample;
        Tally const tally = draw(pool, options.runs, 1, gate.rule, gate.blocks);
        print_row(path.substr(path.rfind('/') + 1), pool.inject, tally.by_status,
                  static_cast<double>(tally.blocks) / static_cast<double>(tally.runs()));
    }
    return {};
}

Result<void> live(Options options) {
    for (std::string const& word : options.plan) {
        Planned planned;
        char extra = 0;
        if (std::sscanf(word.c_str(), "%lf:%lu%c", &planned.inject, &planned.runs, &extra) != 2 ||
            planned.runs == 0)
            return error("--plan " + word, "not SHARE:RUNS", "--plan 0:300,0.03:60");
        options.live.plan.push_back(planned);
    }
    options.live.stop_after_ns = TRY(parse_duration_ns(options.time));
    options.live.subject = options.subject;
    options.live.isobench = options.subject.tree + "/bin/isobench";
    Interrupts interrupts = TRY(Interrupts::create());
    return run_live(options.live, interrupts);
}

Result<void> table(Options const& options) {
    print_head();
    for (std::string const& path : options.files) {
        struct Row {
            std::array<std::uint64_t, 4> by{};
            double blocks = 0;
        };
        std::map<std::pair<std::string, double>, Row> rows;
        for (LiveRun const& run : TRY(read_live(path))) {
            if (run.exit_status < 0 || run.exit_status > 3)
                return error(path, fmt::format("a run ended with {}", run.exit_status));
            Row& row = rows[{(run.counts ? "counts of " : "") + run.workload + ", " + run.engine,
                             run.inject}];
            ++row.by[static_cast<std::size_t>(run.exit_status)];
            row.blocks += static_cast<double>(run.n);
        }
        for (auto const& [key, row] : rows)
            print_row(key.first, key.second, row.by,
                      row.blocks /
                          static_cast<double>(row.by[0] + row.by[1] + row.by[2] + row.by[3]));
    }
    return {};
}

void declare(CLI::App& app, Options& o) {
    app.require_subcommand(1);
    auto subject = [&](CLI::App& verb) {
        verb.add_option("--tree", o.subject.tree, "The folder with bin/ and workloads/ (build)")
            ->required();
        verb.add_option("--workload", o.subject.workload, "One workload (cpu-int)");
        verb.add_option("--engine", o.subject.engine, "One engine (isolate)");
    };
    CLI::App& pool = *app.add_subcommand("pool", "Measure blocks without a stop, to stdout");
    subject(pool);
    pool.add_option("--inject", o.inject, "Head does this share of operations more (0)");
    pool.add_option("--blocks", o.blocks, "So many (1200)");
    CLI::App& resample = *app.add_subcommand("resample", "Replay gate runs out of pools");
    resample.add_option("pools", o.pools, "What pool wrote")->required();
    resample.add_option("--runs", o.runs, "So many of each pool (2000)");
    resample.add_flag("--single", o.single, "Draw each block for itself, not windows of them");
    CLI::App& live = *app.add_subcommand("live", "Run isobench gate again and again");
    subject(live);
    live.add_flag("--counts", o.live.counts, "gate --counts");
    live.add_option("--plan", o.plan, "SHARE:RUNS of each kind, for example 0:300,0.03:60")
        ->delimiter(',')
        ->required();
    live.add_option("--file", o.live.file, "A line is appended for each run")->required();
    live.add_option("--for", o.time, "Stop after this long (1h); continue by calling again");
    CLI::App& table = *app.add_subcommand("table", "What live runs found");
    table.add_option("files", o.files, "What live wrote")->required();
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("What the gate finds, and what it takes for a change that is none",
                 "gate-validation");
    Options options;
    declare(app, options);
    CLI11_PARSE(app, argc, argv);
    auto const done = app.got_subcommand("pool")       ? pool(options)
                      : app.got_subcommand("resample") ? resampled(options)
                      : app.got_subcommand("live")     ? live(options)
                                                       : table(options);
    if (done) return exit_code::done;
    print_error("gate-validation", done.error());
    return exit_code::no;
}
