#include "isolate/limits/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace iso::jail {

namespace {

constexpr std::uint64_t k_usual_period_us = 100'000;

std::string number(std::uint64_t value, char const* unlimited) {
    return value == k_unlimited ? unlimited : std::to_string(value);
}

/// The files of one controller, collected in order.
class Settings {
public:
    Settings(LimitSpec const& limits, std::string controller)
        : limits_(limits)
        , controller_(std::move(controller)) {}

    std::vector<Setting> take() { return std::move(list_); }

    void memory(bool v2) {
        if (v2) {
            if (limits_.memory_low)
                add("memory.low", *limits_.memory_low, "max", "memory reservation");
            if (limits_.memory) add("memory.max", *limits_.memory, "max", "memory");
            if (limits_.swap)
                add("memory.swap.max", *limits_.swap, "max", "swap").may_be_missing = true;
            return;
        }
        if (limits_.memory) add("memory.limit_in_bytes", *limits_.memory, "-1", "memory");
        if (limits_.memory_low)
            add("memory.soft_limit_in_bytes", *limits_.memory_low, "-1", "memory reservation");
        if (limits_.swap && limits_.memory) {
            // Version 1 counts memory and swap together, and never lets this be less than that.
            std::uint64_t const memory = *limits_.memory;
            std::uint64_t const both =
                *limits_.swap > k_unlimited - memory ? k_unlimited : memory + *limits_.swap;
            add("memory.memsw.limit_in_bytes", both, "-1", "swap").may_be_missing = true;
        }
    }

    void pids() {
        if (limits_.tasks) add("pids.max", *limits_.tasks, "max", "tasks");
    }

    void cpu(bool v2) {
        if (limits_.cpu_shares) {
            if (v2) {
                add("cpu.weight", cpu_weight(*limits_.cpu_shares), "max", "CPU shares");
            } else {
                add("cpu.shares", *limits_.cpu_shares, "262144", "CPU shares");
            }
        }
        if (!limits_.cpu_quota_us && !limits_.cpu_period_us) return;
        std::uint64_t const period = limits_.cpu_period_us.value_or(k_usual_period_us);
        std::uint64_t const quota = limits_.cpu_quota_us.value_or(k_unlimited);
        if (v2) {
            text("cpu.max", fmt::format("{} {}", number(quota, "max"), period), "CPU quota")
                .may_be_missing = true;
            return;
        }
        add("cpu.cfs_period_us", period, "", "CPU period").may_be_missing = true;
        add("cpu.cfs_quota_us", quota, "-1", "CPU quota").may_be_missing = true;
    }

    void cpuset() {
        if (!limits_.cpus.empty()) text("cpuset.cpus", limits_.cpus, "CPU set");
        if (!limits_.memory_nodes.empty())
            text("cpuset.mems", limits_.memory_nodes, "memory nodes");
    }

    void io(bool v2) {
        // Of the weights a kernel has at most the one whose scheduler it runs: others lack the
        // file.
        if (limits_.io_weight) {
            std::uint64_t const weight = *limits_.io_weight;
            (v2 ? text("io.weight", fmt::format("default {}", io_weight(weight)), "I/O weight")
                : text("blkio.bfq.weight", std::to_string(weight), "I/O weight"))
                .may_be_missing = true;
        }
        for (IoLimit const& limit : limits_.io) {
            std::string const device = fmt::format("{}:{} ", limit.major, limit.minor);
            if (v2) {
                std::string line = device;
                auto key = [&](char const* name, std::optional<std::uint64_t> const& value) {
                    if (value) line += fmt::format("{}={} ", name, number(*value, "max"));
                };
                key("rbps", limit.read_bytes);
                key("wbps", limit.write_bytes);
                key("riops", limit.read_operations);
                key("wiops", limit.write_operations);
                line.pop_back();
                text("io.max", line, "I/O limit").may_be_missing = true;
                continue;
            }
            auto file = [&](char const* name, std::optional<std::uint64_t> const& value) {
                // 0 takes a throttle away (cgroup-v1/blkio-controller.rst).
                if (value)
                    text(fmt::format("blkio.throttle.{}_device", name),
                         device + number(*value, "0"), "I/O limit")
                        .may_be_missing = true;
            };
            file("read_bps", limit.read_bytes);
            file("write_bps", limit.write_bytes);
            file("read_iops", limit.read_operations);
            file("write_iops", limit.write_operations);
        }
    }

    void devices() {
        for (DeviceRule const& rule : limits_.devices)
            text(rule.allow ? "devices.allow" : "devices.deny", device_line(rule), "device rules");
    }

    void unified() {
        for (auto const& [file, value] : limits_.unified)
            if (file.substr(0, file.find('.')) == controller_) text(file, value, "unified");
    }

private:
    Setting& add(char const* file, std::uint64_t value, char const* unlimited, char const* what) {
        return text(file, number(value, unlimited), what);
    }
    Setting& text(std::string file, std::string value, char const* what) {
        list_.push_back({controller_, std::move(file), std::move(value), what});
        return list_.back();
    }

    LimitSpec const& limits_;
    std::string controller_;
    std::vector<Setting> list_;
};

} // namespace

std::vector<std::string> controllers_for(LimitSpec const& limits) {
    std::vector<std::string> wanted;
    auto want = [&](std::string name) {
        if (name == "io") name = "blkio";
        if (std::find(wanted.begin(), wanted.end(), name) == wanted.end())
            wanted.push_back(std::move(name));
    };
    if (limits.memory || limits.memory_low || limits.swap) want("memory");
    if (limits.tasks) want("pids");
    if (limits.cpu_shares || limits.cpu_quota_us || limits.cpu_period_us) want("cpu");
    if (!limits.cpus.empty() || !limits.memory_nodes.empty()) want("cpuset");
    if (limits.io_weight || !limits.io.empty()) want("blkio");
    if (!limits.devices.empty()) want("devices");
    for (auto const& entry : limits.unified)
        want(entry.first.substr(0, entry.first.find('.')));
    return wanted;
}

std::vector<Setting> settings_for(LimitSpec const& limits, std::string const& controller, bool v2) {
    Settings settings(limits, v2 && controller == "blkio" ? "io" : controller);
    if (controller == "memory") settings.memory(v2);
    if (controller == "pids") settings.pids();
    if (controller == "cpu") settings.cpu(v2);
    if (controller == "cpuset") settings.cpuset();
    if (controller == "blkio" || controller == "io") settings.io(v2);
    if (controller == "devices" && !v2) settings.devices();
    if (v2) settings.unified();
    return settings.take();
}

std::vector<char const*> names_of(LimitSpec const& limits, std::string const& controller) {
    std::vector<char const*> names;
    auto name = [&](bool wanted, char const* text) {
        if (wanted) names.push_back(text);
    };
    if (controller == "memory") {
        name(limits.memory.has_value(), "memory");
        name(limits.swap.has_value(), "swap");
        name(limits.memory_low.has_value(), "memory reservation");
    }
    name(controller == "pids" && limits.tasks, "tasks");
    if (controller == "cpu") {
        name(limits.cpu_quota_us || limits.cpu_period_us, "CPU quota");
        name(limits.cpu_shares.has_value(), "CPU shares");
    }
    if (controller == "cpuset") {
        name(!limits.cpus.empty(), "CPU set");
        name(!limits.memory_nodes.empty(), "memory nodes");
    }
    if (controller == "blkio") {
        name(limits.io_weight.has_value(), "I/O weight");
        name(!limits.io.empty(), "I/O limit");
    }
    name(controller == "devices" && !limits.devices.empty(), "device rules");
    if (names.empty()) names.push_back("unified");
    return names;
}

std::uint64_t cpu_weight(std::uint64_t shares) {
    if (shares <= 2) return 1;
    if (shares >= 262144) return 10000;
    double const l = std::log2(static_cast<double>(shares));
    return static_cast<std::uint64_t>(std::ceil(std::pow(10, (l * l + 125 * l) / 612 - 7.0 / 34)));
}

std::uint64_t io_weight(std::uint64_t blkio_weight) {
    return 1 + (std::clamp<std::uint64_t>(blkio_weight, 10, 1000) - 10) * 9999 / 990;
}

std::string device_line(DeviceRule const& rule) {
    auto text = [](std::optional<std::int64_t> const& value) {
        return value ? std::to_string(*value) : std::string("*");
    };
    if (rule.type == 'a') return "a *:* " + rule.access;
    return fmt::format("{} {}:{} {}", rule.type, text(rule.major), text(rule.minor), rule.access);
}

} // namespace iso::jail
