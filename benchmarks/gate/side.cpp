#include "benchmarks/gate/side.hpp"

#include "common/subprocess.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <unistd.h>

#include <sys/stat.h>

namespace iso::bench {

namespace {

constexpr std::uint64_t k_git_timeout_ns = 60'000'000'000;

bool is_directory(std::string const& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool is_program(std::string const& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
           ::access(path.c_str(), X_OK) == 0;
}

/// Where the engines of a folder are: in it, in bin/ (a build or an installation), in build/bin/.
Result<Side> tree_at(std::string const& option, Side side) {
    std::string const top = TRY(absolute_path(side.text));
    for (char const* const place : {"", "/bin", "/build/bin"}) {
        std::string const folder = top + place;
        if (!is_program(folder + "/isobench") && !is_program(folder + "/isolate")) continue;
        side.kind = Side::Kind::tree;
        side.path = TRY(absolute_path(folder));
        std::string const beside = side.path.substr(0, side.path.rfind('/')) + "/workloads";
        side.workloads = is_directory(side.path + "/workloads") ? side.path + "/workloads" : beside;
        return side;
    }
    return refused(option + " " + side.text,
                   "a folder without engines in it, in bin/ or in build/bin/",
                   "a tree that was built: ./isolab build");
}

Result<Finished> git(std::vector<std::string> words) {
    words.insert(words.begin(), "git");
    auto ran = run_and_capture(words, k_git_timeout_ns);
    if (ran) return ran;
    return tl::unexpected<Error>(
        std::move(ran.error()).with_hint("install git, or name result files or build trees"));
}

std::string first_line(std::string const& text) {
    return text.substr(0, text.find('\n'));
}

} // namespace

Result<std::string> absolute_path(std::string const& path) {
    char* const resolved = ::realpath(path.c_str(), nullptr);
    if (resolved == nullptr) return sys_error("realpath(" + path + ")");
    std::string result(resolved);
    std::free(resolved);
    return result;
}

Result<Side> resolve_side(std::string const& option, std::string const& text) {
    Side side;
    side.text = text;
    if (is_directory(text)) return tree_at(option, std::move(side));
    if (::access(text.c_str(), F_OK) == 0) {
        side.path = text;
        return side;
    }
    std::string const what = option + " " + text;
    std::string const next = "a result file, a build tree, or a revision such as main or HEAD~1";
    auto const top = git({"rev-parse", "--show-toplevel"});
    if (!top)
        return refused(what, "no file, no folder, and " + top.error().cause, top.error().hint);
    if (top->exit_status() != 0)
        return refused(what, "no file, no folder, and git says: " + first_line(top->err), next);
    side.repository = first_line(top->out);
    Finished const found = TRY(git({"-C", side.repository, "rev-parse", "--verify", "--quiet",
                                    "--end-of-options", text + "^{commit}"}));
    if (found.exit_status() != 0) {
        Finished const shallow =
            TRY(git({"-C", side.repository, "rev-parse", "--is-shallow-repository"}));
        if (first_line(shallow.out) == "true")
            return refused(what, "no revision of that name in this shallow clone",
                           "git fetch --unshallow (in CI: a deeper checkout), then this again");
        return refused(what, "no file, no folder and no git revision of that name", next);
    }
    side.kind = Side::Kind::revision;
    // rev-parse echoes --end-of-options; the name is the last line.
    std::string const names = found.out.substr(0, found.out.find_last_not_of('\n') + 1);
    side.commit = names.substr(names.rfind('\n') + 1);
    return side;
}

Result<void> check_committed(std::string const& option, Side const& side) {
    if (side.kind != Side::Kind::revision) return {};
    Finished const checked_out = TRY(git({"-C", side.repository, "rev-parse", "HEAD"}));
    if (first_line(checked_out.out) != side.commit) return {}; // nobody takes that for his files
    Finished const changed =
        TRY(git({"-C", side.repository, "status", "--porcelain", "--untracked-files=no"}));
    if (changed.exit_status() != 0)
        return refused(option + " " + side.text, "git says: " + first_line(changed.err), {});
    auto const files = std::count(changed.out.begin(), changed.out.end(), '\n');
    if (files == 0) return {};
    std::string const one = first_line(changed.out);
    return refused(option + " " + side.text,
                   fmt::format("changes that are not committed would not be measured ({}{})",
                               one.substr(std::min<std::size_t>(3, one.size())),
                               files == 1 ? "" : fmt::format(" and {} more", files - 1)),
                   "commit or stash them, or build them and name the tree: " + option + " build");
}

} // namespace iso::bench
