#include "common/engine.hpp"
#include "common/exit.hpp"
#include "common/machine/standard_descriptors.hpp"
#include "common/run_options.hpp"
#include "common/version.hpp"
#include "vmm-mini/backend.hpp"
#include "vmm-mini/run.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <fcntl.h>
#include <string>
#include <unistd.h>

int main(int argc, char** argv) {
    iso::reserve_standard_descriptors();
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
    if (probe->parsed()) return iso::show_probe("vmm-mini", iso::vmm::probe(), json);
    int const status = iso::vmm::run(options, kernel);
    ::_exit(status); // everything that must be closed is; the rest the kernel does faster
}
