#include "common/machine/kernel_file.hpp"

#include "common/abi/guest_abi.h"
#include "common/fd.hpp"
#include "common/machine/guest_memory.hpp"
#include "common/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>

namespace iso {

namespace {

constexpr std::uint64_t k_default_ram = 256 * k_mib;
constexpr std::uint64_t k_least_ram = 8 * k_mib;

} // namespace

Result<KernelFile> KernelFile::open(std::string const& path, std::span<std::byte const> built_in) {
    if (path.empty()) {
        if (built_in.empty())
            return error("kernel", "built without a guest kernel", "--kernel FILE");
        return KernelFile{{}, built_in, "built in"};
    }
    Fd const fd = TRY(Fd::open(path, O_RDONLY));
    off_t const size = ::lseek(fd.get(), 0, SEEK_END);
    if (size <= 0)
        return error("kernel(" + path + ")", "an empty file",
                     "a kernel built from this source tree");
    KernelFile file;
    file.mapping =
        TRY(Mapping::create(static_cast<std::size_t>(size), PROT_READ, MAP_PRIVATE, fd.get()));
    file.bytes = file.mapping.bytes();
    file.name = path;
    return file;
}

Result<std::uint64_t> ram_size(RunOptions const& options, std::uint64_t module_bytes,
                               std::uint64_t linear) {
    std::uint64_t const ram =
        (options.memory_bytes != 0 ? options.memory_bytes : k_default_ram) & ~(k_large_page - 1);
    if (ram < k_least_ram)
        return error("--memory",
                     fmt::format("{} bytes are too few for a guest", options.memory_bytes),
                     fmt::format("--memory {}M or more", k_least_ram / k_mib));
    if (module_bytes > linear || ram > linear - module_bytes)
        return error(
            "--memory", fmt::format("{} bytes are more than the guest kernel can map", ram),
            fmt::format("--memory {}M or less", (linear - std::min(module_bytes, linear)) / k_mib));
    return ram;
}

std::uint64_t boot_flags(RunOptions const& options, bool slow_ring0) {
    std::uint64_t flags = 0;
    if (options.trace) flags |= ISO_BOOT_TRACE;
    if (slow_ring0) flags |= ISO_BOOT_HOST_COPY;
    int const input = ::fcntl(STDIN_FILENO, F_GETFL);
    if (input < 0 || (input & O_PATH) != 0) flags |= ISO_BOOT_STDIN_CLOSED;
    return flags;
}

} // namespace iso
