#pragma once

#include "guest/kernel/vfs.hpp"

namespace iso::guest::vfs {

/// A copy of `text`, which has 1 to 4096 characters, that stays; data nullptr: no memory.
Text keep_text(Text text);
/// Gives back what keep_text() gave.
void drop_text(Text text);

/// A name for a node that was not made by make(); the text stays where it is.
bool enter_static(Node* directory, Text name, Node* node);

} // namespace iso::guest::vfs
