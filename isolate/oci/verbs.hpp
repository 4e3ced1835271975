#pragma once

#include "isolate/life/commands.hpp"
#include "isolate/oci/log.hpp"
#include "isolate/oci/tools.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace iso::jail {

/// What the command line says as container engines write it (runc's and crun's).
struct ContainerLine {
    LogLine log;
    std::string group_manager = "cgroupfs"; ///< who makes control groups; "disabled": nobody
    std::string rootless = "auto";          ///< "false": a limit that is not enforced is an error
    bool systemd_group = false; ///< the form in which cgroupsPath is written, which shows

    std::string bundle; ///< not empty: `create` and `run` are OCI's
    std::string pid_file;
    std::string console_socket;
    int kept_descriptors = 0;
    bool no_pivot = false;
    bool no_new_keyring = false;
    bool no_subreaper = false;
    bool keep = false;
    std::span<char> command_line; ///< see JailOptions

    std::string id;        ///< events, update
    std::string resources; ///< update: a file, or - for stdin
    std::vector<ResourceChange> changes;
    std::uint64_t interval_ns = 5'000'000'000; ///< events
    bool once = false;
};

/// Declares what stands before the verb.
void add_engine_options(CLI::App& app, ContainerLine& line);
/// Declares what `create` and `run` have for a bundle.
void add_bundle_options(CLI::App& command, ContainerLine& line);

/// Declares the verbs of engines that isolate's own jails have no use for: events, update,
/// features.
void add_engine_verbs(CLI::App& app, ContainerLine& line);
/// Carries out the one that was called. Nothing: none of these was.
std::optional<int> run_engine_verb(CLI::App const& app, ContainerLine const& line,
                                   LifeOptions const& life);

/// `create --bundle` (`start` false) and `run --bundle`. Returns the exit status.
int container_verb(ContainerLine const& line, LifeOptions const& life, bool start);

} // namespace iso::jail
