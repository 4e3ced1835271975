#pragma once

#include "common/fd.hpp"

#include <cstdint>
#include <string>

namespace iso::jail {

/// What a detached jail may leave of its output on disk, unless --log-size says otherwise.
inline constexpr std::uint64_t k_usual_log_bytes = std::uint64_t{16} << 20U;

/// What a detached jail writes, in its directory: `log`, and before that `log.1`. When `log` has
/// reached half of the limit it becomes `log.1`, whose older text is lost.
///
/// A disk that is full never stops the jail: what could not be written is counted, and the count is
/// written as soon as there is room.
class LogFile {
public:
    static Result<LogFile> open(int directory, std::uint64_t limit_bytes);
    void append(std::string_view text);

private:
    LogFile(int directory, Fd file, std::uint64_t size, std::uint64_t half)
        : directory_(directory)
        , file_(std::move(file))
        , size_(size)
        , half_(half) {}
    bool put(std::string_view text);

    int directory_;
    Fd file_;
    std::uint64_t size_;
    std::uint64_t half_;
    std::uint64_t lost_ = 0;
};

/// Writes the log of a jail to `out`. Returns the size of `log` that was read, to go on from.
Result<void> print_log(int directory, int out);
/// The same, and goes on until `ended` says so and everything was printed.
Result<void> follow_log(int directory, int out, bool (*ended)(void*), void* context);

} // namespace iso::jail
