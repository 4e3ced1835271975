#pragma once

#include "benchmarks/harness/console.hpp"
#include "benchmarks/harness/sample.hpp"
#include "common/pidfd.hpp"

#include <string>

namespace iso::bench {

/// An instance that says a line when it runs, and goes on until it is ended.
class [[nodiscard]] Instance {
public:
    /// Starts the request's program in the request's engine. Whoever has it ends it.
    static Result<Instance> start(SampleRequest const& request);

    /// What came of waiting for the line.
    enum class Heard { line, end, nothing, interruption };
    /// Until it has said a line, has ended, or the time comes.
    Heard wait_for_line(std::uint64_t deadline_ns, Interrupts& interrupts);
    /// The line, as a workload prints it. Errors: it is none.
    [[nodiscard]] Result<OwnOutput> line() const { return parse_own_output(said_); }
    /// Why there is no line: "ended before it said anything: its last words".
    [[nodiscard]] std::string why_not(Heard heard) const;

    [[nodiscard]] std::uint64_t spawn_ns() const { return spawn_ns_; }
    [[nodiscard]] std::uint64_t said_ns() const { return said_ns_; } ///< its first byte
    [[nodiscard]] bool ended() const;

    /// To its process group: it is not reaped, so the number is no other's.
    void signal(int number) const;
    /// Until it has ended by itself, or the time comes: then it is killed. False: it had to be.
    bool reap(std::uint64_t deadline_ns);

private:
    [[nodiscard]] bool await(std::uint64_t deadline_ns, int interruption) const;
    void drain();

    pid_t pid_ = -1;
    Pidfd process_;
    Fd out_;
    Fd err_;
    std::optional<ConsoleFrame> console_;
    std::string said_;
    std::string complained_;
    std::uint64_t spawn_ns_ = 0;
    std::uint64_t said_ns_ = 0;
};

/// Ends instances politely, then not, and whatever they leave. `engine` cleans up when it was not
/// orderly.
void end_instances(std::vector<Instance>& instances, Engine const& engine);

} // namespace iso::bench
