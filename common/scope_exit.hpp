#pragma once

#include <utility>

namespace iso {

/// Runs a function at the end of the scope unless disarmed first.
template <typename F>
class [[nodiscard]] ScopeExit {
public:
    explicit ScopeExit(F function)
        : function_(std::move(function)) {}
    ~ScopeExit() {
        if (armed_) function_();
    }
    ScopeExit(ScopeExit const&) = delete;
    ScopeExit& operator=(ScopeExit const&) = delete;

    void disarm() { armed_ = false; }

private:
    F function_;
    bool armed_ = true;
};

} // namespace iso
