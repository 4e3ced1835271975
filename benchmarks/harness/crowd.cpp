#include "benchmarks/harness/crowd.hpp"

#include "benchmarks/harness/instance.hpp"
#include "benchmarks/harness/memory.hpp"
#include "common/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <poll.h>

namespace iso::bench {

namespace {

// Before memory is read: what an engine gives back after it has started a program is given back by
// then. Nothing tells when, so this is the one wait that is for a time.
constexpr std::uint64_t k_calm_ns = 200'000'000;

class Crowd {
public:
    Crowd(SampleRequest const& request, Interrupts& interrupts)
        : request_(request)
        , interrupts_(interrupts)
        , began_ns_(monotonic_ns())
        , deadline_ns_(began_ns_ + request.timeout_ns) {}
    ~Crowd() { end(); }
    Crowd(Crowd const&) = delete;
    Crowd& operator=(Crowd const&) = delete;

    Result<void> grow(Sample& sample) {
        for (unsigned level = 1; level <= k_crowd && failure_.empty() && !late_ && !interrupted_;
             ++level) {
            members_.push_back(TRY(Instance::start(request_)));
            if (!wait_for_line(level)) break;
            sample.counters["density.instances"] = level;
            if (std::find(std::begin(k_crowd_levels), std::end(k_crowd_levels), level) !=
                std::end(k_crowd_levels))
                sample.counters[fmt::format("density.start_{}_ns", level)] =
                    members_.back().said_ns() - members_.back().spawn_ns();
            if (level == 1) one_ = memory_now();
        }
        if (failure_.empty() && !interrupted_) take_memory(sample);
        return {};
    }

    /// Politely, then not; everything is reaped.
    void end() { end_instances(members_, *request_.engine); }

    [[nodiscard]] std::string const& failure() const { return failure_; }
    [[nodiscard]] bool interrupted() const { return interrupted_; }
    [[nodiscard]] std::uint64_t began_ns() const { return began_ns_; }
    [[nodiscard]] std::optional<OwnOutput> const& own() const { return own_; }

private:
    /// Until the youngest has said its line. False: it has not, and the reason is known.
    bool wait_for_line(unsigned level) {
        Instance& member = members_.back();
        Instance::Heard const heard = member.wait_for_line(deadline_ns_, interrupts_);
        interrupted_ = heard == Instance::Heard::interruption;
        if (heard == Instance::Heard::line) return judge(member, level);
        late_ = heard == Instance::Heard::nothing && level > 2;
        if (!late_ && !interrupted_)
            failure_ = fmt::format("instance {} {}", level, member.why_not(heard));
        return false;
    }

    bool judge(Instance const& member, unsigned level) {
        auto own = member.line();
        if (!own) {
            failure_ = fmt::format("instance {}: {}", level, own.error().cause);
            return false;
        }
        if (!own->not_available.empty()) {
            failure_ = fmt::format("instance {}: {}", level, own->not_available);
            return false;
        }
        if (!own_) own_ = std::move(*own);
        return true;
    }

    std::optional<MemoryUse> memory_now() {
        pollfd interruption{interrupts_.fd(), POLLIN, 0};
        ::poll(&interruption, 1, wait_ms(monotonic_ns() + k_calm_ns));
        interrupted_ = interrupts_.pending() != 0;
        if (interrupted_) return {};
        return memory_of_descendants();
    }

    void take_memory(Sample& sample) {
        auto const instances = sample.counters["density.instances"];
        auto const all = memory_now();
        if (instances < 2 || !one_ || !all) return;
        auto each = [&](std::uint64_t whole, std::uint64_t one) {
            return whole > one ? (whole - one) / (instances - 1) : 0;
        };
        sample.counters["density.pss_bytes"] = each(all->pss, one_->pss);
        sample.counters["density.private_bytes"] = each(all->private_, one_->private_);
    }

    SampleRequest const& request_;
    Interrupts& interrupts_;
    std::uint64_t began_ns_;
    std::uint64_t deadline_ns_;
    std::vector<Instance> members_;
    std::optional<MemoryUse> one_;
    std::optional<OwnOutput> own_;
    std::string failure_;
    bool late_ = false;
    bool interrupted_ = false;
};

} // namespace

Result<Taken> take_crowd(SampleRequest const& request, Interrupts& interrupts) {
    Taken taken;
    Sample& sample = taken.sample;
    Crowd crowd(request, interrupts);
    TRY(crowd.grow(sample));
    crowd.end();
    sample.arm = request.engine->name();
    sample.at_ns = crowd.began_ns();
    sample.wall_ns = monotonic_ns() - crowd.began_ns();
    sample.own = crowd.own();
    sample.failure = crowd.interrupted() ? "interrupted" : crowd.failure();
    taken.raw.interrupted = crowd.interrupted();
    return taken;
}

} // namespace iso::bench
