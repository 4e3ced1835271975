#pragma once

#include "common/abi/hypercall_abi.h"
#include "common/fd.hpp"
#include "common/mapping.hpp"
#include "common/result.hpp"
#include "paravirt-demo/stub/boundary.hpp"

namespace iso::pv {

/// The control file as the monitor maps it: the page it shares with K, the shared information page,
/// and every slot. Everything in it that K or U can write is hostile.
class ControlBlock {
public:
    static Result<ControlBlock> create();

    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] Control& control() const { return *at<Control>(0); }
    [[nodiscard]] iso_shared_info& shared_info() const { return *at<iso_shared_info>(k_page); }
    [[nodiscard]] CommandPage& command(unsigned slot) const {
        return *at<CommandPage>(slot_offset(slot));
    }
    [[nodiscard]] EventPage& event(unsigned slot) const {
        return *at<EventPage>(slot_offset(slot) + k_page);
    }

    /// Makes a slot as good as new for the next process. Precondition: its last one is gone.
    [[nodiscard]] Result<void> clear_slot(unsigned slot) const;

private:
    template <typename T>
    [[nodiscard]] T* at(std::uint64_t offset) const {
        return reinterpret_cast<T*>(memory_.data() + offset);
    }

    Fd fd_;
    Mapping memory_;
};

/// A memfd of this size, sealed against shrinking and growing, so that no page of it can vanish
/// under a process that relies on it.
Result<Fd> sealed_memory(char const* name, std::uint64_t bytes);

} // namespace iso::pv
