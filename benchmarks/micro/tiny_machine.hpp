#pragma once

#include "common/fd.hpp"

struct kvm_run;

namespace iso::micro {

/// The smallest virtual machine: real mode, a loop of `instructions` register instructions and one
/// port access, which ends KVM_RUN. (Documentation/virt/kvm/api.rst)
class TinyMachine {
public:
    explicit TinyMachine(unsigned instructions);
    ~TinyMachine();
    TinyMachine(TinyMachine const&) = delete;
    TinyMachine& operator=(TinyMachine const&) = delete;

    [[nodiscard]] bool good() const { return good_; }
    /// Once round the loop. False when KVM returned for another reason than the port.
    bool run();

private:
    bool create(unsigned instructions);

    Fd kvm_;
    Fd machine_;
    Fd processor_;
    unsigned char* memory_ = nullptr;
    ::kvm_run* run_ = nullptr;
    std::size_t run_bytes_ = 0;
    bool good_ = false;
};

} // namespace iso::micro
