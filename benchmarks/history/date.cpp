#include "benchmarks/history/date.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>

namespace iso::bench::history {

namespace {

tl::unexpected<Error> refused(std::string const& text) {
    return tl::unexpected<Error>(Error{
        "date", "'" + text + "' is no date",
        "2026-01-02, 2026-01-02T03:04:05Z or 2026-01-02T03:04:05+01:00", 0, exit_code::usage});
}

} // namespace

Result<std::string> utc_date(std::string const& text) {
    using namespace std::chrono;
    int y = 0;
    unsigned month_of = 0;
    unsigned day_of = 0;
    int h = 0;
    int m = 0;
    int s = 0;
    char sign = 0;
    int off_h = 0;
    int off_m = 0;
    int date_end = 0;
    int time_end = 0;
    int end = 0;
    // Widths are checked by printing what was read: it has to be the text again.
    if (std::sscanf(text.c_str(), "%4d-%2u-%2u%n", &y, &month_of, &day_of, &date_end) < 3)
        return refused(text);
    auto const size = static_cast<int>(text.size());
    std::string again = fmt::format("{:04}-{:02}-{:02}", y, month_of, day_of);
    if (date_end != size) {
        if (std::sscanf(text.c_str() + date_end, "T%2d:%2d:%2d%n", &h, &m, &s, &time_end) < 3)
            return refused(text);
        again += fmt::format("T{:02}:{:02}:{:02}", h, m, s);
        std::string const rest = text.substr(static_cast<std::size_t>(date_end + time_end));
        if (rest != "Z") {
            if (std::sscanf(rest.c_str(), "%c%2d:%2d%n", &sign, &off_h, &off_m, &end) < 3 ||
                (sign != '+' && sign != '-'))
                return refused(text);
            again += fmt::format("{}{:02}:{:02}", sign, off_h, off_m);
        } else {
            again += "Z";
        }
    }
    if (again != text) return refused(text);
    year_month_day const date{year{y}, month{month_of}, day{day_of}};
    if (!date.ok() || h > 23 || m > 59 || s > 60 || off_h > 23 || off_m > 59 || h < 0 || m < 0 ||
        s < 0 || off_h < 0 || off_m < 0)
        return refused(text);
    seconds offset = hours{off_h} + minutes{off_m};
    if (sign == '-') offset = -offset;
    sys_seconds const moment = sys_days{date} + hours{h} + minutes{m} + seconds{s} - offset;
    auto const midnight = floor<days>(moment);
    year_month_day const utc{midnight};
    hh_mm_ss const time{moment - midnight};
    if (int(utc.year()) < 1970 || int(utc.year()) > 9999) return refused(text);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", int(utc.year()),
                       unsigned(utc.month()), unsigned(utc.day()), time.hours().count(),
                       time.minutes().count(), time.seconds().count());
}

} // namespace iso::bench::history
