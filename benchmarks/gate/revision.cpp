#include "benchmarks/gate/revision.hpp"

#include "benchmarks/harness/measure_aloud.hpp"
#include "common/clock.hpp"
#include "common/fd.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sstream>
#include <unistd.h>

#include <sys/stat.h>

extern char** environ;

namespace iso::bench {

namespace {

constexpr std::uint64_t k_build_timeout_ns = 3600'000'000'000;

bool exists(std::string const& path) {
    return ::access(path.c_str(), F_OK) == 0;
}

std::string shell_word(std::string const& word) {
    std::string out = "'";
    for (char const c : word)
        out += c == '\'' ? "'\\''" : std::string(1, c);
    return out + "'";
}

/// Ninja's "[12/345] " at the beginning of a line as progress.
class BuildProgress {
public:
    BuildProgress(std::string what, Progress& progress)
        : what_(std::move(what))
        , progress_(progress)
        , began_ns_(monotonic_ns()) {}

    void feed(std::string_view text) {
        line_ += text;
        for (std::size_t end = 0; (end = line_.find('\n')) != std::string::npos;) {
            show(line_.substr(0, end));
            line_.erase(0, end + 1);
        }
    }

private:
    void show(std::string const& line) {
        unsigned done = 0;
        unsigned total = 0;
        if (std::sscanf(line.c_str(), "[%u/%u]", &done, &total) != 2 || done == 0) return;
        std::uint64_t const elapsed = monotonic_ns() - began_ns_;
        progress_.update(fmt::format("{}, step {} of {}", what_, done, total), elapsed,
                         elapsed / done * (total - std::min(done, total)));
    }

    std::string what_;
    Progress& progress_;
    std::uint64_t began_ns_;
    std::string line_;
};

/// The build of one revision: its folder, its log, and how its steps are run.
struct Build {
    std::string what; ///< "building HEAD (0123456789ab)"
    std::string top;
    Interrupts& interrupts;
    Progress& progress;

    [[nodiscard]] std::string tree() const { return top + "/tree"; }
    [[nodiscard]] std::string folder() const { return tree() + "/build"; }
    [[nodiscard]] std::string log() const { return top + "/build.log"; }

    /// Runs a line of shell, which dies with us; what it says goes to the log and is returned as
    /// far as it is short. Errors (exit status 2): it failed.
    Result<std::string> step(std::string const& line) const {
        Fd const file = TRY(Fd::open(log(), O_WRONLY | O_CREAT | O_TRUNC, 0644));
        BuildProgress shown(what, progress);
        MeasureRequest request;
        request.command = {"/bin/sh", "-c", "exec 2>&1; " + line};
        request.manner.environment = environment();
        request.manner.stop_signal = SIGTERM;
        request.timeout_ns = k_build_timeout_ns;
        request.output_limit = std::uint64_t{1} << 30U;
        RawRun run = TRY(measure_aloud(request, interrupts, [&](std::string_view text) {
            shown.feed(text);
            (void)write_all(file.get(), text); // a full disk fails the build itself
        }));
        if (run.interrupted) return error(what, "interrupted");
        if (run.exit_status() == 0) return std::move(run.out);
        std::string const cause = run.timed_out
                                      ? "not done after an hour"
                                      : cause_of_failure(read_file(log()).value_or(run.out));
        return tl::unexpected<Error>(
            std::move(error(what, fmt::format("{} (exit status {})", cause, run.exit_status()),
                            "--build-dir DIR keeps the build and its log")
                          .value())
                .with_exit(exit_code::gate_not_run));
    }

private:
    /// The person's own, as for any build. The compiler's cache knows what another folder compiled.
    [[nodiscard]] std::vector<std::string> environment() const {
        std::vector<std::string> variables{"NINJA_STATUS=[%f/%t] "};
        if (std::getenv("CCACHE_BASEDIR") == nullptr)
            variables.push_back("CCACHE_BASEDIR=" + tree());
        for (char** variable = environ; *variable != nullptr; ++variable)
            if (!std::string_view(*variable).starts_with("NINJA_STATUS="))
                variables.emplace_back(*variable);
        return variables;
    }
};

/// Complete or not there: a name of its own until every file is out.
Result<void> export_files(Build const& build, Side const& side) {
    if (exists(build.tree())) return {};
    std::string const part = shell_word(build.tree() + ".part");
    std::string const archive = shell_word(build.top + "/files.tar");
    TRY(build.step(fmt::format("rm -rf {0} && mkdir {0} && "
                               "git -C {1} archive --format=tar -o {2} {3} && "
                               "tar -xf {2} -C {0} && rm {2} && mv {0} {4}",
                               part, shell_word(side.repository), archive, side.commit,
                               shell_word(build.tree()))));
    return {};
}

Result<void> configure(Build const& build) {
    if (exists(build.folder() + "/build.ninja")) return {}; // Ninja sees what changed since
    TRY(build.step(fmt::format("cd {} && cmake --preset release -DISO_TESTS=OFF -DISO_MICRO=OFF",
                               shell_word(build.tree()))));
    return {};
}

/// An older revision may not have all of them.
Result<std::vector<std::string>> known_targets(Build const& build,
                                               std::vector<std::string> const& wanted) {
    std::string const said = TRY(build.step(
        fmt::format("cd {} && for target in {}; do "
                    "ninja -t query \"$target\" >/dev/null 2>&1 && echo \"$target\"; done; true",
                    shell_word(build.folder()), fmt::join(wanted, " "))));
    std::istringstream words(said);
    std::vector<std::string> known;
    for (std::string word; words >> word;)
        known.push_back(word);
    return known;
}

} // namespace

std::string cause_of_failure(std::string const& log) {
    std::istringstream lines(log);
    std::string cmake;
    std::string last = "it said nothing";
    for (std::string line; std::getline(lines, line);) {
        if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
        line.erase(0, line.find_first_not_of(" \t"));
        if (line.find("error: ") != std::string::npos || line.starts_with("fatal: ")) return line;
        if (cmake.ends_with(":")) return cmake + " " + line;
        if (line.starts_with("CMake Error")) cmake = line;
        if (!line.starts_with("ninja: build stopped")) last = line;
    }
    return cmake.empty() ? last : cmake;
}

Result<void> build_revision(Side& side, std::vector<std::string> const& engines,
                            std::string const& place, Interrupts& interrupts, Progress& progress) {
    Build const build{fmt::format("building {} ({:.12})", side.text, side.commit),
                      place + "/" + side.commit, interrupts, progress};
    if (::mkdir(build.top.c_str(), 0755) != 0 && errno != EEXIST)
        return sys_error("mkdir(" + build.top + ")");
    progress.note(build.what);
    TRY(export_files(build, side));
    TRY(configure(build));
    std::vector<std::string> wanted{"workloads"};
    wanted.insert(wanted.end(), engines.begin(), engines.end());
    auto const targets = TRY(known_targets(build, wanted));
    if (targets.empty() || targets.front() != "workloads")
        return tl::unexpected<Error>(
            std::move(error(build.what, "the revision has no workloads to build").value())
                .with_exit(exit_code::gate_not_run));
    // The build tool itself, not through cmake: it then gets the signal that ends it.
    TRY(build.step(
        fmt::format("exec ninja -C {} {}", shell_word(build.folder()), fmt::join(targets, " "))));
    side.path = build.folder() + "/bin";
    side.workloads = build.folder() + "/workloads";
    return {};
}

} // namespace iso::bench
