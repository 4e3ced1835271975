#pragma once

#include "common/engine.hpp"

namespace iso::pv {

/// The backend's name in every result: the host's own processes are the machine.
inline constexpr char const* k_backend = "user-mode";

/// Whether this machine has what the boundary stands on, and if not, what is missing.
EngineProbe probe();

} // namespace iso::pv
