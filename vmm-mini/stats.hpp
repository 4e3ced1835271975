#pragma once

#include "common/fd.hpp"
#include "common/result.hpp"
#include "vmm-mini/kvm.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace iso::vmm {

/// One of KVM's binary statistics: what it is, and where its values lie.
/// Source: api.rst 4.133, KVM_GET_STATS_FD.
struct Statistic {
    enum class Kind { cumulative, instant, peak, linear_histogram, log_histogram };

    std::string name;
    Kind kind = Kind::cumulative;
    std::uint32_t offset = 0; ///< of the first value, from the start of the data block
    std::uint16_t count = 1;  ///< 64-bit values; histograms have several
};

/// The layout of a statistics descriptor: read once, before the guest runs.
struct StatisticsLayout {
    std::string id; ///< "kvm-1234/vcpu-0"
    std::vector<Statistic> statistics;
    std::uint32_t data_offset = 0;
    std::uint32_t data_bytes = 0;

    /// Reads header and descriptors. `bytes` is the descriptor's contents from 0 to the data block.
    /// Errors: anything outside of `bytes`, or sizes that make no sense.
    static Result<StatisticsLayout> parse(std::span<std::byte const> bytes);

    /// Adds the scalar statistics to `counters` under `prefix` + name; histograms are left out: one
    /// number would not say what they say. Precondition: none, missing bytes are left out.
    void add_to(std::map<std::string, std::uint64_t>& counters, std::span<std::byte const> data,
                std::string const& prefix) const;
};

/// An open statistics descriptor of a VM or a vCPU.
class Statistics {
public:
    /// Empty without error when this kernel has none (before Linux 5.14).
    static Result<Statistics> open(Fd const& vm_or_vcpu);

    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] bool valid() const { return fd_.valid(); }
    void add_to(std::map<std::string, std::uint64_t>& counters, std::string const& prefix) const;

private:
    Fd fd_;
    StatisticsLayout layout_;
};

} // namespace iso::vmm
