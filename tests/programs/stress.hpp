#pragma once

#include <string>

namespace stress {

struct Options {
    unsigned long seed = 1;
    int rounds = 2;
    int width = 20; // how many processes, threads, steps
    bool leaks = false;
    bool exhaust = false;
    std::string only;
};

/// xorshift64*: the same everywhere.
class Random {
public:
    explicit Random(unsigned long seed)
        : state_(seed * 2 + 1) {}
    unsigned long next() {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 0x2545f4914f6cdd1d;
    }
    unsigned long below(unsigned long limit) { return (next() >> 20) % limit; }

private:
    unsigned long state_;
};

[[noreturn]] void fail(char const* what);

// Each returns a checksum of what it did, or a negative number when something was wrong.
long forks(Options const& options, Random random);
long pipes(Options const& options, Random random);
long memory(Options const& options, Random random);
long signals(Options const& options, Random random);
long files(Options const& options, Random random);
long execs(Options const& options, Random random);
long handles(Options const& options, Random random);
long exhaustion(Options const& options, Random random);

} // namespace stress
