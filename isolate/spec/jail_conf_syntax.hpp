#pragma once

#include "common/result.hpp"

#include <string>
#include <string_view>
#include <vector>

/// The syntax of FreeBSD's jail.conf(5).
namespace iso::jail::foreign {

/// "$name" and "${name}" in a value are the name between two of these, until it is known.
inline constexpr char k_variable = '\x01';

/// NAME = VALUE, ...; or NAME; alone.
struct Parameter {
    std::string name;
    std::vector<std::string> values;
    bool appends = false;
    std::size_t line = 1;
};
/// What stands between NAME { and }.
struct JailBlock {
    std::string name; ///< empty: what stands outside of all
    std::vector<Parameter> parameters;
};

/// The blocks of a jail.conf in their order; the first, without a name, is what stands outside all.
/// Errors: `op` is "WHERE:LINE".
Result<std::vector<JailBlock>> parse_jail_conf(std::string_view text, std::string const& where);

} // namespace iso::jail::foreign
