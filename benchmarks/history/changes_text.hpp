#pragma once

#include "benchmarks/history/history_text.hpp"

namespace iso::bench::history {

/// What `isobench history changes` found.
struct News {
    struct Item {
        Trend const* trend;
        Change const* change;
    };
    std::vector<Item> worse;
    std::vector<Item> better;
    std::size_t judged = 0;    ///< series with points enough
    std::size_t too_short = 0; ///< series without

    /// 1: something got dearer; else 3: no series has points enough; else 0.
    [[nodiscard]] int exit_status() const;
};

/// The changes in the newest runs of the series that go on. Refers to the trends.
News news_of(std::vector<Trend> const& trends, TrendRule const& rule);

/// In one of the formats "table", "markdown", "json" (schema "isolab.changes/1").
std::string news_text(History const& history, News const& news, TrendRule const& rule,
                      std::string const& format, TableStyle const& style);

} // namespace iso::bench::history
