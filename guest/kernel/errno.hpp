#pragma once

#include <asm/errno.h>

namespace iso::guest {

/// What a system call returns: a value, or minus an error number, as Linux does.
using Result = long;

constexpr bool is_error(Result result) {
    return result < 0 && result >= -4095;
}

} // namespace iso::guest
