#include "vmm-mini/stats.hpp"

#include "vmm-mini/kvm_arrays.hpp"

#include <algorithm>
#include <cstring>
#include <unistd.h>

namespace iso::vmm {

namespace {

constexpr std::size_t k_limit = std::size_t{1} << 20U; // of header and descriptors; they take 5 KiB

/// Copies a structure out; false when it does not lie in `bytes`.
template <typename T>
bool read_at(std::span<std::byte const> bytes, std::uint64_t offset, T& value) {
    if (offset > bytes.size() || sizeof(T) > bytes.size() - offset) return false;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return true;
}

/// A name in a field of fixed size, zero-terminated or not.
std::string text_at(std::span<std::byte const> bytes, std::uint64_t offset, std::uint64_t size) {
    if (offset > bytes.size() || size > bytes.size() - offset) return {};
    char const* const start = reinterpret_cast<char const*>(bytes.data() + offset);
    return std::string(start, ::strnlen(start, size));
}

} // namespace

Result<StatisticsLayout> StatisticsLayout::parse(std::span<std::byte const> bytes) {
    auto const refuse = [](char const* cause) {
        return error("KVM statistics", cause, "dmesg | grep -i kvm");
    };
    kvm_stats_header header{};
    if (!read_at(bytes, 0, header)) return refuse("shorter than its header");
    StatisticsLayout layout;
    layout.id = text_at(bytes, header.id_offset, header.name_size);
    layout.data_offset = header.data_offset;
    std::uint64_t const stride = sizeof(StatsDescriptor) + std::uint64_t{header.name_size};
    for (std::uint64_t i = 0; i < header.num_desc; ++i) {
        std::uint64_t const at = header.desc_offset + i * stride;
        StatsDescriptor descriptor;
        if (!read_at(bytes, at, descriptor)) return refuse("its descriptors lie outside of it");
        Statistic statistic;
        statistic.name = text_at(bytes, at + sizeof(StatsDescriptor), header.name_size);
        std::uint32_t const type = descriptor.flags & KVM_STATS_TYPE_MASK;
        if (statistic.name.empty() || type > KVM_STATS_TYPE_MAX)
            continue; // newer than this program
        statistic.kind = static_cast<Statistic::Kind>(type);
        statistic.offset = descriptor.offset;
        statistic.count = descriptor.size;
        std::uint64_t const end = std::uint64_t{statistic.offset} +
                                  std::uint64_t{statistic.count} * sizeof(std::uint64_t);
        if (end > k_limit) return refuse("its data is larger than makes sense");
        layout.data_bytes = std::max(layout.data_bytes, static_cast<std::uint32_t>(end));
        layout.statistics.push_back(std::move(statistic));
    }
    return layout;
}

void StatisticsLayout::add_to(std::map<std::string, std::uint64_t>& counters,
                              std::span<std::byte const> data, std::string const& prefix) const {
    for (Statistic const& statistic : statistics) {
        if (statistic.count != 1) continue;
        std::uint64_t value = 0;
        if (read_at(data, statistic.offset, value)) counters[prefix + statistic.name] += value;
    }
}

Result<Statistics> Statistics::open(Fd const& vm_or_vcpu) {
    Statistics result;
    int const fd = ::ioctl(vm_or_vcpu.get(), KVM_GET_STATS_FD, nullptr);
    if (fd < 0) return result;
    result.fd_ = Fd(fd);
    kvm_stats_header header{};
    if (::pread(fd, &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header))
        return sys_error("pread(KVM statistics)");
    std::uint64_t const end = header.desc_offset + std::uint64_t{header.num_desc} *
                                                       (sizeof(StatsDescriptor) + header.name_size);
    std::vector<std::byte> bytes(
        std::min<std::uint64_t>(std::max<std::uint64_t>(end, sizeof header), k_limit));
    ssize_t const got = ::pread(fd, bytes.data(), bytes.size(), 0);
    if (got < 0) return sys_error("pread(KVM statistics)");
    result.layout_ =
        TRY(StatisticsLayout::parse(std::span(bytes).first(static_cast<std::size_t>(got))));
    return result;
}

void Statistics::add_to(std::map<std::string, std::uint64_t>& counters,
                        std::string const& prefix) const {
    if (!valid()) return;
    std::vector<std::byte> data(layout_.data_bytes);
    ssize_t const got = ::pread(fd_.get(), data.data(), data.size(), layout_.data_offset);
    if (got > 0)
        layout_.add_to(counters, std::span(data).first(static_cast<std::size_t>(got)), prefix);
}

} // namespace iso::vmm
