#include "benchmarks/harness/sample.hpp"

#include "common/clock.hpp"
#include "common/json.hpp"
#include "common/temp_dir.hpp"
#include "common/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include <sys/stat.h>
#include <sys/wait.h>

namespace iso::bench {

namespace {

using nlohmann::json;

constexpr std::pair<Role, std::string_view> k_roles[] = {{Role::identity, "identity"},
                                                         {Role::warm_up, "warm-up"},
                                                         {Role::baseline, "baseline"},
                                                         {Role::measure, "measure"}};

/// An engine ends the program at the deadline; the harness ends the engine if that did not work.
constexpr std::uint64_t k_engine_grace_ns = 1'000'000'000;

std::string first_line(std::string const& text) {
    std::string line = text.substr(0, std::min(text.find('\n'), std::size_t{300}));
    // What a program wrote goes to a terminal: only its printable characters do.
    std::erase_if(line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    return line;
}

std::string with_stderr(std::string reason, RawRun const& raw) {
    std::string const line = first_line(raw.err);
    return line.empty() ? reason : reason + ": " + line;
}

/// What the engine reported, or why that is no report.
std::string take_report(RawRun const& raw, Sample& sample) {
    if (raw.report.empty()) return with_stderr("the engine wrote no report", raw);
    auto const report = parse_report(raw.report);
    if (!report) return "the engine's report is nonsense: " + first_line(report.error().cause);
    sample.backend = report->backend;
    sample.phases = report->phases;
    sample.counters = report->counters;
    sample.facts = report->facts;
    if (report->failure)
        return "the engine failed: " + report->failure->op + ": " + report->failure->cause;
    if (report->ended == Ended::engine_failed) return with_stderr("the engine failed", raw);
    if (report->ended == Ended::timeout) return "timed out";
    if (report->exit_status() != raw.exit_status())
        return fmt::format("the engine reported exit status {} and ended with {}",
                           report->exit_status(), raw.exit_status());
    return {};
}

/// A workload says with this status that the kernel does not offer what it is about.
constexpr int k_status_not_available = 4;

std::string take_own_output(SampleRequest const& request, RawRun const& raw, Sample& sample) {
    if (raw.exit_status() == k_status_not_available)
        if (auto const own = parse_own_output(raw.out); own && !own->not_available.empty()) {
            sample.not_available = first_line(own->not_available);
            return {};
        }
    if (int const status = raw.exit_status(); status != 0)
        return with_stderr(status > exit_code::signal_base
                               ? fmt::format("killed by signal {}", status - exit_code::signal_base)
                               : fmt::format("exit status {}", status),
                           raw);
    // What a peer says on its stderr is its own affair: only ours keep to the contract.
    if (!raw.err.empty() && !request.engine->peer())
        return "stray output on stderr: " + first_line(raw.err);
    auto own = parse_own_output(raw.out);
    if (!own) return own.error().cause;
    if (!own->not_available.empty()) return "it says 'not available' and exits with 0";
    sample.own = std::move(*own);
    std::uint64_t const wall = raw.wall_ns();
    sample.clock_disagrees = sample.own->ns > wall + wall / 50 + 1'000'000; // 2 % and 1 ms
    return {};
}

std::string judge(SampleRequest const& request, RawRun const& raw, Sample& sample) {
    if (raw.interrupted) return "interrupted";
    if (raw.flooded) return fmt::format("wrote more than {} MiB", raw.out_bytes >> 20U);
    if (raw.timed_out)
        return fmt::format("timed out after {} s", static_cast<double>(request.timeout_ns) / 1e9);
    if (!raw.strays.empty())
        return fmt::format("left {} behind: {}", raw.strays.size() == 1 ? "a process" : "processes",
                           raw.strays.front());
    if (raw.console && raw.program_status && WIFSIGNALED(raw.wait_status))
        return with_last_words(fmt::format("its program ended with {}, but then the machine itself "
                                           "died of signal {}",
                                           *raw.program_status, WTERMSIG(raw.wait_status)),
                               raw);
    if (raw.console && !raw.program_status)
        return with_last_words("the machine ended before it said how its program did", raw);
    if (request.engine->reports())
        if (std::string reason = take_report(raw, sample); !reason.empty()) return reason;
    return request.own_workload ? take_own_output(request, raw, sample) : std::string();
}

constexpr std::uint64_t k_disk_bytes = 64 * k_mib;

/// The program finds it by dir=, which is another path in each engine.
Result<void> give_disk(RunOptions& options, DiskAccess access, std::string const& directory) {
    // Inside a jail the program is another user of the host; nobody else gets through `directory`.
    std::string const files = directory + "/files";
    if (::mkdir(files.c_str(), 0700) != 0 || ::chmod(files.c_str(), 0777) != 0)
        return sys_error("mkdir(" + files + ")");
    bool const itself = access == DiskAccess::itself;
    options.arguments.push_back("dir=" + (itself ? files : std::string(k_disk_directory)));
    if (access == DiskAccess::mounted) options.bound.push_back({files, k_disk_directory});
    if (access == DiskAccess::image) {
        options.disk = files + "/image";
        options.disk_bytes = k_disk_bytes;
    }
    return {};
}

Taken without_a_disk(SampleRequest const& request) {
    Taken none;
    none.sample.arm = request.engine->name();
    none.sample.at_ns = monotonic_ns();
    none.sample.not_available = "it has no disk that a program could be given";
    return none;
}

void take_counters(RawRun const& raw, Sample& sample) {
    sample.counters["harness.minor_faults"] = raw.minor_faults;
    sample.counters["harness.voluntary_switches"] = raw.voluntary_switches;
    sample.counters["harness.involuntary_switches"] = raw.involuntary_switches;
    sample.counters["harness.max_rss_kib"] = raw.max_rss_kib;
}

} // namespace

std::string with_last_words(std::string reason, RawRun const& raw) {
    if (!raw.last_words.empty()) return reason + ": " + raw.last_words;
    return with_stderr(std::move(reason), raw);
}

std::string_view to_string(Role role) {
    for (auto const& [value, name] : k_roles)
        if (value == role) return name;
    return "measure";
}

Result<Role> parse_role(std::string_view text) {
    for (auto const& [value, name] : k_roles)
        if (name == text) return value;
    return error("role", "unknown role '" + std::string(text) + "'");
}

Result<OwnOutput> parse_own_output(std::string const& text) {
    if (text.empty()) return error("output", "it printed nothing");
    auto const end = text.find('\n');
    if (end == std::string::npos || end + 1 != text.size())
        return error("output", "stray output: not exactly one line, '" + first_line(text) + "'");
    json const in = json::parse(text, nullptr, false);
    if (!in.is_object())
        return error("output", "stray output: not JSON, '" + first_line(text) + "'");
    try {
        OwnOutput own;
        own.workload = in.at("workload").get<std::string>();
        if (in.contains("identity")) {
            own.identity = in.at("identity").get<std::string>();
            return own;
        }
        if (in.contains("not_available")) {
            auto const error = in.at("errno").get<int>();
            own.not_available = in.at("not_available").get<std::string>();
            if (error != 0) own.not_available += std::string(": ") + std::strerror(error);
            return own;
        }
        own.entry_ns = in.at("entry_ns").get<std::uint64_t>();
        if (!in.contains("ops")) return own; // it has no loop
        own.ops = in.at("ops").get<std::uint64_t>();
        own.ns = in.at("ns").get<std::uint64_t>();
        own.checksum = in.at("checksum").get<std::string>();
        if (in.contains("bytes")) own.bytes = in.at("bytes").get<std::uint64_t>();
        return own;
    } catch (json::exception const& problem) {
        return error("output", std::string("its line of JSON is not as agreed: ") + problem.what());
    }
}

Result<Taken> take_sample(SampleRequest const& request, Interrupts& interrupts) {
    bool const reports = request.engine->reports();
    RunOptions options;
    options.program = request.program;
    options.arguments = request.arguments;
    options.timeout_ns = request.timeout_ns;
    if (reports) options.report_fd = k_report_fd;
    TempDir directory; // of this sample alone, as a disk that has been used is not the same one
    if (request.on_disk) {
        if (request.engine->disk() == DiskAccess::none) return without_a_disk(request);
        directory = TRY(TempDir::create_held(k_disk_prefix));
        TRY(give_disk(options, request.engine->disk(), directory.path()));
    }

    MeasureRequest measured;
    measured.command = TRY(request.engine->command(options));
    measured.report = reports;
    measured.cpu = request.cpu;
    measured.manner = request.engine->manner();
    measured.timeout_ns = request.timeout_ns;
    if (request.timeout_ns != 0 && reports) measured.timeout_ns += k_engine_grace_ns;

    if (request.counters != nullptr)
        measured.before_exec = [&](pid_t pid) { request.counters->attach(pid); };
    auto run = measure(measured, interrupts);
    bool const orderly = run && !run->timed_out && !run->flooded && !run->interrupted &&
                         run->strays.empty() && WIFEXITED(run->wait_status) &&
                         (!run->console || run->program_status);
    if (orderly)
        request.engine->ended_well();
    else
        request.engine->clean_up();
    Taken taken{{}, TRY(std::move(run))};
    RawRun const& raw = taken.raw;
    Sample& sample = taken.sample;
    sample.arm = request.engine->name();
    sample.at_ns = raw.spawn_ns;
    sample.wall_ns = raw.wall_ns();
    sample.user_ns = raw.user_ns;
    sample.system_ns = raw.system_ns;
    sample.first_output_ns = raw.first_output_ns;
    sample.exit_status = raw.exit_status();
    sample.out_sha256 = raw.out_sha256;
    sample.failure = judge(request, raw, sample);
    take_counters(raw, sample);
    if (request.counters != nullptr)
        for (auto const& [name, value] : request.counters->read())
            sample.counters[name] = value;
    return taken;
}

} // namespace iso::bench
