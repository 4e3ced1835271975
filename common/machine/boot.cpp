#include "common/machine/boot.hpp"

#include "common/machine/initial_stack.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <unistd.h>

#include <sys/random.h>

namespace iso {

namespace {

/// The argument area being filled: zero-terminated strings, one after the other.
class StringArea {
public:
    explicit StringArea(std::span<std::byte> area)
        : area_(area) {}

    /// Returns the string's offset.
    Result<std::uint32_t> add(std::string_view text) {
        if (text.size() >= area_.size() - used_)
            return error(
                "arguments",
                fmt::format("arguments, environment and paths take more than the {} KiB that the "
                            "guest has for them",
                            area_.size() / 1024),
                "fewer or shorter arguments, or a smaller --add directory");
        std::memcpy(area_.data() + used_, text.data(), text.size());
        auto const offset = static_cast<std::uint32_t>(used_);
        used_ += text.size() + 1; // guest memory arrives zeroed
        return offset;
    }
    [[nodiscard]] std::uint64_t used() const { return used_; }

private:
    std::span<std::byte> area_;
    std::uint64_t used_ = 0;
};

Result<void> write_modules(GuestMemory const& memory, ModuleTable const& modules,
                           StringArea& strings) {
    std::uint64_t gpa = ISO_MODULE_TABLE_GPA;
    for (Module const& module : modules.modules) {
        iso_module entry{};
        entry.gpa = module.gpa.value;
        entry.bytes = module.bytes;
        entry.kind = module.kind;
        entry.mode = module.mode;
        entry.path = TRY(strings.add(module.guest));
        entry.path_bytes = static_cast<std::uint32_t>(module.guest.size());
        if (!memory.store(GuestPhys{gpa}, entry))
            return error("boot", "RAM ends before the module table");
        gpa += sizeof entry;
    }
    return {};
}

} // namespace

Result<void> write_boot_info(GuestMemory const& memory, RunOptions const& options,
                             ModuleTable const& modules, GuestClock const& clock,
                             std::uint64_t flags, std::uint32_t hardware_capabilities,
                             std::uint64_t disk_sectors, std::uint64_t disk_registers) {
    auto const area = memory.at({ISO_ARGUMENTS_GPA}, ISO_ARGUMENTS_BYTES, Access::write);
    if (!area) return error("boot", "RAM ends before the argument area");
    StringArea strings(*area);

    iso_boot_info boot{};
    boot.magic = ISO_ABI_MAGIC;
    boot.version = ISO_ABI_VERSION;
    boot.bytes = sizeof boot;
    boot.flags = flags;
    boot.ram_bytes = memory.ram().size();
    boot.physical_end = memory.end();
    boot.modules = ISO_MODULE_TABLE_GPA;
    boot.module_count = static_cast<std::uint32_t>(modules.modules.size());
    boot.arguments = ISO_ARGUMENTS_GPA;
    TRY(strings.add(options.program));
    for (std::string const& argument : options.arguments)
        TRY(strings.add(argument));
    boot.argument_count = static_cast<std::uint32_t>(options.arguments.size() + 1);
    for (std::string const& variable : options.environment)
        TRY(strings.add(variable));
    boot.environment_count = static_cast<std::uint32_t>(options.environment.size());
    boot.argument_bytes = strings.used();
    boot.workdir = TRY(strings.add(options.workdir));
    boot.workdir_bytes = static_cast<std::uint32_t>(options.workdir.size());
    TRY(write_modules(memory, modules, strings));

    boot.clock_ns = clock.base_ns;
    boot.clock_tsc = clock.base_tsc;
    boot.clock_multiplier = clock.multiplier;
    boot.clock_shift = clock.shift;
    boot.clock_realtime_offset = clock.realtime_offset;
    while (::getrandom(boot.random, sizeof boot.random, 0) !=
           static_cast<ssize_t>(sizeof boot.random))
        if (errno != EINTR) return sys_error("getrandom");
    boot.disk_sectors = disk_sectors;
    boot.disk_registers = disk_sectors != 0 ? disk_registers : 0;
    boot.host_uid = ::getuid();
    boot.host_gid = ::getgid();
    build_stack(memory, options, modules.modules.front().guest, hardware_capabilities, boot);
    if (!memory.store({ISO_BOOT_INFO_GPA}, boot))
        return error("boot", "RAM ends before the boot information");
    return {};
}

} // namespace iso
