#pragma once

#include "guest/kernel/text.hpp"

namespace iso::guest {

/// What the engine said. Trusted: the engine is what the kernel's safety rests on.
inline iso_boot_info const& boot_info() {
    return *linear<iso_boot_info>(ISO_BOOT_INFO_GPA);
}

inline iso_module const* boot_modules() {
    return linear<iso_module>(boot_info().modules);
}

inline Text module_path(iso_module const& module) {
    return {linear<char>(boot_info().arguments + module.path), module.path_bytes};
}

} // namespace iso::guest
