#include "benchmarks/gate/side.hpp"

#include "benchmarks/harness/measure.hpp"
#include "common/fd.hpp"
#include "common/subprocess.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <unistd.h>

#include <sys/stat.h>

namespace iso::bench {

namespace {

constexpr std::uint64_t k_git_timeout_ns = 60'000'000'000;
constexpr std::uint64_t k_build_timeout_ns = 3600'000'000'000;

bool is_directory(std::string const& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool is_program(std::string const& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
           ::access(path.c_str(), X_OK) == 0;
}

bool exists(std::string const& path) {
    return ::access(path.c_str(), F_OK) == 0;
}

Result<std::string> absolute(std::string const& path) {
    char* const resolved = ::realpath(path.c_str(), nullptr);
    if (resolved == nullptr) return sys_error("realpath(" + path + ")");
    std::string result(resolved);
    std::free(resolved);
    return result;
}

tl::unexpected<Error> refused(std::string op, std::string cause, std::string hint) {
    return tl::unexpected<Error>(
        std::move(error(std::move(op), std::move(cause), std::move(hint)).value())
            .with_exit(exit_code::usage));
}

/// Where the engines of a folder are: in it, in bin/ (a build or an installation), in build/bin/.
Result<Side> tree_at(std::string const& option, Side side) {
    std::string const top = TRY(absolute(side.text));
    for (char const* const place : {"", "/bin", "/build/bin"}) {
        std::string const folder = top + place;
        if (!is_program(folder + "/isobench") && !is_program(folder + "/isolate")) continue;
        side.kind = Side::Kind::tree;
        side.path = TRY(absolute(folder));
        std::string const beside = side.path.substr(0, side.path.rfind('/')) + "/workloads";
        side.workloads = is_directory(side.path + "/workloads") ? side.path + "/workloads" : beside;
        return side;
    }
    return refused(option + " " + side.text,
                   "a folder without engines in it, in bin/ or in build/bin/",
                   "a tree that was built: ./isolab build");
}

std::string quoted(std::string const& word) {
    std::string out = "'";
    for (char const c : word)
        out += c == '\'' ? "'\\''" : std::string(1, c);
    return out + "'";
}

/// Runs a line of shell with everything it says in a log; interruptible, and dies with us.
Result<void> step(std::string const& what, std::string const& line, std::string const& log,
                  Interrupts& interrupts) {
    MeasureRequest request;
    request.command = {"/bin/sh", "-c", fmt::format("{} >>{} 2>&1", line, quoted(log))};
    for (char const* const name :
         {"PATH", "HOME", "TMPDIR", "CXX", "CC", "CCACHE_DIR", "CMAKE_GENERATOR"})
        if (char const* const value = std::getenv(name))
            request.manner.environment.push_back(fmt::format("{}={}", name, value));
    request.manner.stop_signal = SIGTERM;
    request.timeout_ns = k_build_timeout_ns;
    RawRun const run = TRY(measure(request, interrupts));
    if (run.interrupted) return error(what, "interrupted");
    if (run.exit_status() == 0) return {};
    auto const said = read_file(log);
    std::string last =
        said ? said->substr(said->size() - std::min<std::size_t>(said->size(), 600)) : "";
    while (!last.empty() && last.back() == '\n')
        last.pop_back();
    last = last.substr(last.rfind('\n') == std::string::npos ? 0 : last.rfind('\n') + 1);
    return tl::unexpected<Error>(
        std::move(error(what, fmt::format("exit status {}: {}", run.exit_status(), last),
                        "--build-dir DIR, which keeps the log in it")
                      .value())
            .with_exit(exit_code::gate_not_run));
}

} // namespace

Result<Side> resolve_side(std::string const& option, std::string const& text) {
    Side side;
    side.text = text;
    if (is_directory(text)) return tree_at(option, std::move(side));
    if (exists(text)) {
        side.path = text;
        return side;
    }
    auto const found = run_and_capture({"git", "rev-parse", "--show-toplevel", "--verify",
                                        "--quiet", "--end-of-options", text + "^{commit}"},
                                       k_git_timeout_ns);
    std::string const out = found ? found->out : "";
    auto const end = out.find('\n');
    if (!found || found->exit_status() != 0 || end == std::string::npos)
        return refused(option + " " + text, "no file, no folder and no git revision of that name",
                       "a result file, a build tree, or a revision such as main or HEAD~1");
    side.kind = Side::Kind::revision;
    side.repository = out.substr(0, end);
    // rev-parse echoes --end-of-options; the name is the last line.
    std::string rest = out.substr(0, out.find_last_not_of('\n') + 1);
    side.commit = rest.substr(rest.rfind('\n') + 1);
    return side;
}

Result<void> build_revision(Side& side, std::string const& place, Interrupts& interrupts,
                            Progress& progress) {
    std::string const top = place + "/" + side.commit;
    std::string const stamp = top + "/built";
    std::string const log = top + "/build.log";
    std::string const what = fmt::format("build of {} ({:.12})", side.text, side.commit);
    if (!exists(stamp)) {
        progress.note(fmt::format("building {} ({:.12})", side.text, side.commit));
        if (::mkdir(top.c_str(), 0755) != 0 && errno != EEXIST)
            return sys_error("mkdir(" + top + ")");
        std::string const tree = quoted(top + "/tree");
        TRY(step(
            what,
            fmt::format(
                "rm -rf {0} && mkdir {0} && git -C {1} archive --format=tar {2} | tar -xf - -C {0}",
                tree, quoted(side.repository), side.commit),
            log, interrupts));
        TRY(step(
            what,
            fmt::format("cd {} && cmake --preset release -DISO_TESTS=OFF -DISO_MICRO=OFF", tree),
            log, interrupts));
        // The build tool itself, not through cmake: it then gets the signal that ends it.
        TRY(step(what, fmt::format("exec ninja -C {}/build", tree), log, interrupts));
        TRY(step(what, fmt::format("touch {}", quoted(stamp)), log, interrupts));
    }
    side.path = TRY(absolute(top + "/tree/build/bin"));
    side.workloads = TRY(absolute(top + "/tree/build/workloads"));
    return {};
}

} // namespace iso::bench
