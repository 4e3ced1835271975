#pragma once

#include "common/result.hpp"
#include "isolate/spec/spec.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace iso::jail {

/// One subject of isolation: how a system treats it, and how isolate does with --like.
struct LikeRow {
    enum class Same : std::uint8_t {
        yes,
        nearly,
        no,
    };
    char const* subject; ///< "processes"
    char const* there;   ///< what the system does, as its own manual has it
    char const* here;    ///< what isolate does in its place
    Same same;
    char const* source; ///< the manual and its section or parameter
};

/// A system whose isolation isolate can be configured to.
struct LikeSystem {
    char const* name;  ///< "freebsd-jail"
    char const* title; ///< "FreeBSD jail"
    std::span<LikeRow const> rows;
    void (*apply)(JailSpec& spec);
};

std::span<LikeSystem const> like_systems();
LikeSystem const* find_like(std::string_view name);
/// "chroot, freebsd-jail, ... or bubblewrap"
std::string like_names();

/// What this process has (capget(2)).
std::uint64_t caller_capabilities();

/// Makes a jail isolate what `name` isolates, and share what it shares. Root, program, names and
/// limits stay what they are. `held` are the capabilities of who makes it: no more can be given,
/// and without CAP_SYS_ADMIN a user namespace is added.
/// Errors: no system of this name; `op` is empty.
Result<void> be_like(JailSpec& spec, std::string_view name,
                     std::uint64_t held = caller_capabilities());

/// The system and isolate side by side, for a terminal.
std::string like_table(LikeSystem const& system);

} // namespace iso::jail
