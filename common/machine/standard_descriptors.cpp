#include "common/machine/standard_descriptors.hpp"

#include "common/exit.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

namespace iso {

void reserve_standard_descriptors() {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
        if (::fcntl(fd, F_GETFD) < 0) (void)::open("/", O_PATH | O_DIRECTORY);
}

int show_probe(std::string_view engine, EngineProbe const& probe, bool json) {
    std::string text;
    if (json)
        text = to_json(engine, probe);
    else if (probe.usable)
        text = fmt::format("{}: usable, backend {}{}{}\n", engine, probe.backend,
                           probe.reason.empty() ? "" : "; ", probe.reason);
    else
        text = fmt::format("{}: not usable: {}; try: {}\n", engine, probe.reason, probe.next_step);
    std::fwrite(text.data(), 1, text.size(), stdout);
    bool const written = std::fflush(stdout) == 0;
    return probe.usable && written ? exit_code::done : exit_code::no;
}

} // namespace iso
