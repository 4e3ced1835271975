// Limits that change while the jail runs: all of them or none.
#include "isolate/limits/control_group.hpp"
#include "isolate/limits/device_program.hpp"

#include <fmt/format.h>

#include <sstream>

namespace iso::jail {

namespace {

/// v1's "no limit" for memory is the largest number of pages, not a word.
bool v1_unlimited(std::uint64_t value) {
    return value >= std::uint64_t{1} << 62U;
}

/// What has to be written to take a setting back, by what the file held before.
std::string undo_value(Setting const& setting, std::string const& before) {
    bool const by_device = setting.file == "io.max" || setting.file.ends_with("_device");
    if (!by_device) return before;
    std::string const device = setting.value.substr(0, setting.value.find(' '));
    std::istringstream lines(before);
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(device + " ")) return line;
    return setting.file == "io.max" ? device + " rbps=max wbps=max riops=max wiops=max"
                                    : device + " 0";
}

} // namespace

Result<void> ControlGroup::change(LimitSpec const& wanted) {
    LimitSpec limits = wanted;
    if (GroupPlace const* const memory = place("memory"); memory != nullptr && !memory->v2) {
        // Version 1 counts memory and swap together: who changes one keeps the other.
        std::uint64_t const held = number("memory", "memory.limit_in_bytes");
        std::uint64_t const both = number("memory", "memory.memsw.limit_in_bytes");
        if (limits.memory && !limits.swap && both != 0)
            limits.swap = v1_unlimited(both) ? k_unlimited : both - held;
        if (limits.swap && !limits.memory) limits.memory = v1_unlimited(held) ? k_unlimited : held;
    }
    if (GroupPlace const* const cpu = place("cpu");
        cpu != nullptr && limits.cpu_quota_us.has_value() != limits.cpu_period_us.has_value()) {
        std::istringstream max(text("cpu", "cpu.max"));
        std::string quota = "max";
        std::string period = "100000";
        if (cpu->v2) {
            max >> quota >> period;
        } else {
            quota = text("cpu", "cpu.cfs_quota_us");
            period = text("cpu", "cpu.cfs_period_us");
        }
        bool const none = quota == "max" || quota.starts_with('-');
        if (!limits.cpu_quota_us)
            limits.cpu_quota_us = none ? k_unlimited : std::strtoull(quota.c_str(), nullptr, 10);
        if (!limits.cpu_period_us)
            limits.cpu_period_us = std::strtoull(period.c_str(), nullptr, 10);
    }

    std::vector<PlacedSetting> settings;
    for (std::string const& controller : controllers_for(limits)) {
        GroupPlace const* const found = place(controller);
        if (found == nullptr) {
            if (controller == "devices" && clone_fd_) continue;
            return error(names_of(limits, controller).front(),
                         "this jail was made without a group of the " + controller + " controller",
                         "a new start of the jail with that limit");
        }
        auto const index = static_cast<std::size_t>(found - places_.data());
        for (Setting& setting : settings_for(limits, controller, found->v2)) {
            if (setting.file == "memory.max" && limits.memory != k_unlimited)
                TRY(make_room(*limits.memory));
            settings.push_back({index, std::move(setting)});
        }
    }
    // Together is never less than memory alone: on the way up it goes first.
    if (limits.memory && number("memory", "memory.memsw.limit_in_bytes") != 0 &&
        *limits.memory > number("memory", "memory.memsw.limit_in_bytes"))
        for (std::size_t i = 0; i + 1 < settings.size(); ++i)
            if (settings[i].setting.file == "memory.limit_in_bytes")
                for (std::size_t j = i + 1; j < settings.size(); ++j)
                    if (settings[j].setting.file == "memory.memsw.limit_in_bytes")
                        std::swap(settings[i], settings[j]);

    std::vector<PlacedSetting> undo;
    for (PlacedSetting const& setting : settings) {
        std::string const before = text(setting.setting.controller, setting.setting.file);
        if (auto written = backend_->write(places_, {setting}); !written) {
            for (auto back = undo.rbegin(); back != undo.rend(); ++back)
                (void)backend_->write(places_, {*back});
            return written;
        }
        undo.push_back(setting);
        undo.back().setting.value = undo_value(setting.setting, before);
    }
    if (!limits.devices.empty() && place("devices") == nullptr)
        return attach_device_program(clone_fd_.get(), limits.devices);
    return {};
}

Result<void> ControlGroup::make_room(std::uint64_t memory) {
    // Version 2 would kill what is above the new limit; version 1 refuses. Here nobody is killed.
    std::uint64_t held = number("memory", "memory.current");
    if (held <= memory) return {};
    GroupPlace const& place = *this->place("memory");
    (void)write_file(place.directory() + "/memory.reclaim", std::to_string(held - memory));
    held = number("memory", "memory.current");
    if (held <= memory) return {};
    Error refused{
        "memory", fmt::format("{} bytes are in use, more than the new limit of {}", held, memory),
        "a higher limit, or to wait until the jail holds less", EBUSY, exit_code::engine_failed};
    return tl::unexpected<Error>(std::move(refused));
}

} // namespace iso::jail
