#pragma once

#include <cstdint>
#include <string>

namespace iso::bench {

/// How far a comparison is. On a terminal one line that is written over, with the time left; in a
/// log a plain line now and then.
class Progress {
public:
    explicit Progress(bool quiet = false);
    ~Progress() { clear(); }
    Progress(Progress const&) = delete;
    Progress& operator=(Progress const&) = delete;

    /// `left_ns`: how long it will still take.
    void update(std::string const& what, std::uint64_t elapsed_ns, std::uint64_t left_ns);
    /// A line that stays.
    void note(std::string const& text);
    void clear();

private:
    bool quiet_;
    bool terminal_;
    bool shown_ = false;
    std::uint64_t last_ns_ = 0;
};

} // namespace iso::bench
