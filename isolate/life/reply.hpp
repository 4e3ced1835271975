#pragma once

#include "common/result.hpp"

namespace iso::jail {

/// Tells the other end of a pipe that all went well (`error` is null), or what did not.
void send_reply(int fd, Error const* error);

/// Waits for it. Errors: what was sent; or the other end closed without a word.
Result<void> receive_reply(int fd);

} // namespace iso::jail
