#include "common/machine/doorbell.hpp"

#include "common/clock.hpp"
#include "common/machine/stop.hpp"
#include "common/machine/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <poll.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/random.h>

namespace iso {

namespace {

/// Work whose size the guest chooses is done in pieces of this size, with a look at stopping()
/// between them. Units: bytes.
constexpr std::uint64_t k_piece = std::uint64_t{1} << 20U;
constexpr std::uint64_t k_random_piece = 256; // getrandom(2) gives up to this much uninterrupted
constexpr std::uint64_t k_max_message = 1024;
constexpr std::uint64_t k_max_status = 255;
constexpr std::uint64_t k_max_signal = 64;

constexpr std::array<char const*, k_operations> k_names = {
    nullptr, "flush", "write",  "read",  "exit",  "panic",   "copy",
    "zero",  "trace", "random", "sleep", "timer", "populate"};

/// Calls `step(offset, bytes)` for pieces of [0, bytes). False when the engine was told to stop.
template <typename Step>
bool in_pieces(std::uint64_t bytes, std::uint64_t piece, Step step) {
    for (std::uint64_t done = 0; done < bytes; done += piece) {
        if (stopping()) return false;
        step(done, std::min(piece, bytes - done));
    }
    return true;
}

/// Waits until stdin can be read without blocking, or has nothing any more, or CLOCK_MONOTONIC is
/// `until` (ns); not for a signal other than a stop. True: stdin.
bool wait_for_input(std::uint64_t until) {
    constexpr std::uint64_t k_second = 1'000'000'000;
    while (!stopping()) {
        std::uint64_t const now = monotonic_ns();
        std::uint64_t const rest = until > now ? until - now : 0;
        timespec const patience{static_cast<time_t>(rest / k_second),
                                static_cast<long>(rest % k_second)};
        pollfd input{STDIN_FILENO, POLLIN, 0};
        int const ready = ::ppoll(&input, 1, &patience, nullptr);
        // An error or a descriptor that is none counts, too: reading says which, and does not
        // block.
        if (ready != 0 && !(ready < 0 && errno == EINTR)) return true;
        if (ready == 0 && rest == 0) return false;
    }
    return false;
}

bool overlap(std::span<std::byte> a, std::span<std::byte> b) {
    return a.data() < b.data() + b.size() && b.data() < a.data() + a.size();
}

} // namespace

char const* Doorbell::name(std::uint32_t operation) {
    return operation < k_names.size() ? k_names[operation] : nullptr;
}

bool Doorbell::fetch() {
    constexpr GuestPhys page{ISO_DOORBELL_GPA};
    struct Head {
        std::uint32_t operation, range_count;
        std::int64_t result;
        std::array<std::uint64_t, 8> argument;
    };
    static_assert(sizeof(Head) == offsetof(iso_doorbell, ranges));
    auto const head = memory_.fetch<Head>(page);
    if (!head || head->range_count > ISO_DOORBELL_RANGES) return false;
    std::uint64_t const bytes = head->range_count * sizeof(iso_range);
    auto const ranges = memory_.at({page.value + sizeof(Head)}, bytes, Access::read);
    if (!ranges) return false;
    request_.operation = head->operation;
    request_.range_count = head->range_count;
    request_.argument = head->argument;
    std::memcpy(request_.ranges.data(), ranges->data(), bytes);
    return true;
}

Doorbell::Next Doorbell::ring(std::uint32_t value) {
    ++counts_[name(value) != nullptr ? value : 0];
    std::int64_t const result = fetch() && request_.operation == value ? serve() : -EINVAL;
    if (stopping()) return Next::stopped;
    (void)memory_.store({ISO_DOORBELL_GPA + offsetof(iso_doorbell, result)}, result);
    return end_ ? Next::ended : Next::resume;
}

std::int64_t Doorbell::serve() {
    switch (request_.operation) {
    case ISO_OP_FLUSH:
        return console_.drain();
    case ISO_OP_WRITE:
        return write();
    case ISO_OP_READ:
        return read();
    case ISO_OP_EXIT:
        return finish();
    case ISO_OP_PANIC:
        return panic();
    case ISO_OP_COPY:
        return copy();
    case ISO_OP_ZERO:
        return zero();
    case ISO_OP_POPULATE:
        return populate();
    case ISO_OP_TRACE:
        return trace_syscall();
    case ISO_OP_SLEEP:
        return sleep();
    case ISO_OP_RANDOM:
        return random();
    case ISO_OP_TIMER:
        return set_timer_ ? set_timer_(request_.argument[0]) : -ENOSYS;
    default:
        return -ENOSYS;
    }
}

/// The request's ranges as host memory; all of them or, with -EFAULT, none.
std::int64_t Doorbell::collect(Access access, std::vector<iovec>& parts) const {
    parts.reserve(request_.range_count);
    for (std::uint32_t i = 0; i < request_.range_count; ++i) {
        iso_range const& range = request_.ranges[i];
        auto const bytes = memory_.at({range.gpa}, range.bytes, access);
        if (!bytes) return -EFAULT;
        parts.push_back({bytes->data(), bytes->size()});
    }
    return 0;
}

std::int64_t Doorbell::write() {
    std::uint64_t const descriptor = request_.argument[0];
    if (descriptor != STDOUT_FILENO && descriptor != STDERR_FILENO) return -EBADF;
    std::vector<iovec> parts;
    if (std::int64_t const bad = collect(Access::read, parts); bad != 0) return bad;
    if (std::int64_t const failed = console_.drain(); failed != 0) return failed;
    return write_parts(static_cast<int>(descriptor), parts);
}

std::int64_t Doorbell::read() {
    std::vector<iovec> parts;
    if (std::int64_t const bad = collect(Access::write, parts); bad != 0) return bad;
    (void)console_.drain(); // a prompt must be seen; its failure is not the reader's
    // Another reader of the same terminal or pipe may still be faster between the look and the
    // read; then this one waits, as two processes that share a descriptor would on Linux.
    if (request_.argument[0] == 1 && !wait_for_input(0)) return stopping() ? -EINTR : -EAGAIN;
    while (!stopping()) {
        ssize_t const n = ::readv(STDIN_FILENO, parts.data(), static_cast<int>(parts.size()));
        if (n >= 0) return n;
        if (errno ==
            EAGAIN) { // the descriptor does not block, and the program expects one that does
            pollfd ready{STDIN_FILENO, POLLIN, 0};
            ::poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return -EINTR;
}

std::int64_t Doorbell::copy() {
    if (request_.range_count % 2 != 0) return -EINVAL;
    for (std::uint32_t i = 0; i < request_.range_count; i += 2) {
        iso_range const& source = request_.ranges[i];
        iso_range const& target = request_.ranges[i + 1];
        if (source.bytes != target.bytes) return -EINVAL;
        auto const from = memory_.at({source.gpa}, source.bytes, Access::read);
        auto const to = memory_.at({target.gpa}, target.bytes, Access::write);
        if (!from || !to) return -EFAULT;
        if (overlap(*from, *to)) return -EINVAL;
        if (!in_pieces(source.bytes, k_piece, [&](std::uint64_t offset, std::uint64_t bytes) {
                std::memcpy(to->data() + offset, from->data() + offset, bytes);
            }))
            return -EINTR;
    }
    return 0;
}

std::int64_t Doorbell::zero() {
    for (std::uint32_t i = 0; i < request_.range_count; ++i) {
        iso_range const& range = request_.ranges[i];
        auto const target = memory_.at({range.gpa}, range.bytes, Access::write);
        if (!target) return -EFAULT;
        if (!in_pieces(range.bytes, k_piece, [&](std::uint64_t offset, std::uint64_t bytes) {
                std::memset(target->data() + offset, 0, bytes);
            }))
            return -EINTR;
    }
    return 0;
}

/// Only what the guest may have anyway: its own memory.
std::int64_t Doorbell::populate() {
    for (std::uint32_t i = 0; i < request_.range_count; ++i) {
        iso_range const& range = request_.ranges[i];
        auto const target = memory_.at({range.gpa}, range.bytes, Access::write);
        if (!target) return -EFAULT;
        if (range.gpa % ISO_PAGE_SIZE != 0) return -EINVAL;
        int failed = 0;
        if (!in_pieces(range.bytes, k_piece, [&](std::uint64_t offset, std::uint64_t bytes) {
                if (::madvise(target->data() + offset, bytes, MADV_POPULATE_WRITE) != 0)
                    failed = errno;
            }))
            return -EINTR;
        if (failed != 0) return -failed;
    }
    return 0;
}

std::int64_t Doorbell::random() {
    for (std::uint32_t i = 0; i < request_.range_count; ++i) {
        iso_range const& range = request_.ranges[i];
        auto const target = memory_.at({range.gpa}, range.bytes, Access::write);
        if (!target) return -EFAULT;
        bool failed = false;
        if (!in_pieces(range.bytes, k_random_piece, [&](std::uint64_t offset, std::uint64_t bytes) {
                failed |=
                    ::getrandom(target->data() + offset, bytes, 0) != static_cast<ssize_t>(bytes);
            }))
            return -EINTR;
        if (failed) return -EIO;
    }
    return 0;
}

std::int64_t Doorbell::sleep() {
    (void)console_.drain();
    constexpr std::uint64_t second = 1'000'000'000;
    std::uint64_t const until = request_.argument[0];
    if (request_.argument[1] == 1) {
        bool const input = wait_for_input(until);
        return stopping() ? -EINTR : input ? 1 : 0;
    }
    timespec const moment{static_cast<time_t>(until / second), static_cast<long>(until % second)};
    // The guest's CLOCK_MONOTONIC is the host's, so a moment means the same on both sides. Signals
    // other than a stop do not shorten the sleep: it is to a moment, not for a time.
    while (!stopping())
        if (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, nullptr) != EINTR) return 0;
    return -EINTR;
}

std::int64_t Doorbell::finish() {
    (void)console_.drain();
    std::uint64_t const how = request_.argument[0];
    std::uint64_t const value = request_.argument[1];
    if (how == 0 && value <= k_max_status)
        end_ = GuestEnd{GuestEnd::Kind::exited, static_cast<int>(value), {}};
    else if (how == 1 && value >= 1 && value <= k_max_signal)
        end_ = GuestEnd{GuestEnd::Kind::signalled, static_cast<int>(value), {}};
    else
        end_ = GuestEnd{
            GuestEnd::Kind::panicked, 0,
            fmt::format("it reported an end that does not exist (kind {}, value {})", how, value)};
    return 0;
}

std::int64_t Doorbell::panic() {
    (void)console_.drain();
    std::string message = "it gave no message";
    if (request_.range_count >= 1) {
        iso_range const& range = request_.ranges[0];
        auto const bytes =
            memory_.at({range.gpa}, std::min(range.bytes, k_max_message), Access::read);
        if (bytes) {
            message.assign(reinterpret_cast<char const*>(bytes->data()), bytes->size());
            // The text goes to a terminal: the guest does not get to send it control sequences.
            for (char& c : message)
                if (c < ' ' || c > '~') c = '.';
        }
    }
    end_ = GuestEnd{GuestEnd::Kind::panicked, 0, std::move(message)};
    return 0;
}

std::int64_t Doorbell::trace_syscall() const {
    if (!trace_) return 0; // the guest was not asked to
    std::array<std::uint64_t, 6> arguments{};
    std::copy_n(request_.argument.begin() + 1, arguments.size(), arguments.begin());
    say(format_syscall(request_.argument[0], arguments,
                       static_cast<std::int64_t>(request_.argument[7])));
    return 0;
}

} // namespace iso
