#include "common/engine.hpp"
#include "common/exit.hpp"
#include "common/run_options.hpp"
#include "common/version.hpp"
#include "vmm-mini/backend.hpp"
#include "vmm-mini/run.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace {

/// Descriptors 0, 1 and 2 exist from here on, so that nothing opened later becomes one of them.
/// A closed one stays unusable: reads and writes of an O_PATH descriptor fail with EBADF.
void reserve_standard_descriptors() {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
        if (::fcntl(fd, F_GETFD) < 0) (void)::open("/", O_PATH | O_DIRECTORY);
}

int show_probe(bool json) {
    iso::EngineProbe const probe = iso::vmm::probe();
    std::string text;
    if (json)
        text = iso::to_json("vmm-mini", probe);
    else if (probe.usable)
        text = fmt::format("vmm-mini: usable, backend {}{}{}\n", probe.backend,
                           probe.reason.empty() ? "" : "; ", probe.reason);
    else
        text = fmt::format("vmm-mini: not usable: {}; try: {}\n", probe.reason, probe.next_step);
    std::fwrite(text.data(), 1, text.size(), stdout);
    bool const written = std::fflush(stdout) == 0;
    return probe.usable && written ? iso::exit_code::done : iso::exit_code::no;
}

} // namespace

int main(int argc, char** argv) {
    reserve_standard_descriptors();
    CLI::App app{"Runs a program in a small virtual machine on KVM", "vmm-mini"};
    app.set_version_flag("--version", std::string("vmm-mini ") + iso::k_version);
    app.require_subcommand(1);

    iso::RunOptions options;
    std::string kernel;
    CLI::App* const run = app.add_subcommand("run", "Run a program");
    iso::add_run_options(*run, options);
    run->add_option("--kernel", kernel, "A guest kernel to use instead of the one built in")
        ->option_text("FILE");

    bool json = false;
    CLI::App* const probe =
        app.add_subcommand("probe", "Say whether this machine can, and with which backend");
    probe->add_flag("--json", json, "One line of JSON");

    iso::CommandLine const line = iso::parse_command_line(app, argc, argv, &options);
    if (!line.proceed) return line.exit_status;
    if (probe->parsed()) return show_probe(json);
    int const status = iso::vmm::run(options, kernel);
    ::_exit(status); // everything that must be closed is; the rest the kernel does faster
}
