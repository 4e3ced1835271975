#pragma once

#include "isolate/audit/outcome.hpp"
#include "isolate/spec/spec.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace iso::jail {

/// Something that a jail's description says and the usual jail has not: which attempts it lets
/// succeed (Opening), and how it was said.
struct Weakening {
    std::uint32_t openings = 0;
    std::string option; ///< "--network host"
};

/// What a description weakens. `like`: the system that it was made like, or empty: what follows
/// from that is said by that option.
std::vector<Weakening> weakenings(JailSpec const& spec, std::string const& like);

/// Says of each open outcome which of the options asked for it.
void mark_asked_for(std::vector<Outcome>& outcomes, std::vector<Weakening> const& weak);

} // namespace iso::jail
