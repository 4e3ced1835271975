#pragma once

/// The ring of commands to one address space's mapper, as K fills it.

#include "paravirt-demo/stub/kernel_stub.hpp"

namespace iso::pv {

/// One address space, seen from K.
class Space {
public:
    /// Queues one mapping: `bytes` at `va` show the domain's memory from `offset`. Contiguous
    /// mappings with equal rights become one.
    void map(uint64_t va, uint64_t offset, uint64_t bytes, uint32_t protection);
    /// Queues the end of all mappings in [va, va + bytes); neighbouring ranges become one.
    void unmap(uint64_t va, uint64_t bytes);
    /// Queues a change of rights of what is mapped in [va, va + bytes), all of it.
    void protect(uint64_t va, uint64_t bytes, uint32_t protection);
    /// Queues the end of everything that a program can have mapped.
    void unmap_all();
    /// Returns when the mapper has made everything queued: the frames may then be used for others.
    void barrier();
    /// Queues "let the program go on" behind everything queued; one wake-up for both.
    void resume_after_commands(uint32_t event);
    /// Wakes the mapper for what is queued, without waiting.
    void publish();

    [[nodiscard]] bool has_queued() const { return queued_ || pending_.bytes != 0; }
    void reset(unsigned slot);

    [[nodiscard]] CommandPage& command() const { return *reinterpret_cast<CommandPage*>(base()); }
    [[nodiscard]] EventPage& event() const {
        return *reinterpret_cast<EventPage*>(base() + k_page);
    }
    [[nodiscard]] uint64_t base() const { return k_slots_base + uint64_t{slot_} * k_slot_bytes; }
    [[nodiscard]] unsigned slot() const { return slot_; }
    /// The monitor saw its process end.
    [[nodiscard]] bool dead() const {
        return __atomic_load_n(&command().dead, __ATOMIC_SEQ_CST) != 0;
    }

    bool announced = false;  ///< its first event has come
    uint32_t last_event = 0; ///< the event that the kernel answers next

private:
    MapperCommand& append();
    void read_acknowledgement();
    void flush_pending();

    unsigned slot_ = 0;
    uint32_t tail_ = 0;         ///< commands ever appended
    uint32_t acknowledged_ = 0; ///< of them, known to be made
    bool queued_ = false;       ///< appended since the mapper was last woken
    bool mapped_ = false;       ///< something may be mapped
    enum class Change : uint8_t { map, unmap, protect };
    /// The change to neighbouring pages that is being gathered.
    struct Pending {
        uint64_t va = 0;
        uint64_t bytes = 0; ///< 0: nothing is
        uint64_t offset = 0;
        uint32_t protection = 0;
        Change change = Change::map;
    };
    /// Makes `next` part of what is being gathered, or puts that into the ring first.
    void gather(Pending const& next);

    Pending pending_;
};

} // namespace iso::pv
