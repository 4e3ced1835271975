#include "benchmarks/history/verb_history.hpp"

#include "benchmarks/harness/output_file.hpp"
#include "benchmarks/harness/results_file.hpp"
#include "benchmarks/history/archive.hpp"
#include "benchmarks/history/changes_text.hpp"
#include "benchmarks/history/date.hpp"
#include "benchmarks/history/extract.hpp"
#include "benchmarks/history/history_text.hpp"
#include "benchmarks/history/store.hpp"
#include "common/fd.hpp"
#include "common/json.hpp"
#include "common/subprocess.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace iso::bench {

namespace {

using namespace history;

constexpr std::size_t k_largest_export = std::size_t{1} << 30U;
constexpr std::uint64_t k_git_timeout_ns = 10'000'000'000;

tl::unexpected<Error> called_wrongly(std::string op, std::string cause, std::string hint) {
    return tl::unexpected<Error>(
        Error{std::move(op), std::move(cause), std::move(hint), 0, exit_code::usage});
}

/// The full name of a commit where git knows one by that name here, else the text itself: a history
/// may be kept where the repository is not.
Result<std::string> commit_of(std::string const& text) {
    if (text.empty()) return text;
    std::string const quoted =
        nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    if (nlohmann::json::parse(quoted).get<std::string>() != text || plain(text) != text)
        return called_wrongly("--commit", "it has control characters, is no UTF-8 or is too long",
                              "a revision of git, or a short name");
    auto const found = run_and_capture(
        {"git", "rev-parse", "--verify", "--quiet", "--end-of-options", text + "^{commit}"},
        k_git_timeout_ns);
    if (!found || found->exit_status() != 0) {
        if (text.starts_with("HEAD") || text.starts_with("@"))
            return called_wrongly("--commit " + text, "git knows no such commit here",
                                  "its full name, or isobench in the repository");
        return text;
    }
    // rev-parse echoes --end-of-options; the name is the last line.
    std::string const name = found->out.substr(0, found->out.find_last_not_of('\n') + 1);
    return name.substr(name.rfind('\n') + 1);
}

struct Added {
    std::string file;
    History history;
};

Result<int> add(HistoryOptions const& options) {
    Label label;
    label.commit = TRY(commit_of(options.commit));
    if (!options.date.empty()) label.date = TRY(utc_date(options.date));
    std::vector<Added> results; // all are read before anything is written
    History all;
    for (std::string const& file : options.files) {
        Results const read = TRY(read_results(file));
        auto one = history_of(read, label);
        if (!one) {
            one.error().op = file;
            return tl::unexpected<Error>(std::move(one.error()));
        }
        append(all, *one);
        results.push_back({file, std::move(*one)});
    }
    Merged const merged = TRY(merge(options.db, all, Known::skip));
    int status = exit_code::done;
    std::vector<std::string> told;
    for (Added const& result : results) {
        Run const& run = result.history.runs.front();
        bool const fresh =
            std::find(merged.added.begin(), merged.added.end(), run.id) != merged.added.end() &&
            std::find(told.begin(), told.end(), run.id) == told.end();
        told.push_back(run.id);
        if (!fresh) {
            fmt::print("{} is in {} already, as run {:.8}\n", result.file, options.db, run.id);
            continue;
        }
        std::size_t numbers = 0;
        std::string gaps;
        for (Series const& series : result.history.series) {
            Point const& point = series.points.front();
            numbers += point.value ? 1 : 0;
            if (!point.value)
                gaps += fmt::format("isobench: {}: no number: {} in {}: {}: {}\n", result.file,
                                    subject_of(series.key), series.key.engine,
                                    to_string(point.status), point.reason);
            if (!point.value && point.status != Status::inconclusive) status = exit_code::no;
        }
        fmt::print("added {} to {} as run {:.8}: {} numbers of machine {:.8}{}\n", result.file,
                   options.db, run.id, numbers, run.machine,
                   run.commit.empty() ? "" : fmt::format(", commit {:.12}", run.commit));
        fmt::print(stderr, "{}", gaps);
    }
    return status;
}

/// The series that were asked for, with their changes. Errors: none are.
Result<std::vector<Trend>> chosen_trends(HistoryOptions const& options, History const& all) {
    Choice const choice{options.engines, options.workloads, options.machine, options.superseded};
    std::vector<Trend> trends = trends_of(all, options.rule);
    trends.erase(std::remove_if(trends.begin(), trends.end(),
                                [&](Trend const& trend) { return !choice.has(trend); }),
                 trends.end());
    bool const asked =
        !options.engines.empty() || !options.workloads.empty() || !options.machine.empty();
    if (trends.empty() && asked)
        return called_wrongly(options.db, "no series is of what was asked for",
                              "isobench history show --db " + options.db + ", which names all");
    return trends;
}

Result<void> put(HistoryOptions const& options, std::string const& text, OutputFile const& file) {
    if (options.output.empty())
        fmt::print("{}", text);
    else
        TRY(file.commit(text));
    return {};
}

Result<OutputFile> output_of(HistoryOptions const& options) {
    if (options.output.empty()) return OutputFile{};
    return OutputFile::prepare(options.output);
}

Result<int> list(HistoryOptions const& options) {
    History const all = TRY(load(options.db));
    fmt::print("{}", list_text(all, options.db, TableStyle::of_terminal(1)));
    return exit_code::done;
}

Result<int> show(HistoryOptions const& options) {
    History const all = TRY(load(options.db));
    TableStyle const style = TableStyle::of_terminal(1);
    auto const trends = TRY(chosen_trends(options, all));
    fmt::print("{}", all.runs.empty() ? list_text(all, options.db, style)
                                      : show_text(all, trends, options.rule, style));
    return exit_code::done;
}

Result<int> changes(HistoryOptions const& options) {
    OutputFile const file = TRY(output_of(options));
    History const all = TRY(load(options.db));
    auto const trends = TRY(chosen_trends(options, all));
    News const news = news_of(trends, options.rule);
    TRY(put(options, news_text(all, news, options.rule, options.format, TableStyle::of_terminal(1)),
            file));
    return news.exit_status();
}

Result<int> export_to(HistoryOptions const& options) {
    OutputFile const file = TRY(output_of(options));
    History const all = TRY(load(options.db));
    TRY(put(options, export_json(all), file));
    return exit_code::done;
}

Result<int> import_from(HistoryOptions const& options) {
    for (std::string const& file : options.files) {
        auto text = read_file(file, k_largest_export);
        if (!text)
            return tl::unexpected<Error>(std::move(text.error()).with_exit(exit_code::usage));
        auto one = parse_export(*text);
        if (!one) {
            one.error().op = file;
            return tl::unexpected<Error>(std::move(one.error()));
        }
        Merged const merged = TRY(merge(options.db, *one, Known::compare));
        fmt::print("{}: {} runs added to {}, {} were in it already\n", file, merged.added.size(),
                   options.db, merged.known.size());
    }
    return exit_code::done;
}

Result<int> remove_runs(HistoryOptions const& options) {
    for (std::string const& id : TRY(history::remove(options.db, options.runs)))
        fmt::print("removed run {:.8} from {}\n", id, options.db);
    return exit_code::done;
}

} // namespace

Result<int> verb_history(HistoryOptions const& options) {
    if (options.verb == "add") return add(options);
    if (options.verb == "show") return show(options);
    if (options.verb == "changes") return changes(options);
    if (options.verb == "export") return export_to(options);
    if (options.verb == "import") return import_from(options);
    if (options.verb == "remove") return remove_runs(options);
    return list(options);
}

} // namespace iso::bench
