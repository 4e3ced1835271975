#pragma once

#include "benchmarks/gate/judge.hpp"
#include "benchmarks/harness/text.hpp"
#include "common/result.hpp"

#include <string>

namespace iso::bench {

/// A judgement in the forms in which it is read. `title` says what was compared with what.
std::string gate_table(Judgement const& judgement, std::string const& title,
                       TableStyle const& style);
std::string gate_markdown(Judgement const& judgement, std::string const& title);
std::string gate_junit(Judgement const& judgement, std::string const& title);
/// Schema "isolab.gate/1".
std::string gate_json(Judgement const& judgement, std::string const& title);

/// The judgement in one of the formats "table", "markdown", "junit", "json".
std::string gate_text(Judgement const& judgement, std::string const& title,
                      std::string const& format, TableStyle const& style);

/// The format that a file's ending names: .md, .xml (JUnit), .json, .txt.
/// Errors (exit status 2): another one.
Result<std::string> format_of_report(std::string const& path);

/// "2 regressions, 1 too noisy, 9 fine".
std::string summary(Judgement const& judgement);

} // namespace iso::bench
