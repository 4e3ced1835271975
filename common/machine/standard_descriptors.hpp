#pragma once

#include "common/engine.hpp"

#include <string_view>

namespace iso {

/// Descriptors 0, 1 and 2 exist from here on, so that nothing opened later becomes one of them.
/// A closed one stays unusable: reads and writes of an O_PATH descriptor fail with EBADF.
void reserve_standard_descriptors();

/// The verb `probe`: for a person, or as one line of JSON. Returns the exit status.
int show_probe(std::string_view engine, EngineProbe const& probe, bool json);

} // namespace iso
