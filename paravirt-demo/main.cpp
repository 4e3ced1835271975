#include "common/engine.hpp"
#include "common/exit.hpp"
#include "common/machine/standard_descriptors.hpp"
#include "common/run_options.hpp"
#include "common/units.hpp"
#include "common/version.hpp"
#include "paravirt-demo/probe.hpp"
#include "paravirt-demo/run.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <string>
#include <unistd.h>

namespace {

void add_domain_options(CLI::App& run, iso::pv::DomainOptions& domain) {
    run.add_option("--technique", domain.technique,
                   "How the guest kernel's privileged work is done")
        ->check(CLI::IsMember({"paravirt"}))
        ->option_text("paravirt");
    run.add_option("--cores", domain.placement.cores,
                   "Bind the domain to one CPU (default) or spread it over two")
        ->check(CLI::Range(1U, 2U))
        ->option_text("1|2");
    run.add_flag("--spin", domain.placement.spin,
                 "With --cores=2: each side spins a while before it sleeps");
    run.add_option_function<std::string>(
           "--tick",
           [&domain](std::string const& text) {
               auto const ns = iso::parse_duration_ns(text);
               if (!ns) throw CLI::ValidationError("--tick", ns.error().cause);
               domain.tick_ns = *ns;
           },
           "A timer event for the guest at this interval, whether it asks or not")
        ->option_text("DURATION");
    run.add_option("--kernel", domain.kernel_file,
                   "A guest kernel to use instead of the one built in")
        ->option_text("FILE");
}

} // namespace

int main(int argc, char** argv) {
    iso::reserve_standard_descriptors();
    CLI::App app{"Runs a program under a paravirtual hypervisor in user mode", "paravirt-demo"};
    app.set_version_flag("--version", std::string("paravirt-demo ") + iso::k_version);
    app.require_subcommand(1);

    iso::RunOptions options;
    iso::pv::DomainOptions domain;
    CLI::App* const run = app.add_subcommand("run", "Run a program");
    iso::add_run_options(*run, options);
    add_domain_options(*run, domain);

    bool json = false;
    CLI::App* const probe =
        app.add_subcommand("probe", "Say whether this machine can, and what is missing");
    probe->add_flag("--json", json, "One line of JSON");

    iso::CommandLine const line = iso::parse_command_line(app, argc, argv, &options);
    if (!line.proceed) return line.exit_status;
    if (probe->parsed()) return iso::show_probe("paravirt-demo", iso::pv::probe(), json);
    ::_exit(iso::pv::run(
        options, domain)); // everything that must be closed is; the rest the kernel does faster
}
