#pragma once

namespace iso::battery {

/// On the host: makes what the attempts look for (a process, a port, a socket, shared memory),
/// tells it as one line of words on stdout, and stays until stdin is closed. Returns an exit
/// status.
int stay_to_be_found();

/// Takes one of those words into g_facts. False: it is none.
bool take_fact(char const* word);

/// What can only be seen before anything is opened: descriptors and the working directory.
void look_at_start();

} // namespace iso::battery
