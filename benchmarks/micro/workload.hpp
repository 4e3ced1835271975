#pragma once

#include "common/program.hpp"

#include <string>

/// The path of a workload: they stand beside the programs' folder, in a build as in an
/// installation.
inline std::string workload(std::string const& name) {
    return iso::own_directory().value_or(".") + "/../workloads/" + name;
}
