#include "isolate/plain_line.hpp"

#include "common/units.hpp"

#include <charconv>
#include <string_view>

namespace iso::jail {

namespace {

constexpr std::string_view k_report_fd = "--report-fd=";
constexpr std::string_view k_timeout = "--timeout=";

bool read_option(std::string_view word, RunOptions& options) {
    if (word.starts_with(k_report_fd) && options.report_fd < 0) {
        word.remove_prefix(k_report_fd.size());
        char const* const end = word.data() + word.size();
        auto const [rest, problem] = std::from_chars(word.data(), end, options.report_fd);
        return problem == std::errc{} && rest == end && options.report_fd >= 3 &&
               options.report_fd <= 1 << 20;
    }
    if (word.starts_with(k_timeout) && options.timeout_ns == 0) {
        auto const time = parse_duration_ns(word.substr(k_timeout.size()));
        if (time) options.timeout_ns = *time;
        return time.has_value();
    }
    return false;
}

} // namespace

bool read_plain_line(int argc, char const* const* argv, RunOptions& options) {
    if (argc < 4 || std::string_view(argv[1]) != "run") return false;
    RunOptions read;
    int at = 2;
    for (; at < argc && std::string_view(argv[at]) != "--"; ++at)
        if (!read_option(argv[at], read)) return false;
    if (++at >= argc || *argv[at] == '\0') return false;
    read.program = argv[at];
    read.arguments.assign(argv + at + 1, argv + argc);
    options = std::move(read);
    return true;
}

} // namespace iso::jail
