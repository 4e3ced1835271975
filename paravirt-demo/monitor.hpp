#pragma once

#include "common/machine/doorbell.hpp"
#include "paravirt-demo/block_ring.hpp"
#include "paravirt-demo/control_block.hpp"
#include "paravirt-demo/stub_process.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace iso::pv {

/// The monitor: the part of the hypervisor that the host's safety and other domains' rest on.
///
/// It owns the domain's processes and devices, and serves what K asks for. K and every U are
/// hostile: requests are read once, numbers are checked, and guest memory is reached only through
/// the doorbell's checked accessor.
class Monitor {
public:
    enum class End { guest_ended, kernel_crashed, stopped };

    struct Options {
        std::uint32_t spin = 0;    ///< iterations a side spins before it sleeps; for two cores
        std::uint64_t tick_ns = 0; ///< an event at this interval, whatever the guest asks for
    };

    /// `disk`: nullptr without one.
    static Result<Monitor> create(ControlBlock const& block, Doorbell& doorbell, BlockRing* disk,
                                  int ram_fd, Options const& options);

    /// Starts the guest kernel's process, and the first address space's beside it, so that it is
    /// ready when the kernel asks.
    Result<void> start(KernelLaunch const& launch);

    /// Serves the domain until it ends or this process is told to stop.
    Result<End> serve();

    /// Ends and reaps every process of the domain.
    void finish(rusage& usage);

    [[nodiscard]] std::string const& crash() const { return crash_; }
    /// Hypercalls that crossed to the monitor, by number: counted here, so not the guest's word.
    [[nodiscard]] std::array<std::uint64_t, ISO_HYPERCALL_COUNT> const& crossings() const {
        return crossings_;
    }
    [[nodiscard]] std::uint64_t ticks() const { return ticks_; }
    /// Address spaces that K got without waiting for their process to start.
    [[nodiscard]] std::uint64_t spares_used() const { return spares_used_; }
    [[nodiscard]] std::uint64_t spaces_started() const { return spaces_started_; }

private:
    Monitor(ControlBlock const& block, Doorbell& doorbell, BlockRing* disk)
        : block_(&block)
        , doorbell_(&doorbell)
        , disk_(disk) {}

    /// What a slot is used for. Its process may have ended without being reaped in every state.
    enum class Slot : std::uint8_t {
        empty,   ///< no process
        spare,   ///< one that K did not ask for yet
        granted, ///< K's
        ending,  ///< given back and killed; it may still run until it is reaped
    };
    [[nodiscard]] std::optional<unsigned> find_slot(Slot state) const;

    Result<void> watch_descriptor(int fd, std::uint64_t name, std::uint32_t events);
    Result<void> start_space(unsigned slot);
    std::int64_t new_space();
    void prepare_spare();
    [[nodiscard]] bool wants_spare() const;
    void process_ended(unsigned slot);
    void end_of_space(unsigned slot);
    std::int64_t free_space(std::uint64_t slot);
    std::int64_t set_timer(std::uint64_t deadline_ns);
    std::int64_t send_event(std::uint64_t port);
    void serve_request();
    std::int64_t answer(std::uint32_t number, std::array<std::uint64_t, 5> const& arguments);
    void raise_event(unsigned port);
    void watch(unsigned slot);
    void tell_of_death(unsigned slot);
    void take_tick();
    void acknowledge();
    void kernel_died();
    void describe_crash(std::array<std::uint64_t, 5> const& arguments);

    ControlBlock const* block_;
    Doorbell* doorbell_;
    BlockRing* disk_;
    Options options_;
    Fd user_program_;
    Fd kernel_program_;
    Fd ram_;
    Fd control_;
    Fd acknowledge_;
    Fd bell_;
    Fd timer_;
    StubProcess kernel_;
    Fd sources_;                      ///< epoll: what can happen
    std::vector<StubProcess> spaces_; ///< by slot
    std::vector<Slot> slots_;
    unsigned spares_ = 0;
    unsigned spares_wanted_ = 0;
    std::uint64_t spares_used_ = 0;
    std::uint32_t answered_ = 0;
    std::optional<End> end_;
    std::string crash_;
    std::array<std::uint64_t, ISO_HYPERCALL_COUNT> crossings_{};
    std::uint64_t ticks_ = 0;
    struct {
        unsigned slot = 0;
        std::uint64_t entries = 0;
        std::uint64_t since_ns = 0;
    } watched_; ///< the user code that runs, as of the last tick that found it as it is
    std::uint64_t spaces_started_ = 0;
    rusage ended_{}; ///< what processes used that are gone
};

} // namespace iso::pv
