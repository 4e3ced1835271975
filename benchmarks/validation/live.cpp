#include "benchmarks/validation/live.hpp"

#include "benchmarks/harness/measure.hpp"
#include "common/clock.hpp"
#include "common/fd.hpp"
#include "common/json.hpp"
#include "common/temp_dir.hpp"

#include <fmt/format.h>

#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <sstream>
#include <unistd.h>

namespace iso::bench::validation {

namespace {

using nlohmann::json;

constexpr std::uint64_t k_run_timeout_ns = 900'000'000'000;

bool is_of(LiveRun const& run, LiveOptions const& options, Planned const& planned) {
    return run.counts == options.counts && run.engine == options.subject.engine &&
           run.workload == options.subject.workload && run.inject == planned.inject;
}

std::string date() {
    std::time_t const now = std::time(nullptr);
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    char text[32];
    std::strftime(text, sizeof text, "%FT%TZ", &utc);
    return text;
}

std::string load() {
    std::string const text = read_file("/proc/loadavg").value_or("");
    return text.substr(0, text.find(' '));
}

std::vector<std::string> command_of(LiveOptions const& options, Planned const& planned,
                                    std::uint64_t seed, std::string const& verdict) {
    std::vector<std::string> words{options.isobench,
                                   "gate",
                                   "--base",
                                   options.subject.tree,
                                   "--head",
                                   options.subject.tree,
                                   "--engines",
                                   options.subject.engine,
                                   "--workloads",
                                   options.subject.workload,
                                   "--quick",
                                   "--format",
                                   "json",
                                   "-o",
                                   verdict,
                                   "--seed",
                                   fmt::format("{}", seed)};
    if (options.counts) words.emplace_back("--counts");
    if (planned.inject != 0) {
        words.emplace_back("--inject-slowdown");
        words.push_back(fmt::format("{}", planned.inject));
    }
    return words;
}

/// One run of the gate as a line of JSON. Nothing when it was interrupted.
Result<std::string> run_once(LiveOptions const& options, Planned const& planned, std::uint64_t seed,
                             Interrupts& interrupts) {
    TempDir const place = TRY(TempDir::create("gate-validation"));
    std::string const verdict = place.path() + "/verdict.json";
    MeasureRequest request;
    request.command = command_of(options, planned, seed, verdict);
    for (char const* const name : {"PATH", "HOME", "TMPDIR"})
        if (char const* const value = std::getenv(name))
            request.manner.environment.push_back(fmt::format("{}={}", name, value));
    request.manner.stop_signal = SIGTERM;
    request.timeout_ns = k_run_timeout_ns;
    std::string const before = load();
    RawRun const run = TRY(measure(request, interrupts));
    if (run.interrupted) return std::string();
    json line = {{"date", date()},
                 {"load", before},
                 {"counts", options.counts},
                 {"workload", options.subject.workload},
                 {"engine", options.subject.engine},
                 {"inject", planned.inject},
                 {"seed", seed},
                 {"seconds", static_cast<double>(run.wall_ns() / 10'000'000) / 100},
                 {"exit_status", run.exit_status()}};
    json const said = json::parse(read_file(verdict).value_or(""), nullptr, false);
    if (!said.is_object() || said.at("cells").size() != 1)
        return error("isobench gate",
                     fmt::format("exit status {}: {}", run.exit_status(), run.err.substr(0, 300)));
    json const& cell = said.at("cells").front();
    for (char const* const key :
         {"outcome", "reason", "n", "change", "ci_low", "ci_high", "p", "noise", "threshold"})
        line[key] = cell.at(key);
    return line.dump() + "\n";
}

Result<void> append(std::string const& path, std::string const& line) {
    Fd const file = TRY(Fd::open(path, O_WRONLY | O_CREAT | O_APPEND, 0644));
    return write_all(file.get(), line);
}

} // namespace

std::size_t next_of(std::vector<Planned> const& plan, std::vector<std::uint64_t> const& done) {
    std::size_t next = plan.size();
    double least = 1;
    for (std::size_t i = 0; i < plan.size(); ++i) {
        double const share = static_cast<double>(done[i]) / static_cast<double>(plan[i].runs);
        if (share >= least) continue;
        least = share;
        next = i;
    }
    return next;
}

Result<std::vector<LiveRun>> read_live(std::string const& path) {
    std::vector<LiveRun> runs;
    if (::access(path.c_str(), F_OK) != 0) return runs;
    std::istringstream lines(TRY(read_file(path)));
    std::string text;
    try {
        while (std::getline(lines, text)) {
            json const line = json::parse(text);
            runs.push_back({line.at("counts"), line.at("engine"), line.at("workload"),
                            line.at("inject"), line.at("seed"), line.at("exit_status"),
                            line.at("outcome"), line.at("reason"), line.at("n")});
        }
    } catch (json::exception const& problem) {
        return error(fmt::format("{}:{}", path, runs.size() + 1), problem.what());
    }
    return runs;
}

Result<void> run_live(LiveOptions const& options, Interrupts& interrupts) {
    std::uint64_t const end = monotonic_ns() + options.stop_after_ns;
    std::vector<LiveRun> const before = TRY(read_live(options.file));
    std::vector<std::uint64_t> done(options.plan.size());
    for (LiveRun const& run : before)
        for (std::size_t i = 0; i < options.plan.size(); ++i)
            if (is_of(run, options, options.plan[i])) ++done[i];
    std::uint64_t seed = before.size();
    while (options.stop_after_ns == 0 || monotonic_ns() < end) {
        std::size_t const next = next_of(options.plan, done);
        if (next == options.plan.size()) break;
        std::string const line = TRY(run_once(options, options.plan[next], ++seed, interrupts));
        if (interrupts.pending() != 0) break;
        TRY(append(options.file, line));
        ++done[next];
    }
    return {};
}

} // namespace iso::bench::validation
