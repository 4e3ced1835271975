#include "benchmarks/history/changes_text.hpp"

#include "common/exit.hpp"
#include "common/json.hpp"

#include <fmt/format.h>

namespace iso::bench::history {

namespace {

using nlohmann::json;

std::string rule_of(TrendRule const& rule) {
    return fmt::format("The newest {} runs of each series, by E-divisive (p at most {:g}, {} "
                       "permutations, two runs on each side); changes below {:.2g} % are none.",
                       rule.newest, rule.points.level, rule.points.permutations,
                       100 * rule.min_effect);
}

std::string summary_of(News const& news) {
    if (news.judged == 0)
        return news.too_short == 0
                   ? "No series goes on: nothing to say."
                   : fmt::format("Too few runs to say anything: none of {} series has enough.",
                                 news.too_short);
    std::string text = fmt::format("{} for the worse, {} for the better, in {} series",
                                   news.worse.size(), news.better.size(), news.judged);
    if (news.too_short != 0) text += fmt::format("; {} have too few runs to say", news.too_short);
    return text + ".";
}

std::string as_table(History const& history, News const& news, TrendRule const& rule,
                     TableStyle const& style) {
    std::string out;
    auto add = [&](std::vector<News::Item> const& items, std::string const& mark) {
        for (News::Item const& item : items)
            out += mark + " " +
                   paragraph(sentence(history, *item.trend, *item.change), 8, 8, style) + "\n";
    };
    add(news.worse, style.alarm("WORSE  "));
    add(news.better, style.bold("better "));
    if (!out.empty()) out += "\n";
    return out + summary_of(news) + "\n" + style.dim(paragraph(rule_of(rule), 0, 0, style)) + "\n";
}

std::string markdown_cell(std::string text) {
    for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
        text.insert(at, "\\");
    return text;
}

std::string as_markdown(History const& history, News const& news, TrendRule const& rule) {
    std::string out = "**" + summary_of(news) + "**\n";
    auto add = [&](std::vector<News::Item> const& items) {
        for (News::Item const& item : items) {
            SeriesKey const& key = item.trend->series->key;
            Run const& run = *history.run(item.trend->series->points[item.change->point].run);
            out += fmt::format("| {} | {} | {} | {} | {} | {} |\n", markdown_cell(subject_of(key)),
                               markdown_cell(key.engine), percent(item.change->share),
                               value_text(key, item.change->before),
                               value_text(key, item.change->after), markdown_cell(when_text(run)));
        }
    };
    if (!news.worse.empty() || !news.better.empty())
        out += "\n| what | engine | change | before | since | from |\n"
               "|---|---|---:|---:|---:|---|\n";
    add(news.worse);
    add(news.better);
    return out + "\n" + rule_of(rule) + "\n";
}

json as_json(History const& history, News::Item const& item) {
    SeriesKey const& key = item.trend->series->key;
    Run const& run = *history.run(item.trend->series->points[item.change->point].run);
    return {{"machine", key.machine},
            {"workload", key.workload},
            {"metric", key.metric},
            {"engine", key.engine},
            {"backend", key.backend},
            {"comparison", to_string(key.comparison)},
            {"unit", key.unit},
            {"run", run.id},
            {"date", run.date},
            {"commit", run.commit},
            {"before", item.change->before},
            {"after", item.change->after},
            {"change", item.change->share},
            {"worse", item.change->is_worse()},
            {"p", item.change->p},
            {"runs_before", item.change->points_before},
            {"runs_after", item.change->points_after},
            {"also", item.change->also}};
}

std::string as_json(History const& history, News const& news, TrendRule const& rule) {
    json changes = json::array();
    for (auto const* const items : {&news.worse, &news.better})
        for (News::Item const& item : *items)
            changes.push_back(as_json(history, item));
    json const document = {{"schema", "isolab.changes/1"},
                           {"exit_status", news.exit_status()},
                           {"newest", rule.newest},
                           {"min_effect", rule.min_effect},
                           {"level", rule.points.level},
                           {"series", news.judged},
                           {"series_too_short", news.too_short},
                           {"changes", changes}};
    return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

} // namespace

int News::exit_status() const {
    if (!worse.empty()) return exit_code::no;
    return judged == 0 ? exit_code::gate_too_noisy : exit_code::done;
}

News news_of(std::vector<Trend> const& trends, TrendRule const& rule) {
    News news;
    for (Trend const* const trend : in_table_order(trends)) {
        if (trend->superseded || trend->runs_since >= rule.newest) continue;
        ++(has_enough(*trend, rule) ? news.judged : news.too_short);
        for (Change const& change : trend->changes)
            if (trend->is_news(change, rule.newest))
                (change.is_worse() ? news.worse : news.better).push_back({trend, &change});
    }
    return news;
}

std::string news_text(History const& history, News const& news, TrendRule const& rule,
                      std::string const& format, TableStyle const& style) {
    if (format == "markdown") return as_markdown(history, news, rule);
    if (format == "json") return as_json(history, news, rule);
    return as_table(history, news, rule, style);
}

} // namespace iso::bench::history
