#pragma once

#include "isolate/life/keeper.hpp"

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace iso::jail {

/// What the command line says about the life of jails.
struct LifeOptions {
    std::string state; ///< --state, --root before the verb
    std::string name;
    bool detach = false;
    bool terminal = false;
    bool temporary = false;
    std::uint64_t log_bytes = k_usual_log_bytes;

    std::string signal = "TERM";
    std::string format = "table";
    bool all = false;
    bool force = false;
    bool follow = false;
    bool quiet = false;
    std::vector<std::string> environment;  ///< exec --env
    std::string workdir;                   ///< exec --workdir
    std::string process;                   ///< exec --process: a file in OCI's form
    std::string user;                      ///< exec --user
    std::vector<std::string> capabilities; ///< exec --cap
    std::vector<std::uint32_t> groups;     ///< exec --additional-gids
    bool no_new_privileges = false;        ///< exec --no-new-privs
    std::string console_socket, pid_file;  ///< exec
    int kept_descriptors = 0;              ///< exec --preserve-fds
    std::vector<std::string> changes;      ///< set
    RunOptions const* run = nullptr;       ///< the program of exec and its arguments
};

/// Declares what `run` and `create` have for jails with a name.
void add_naming_options(CLI::App& command, LifeOptions& life);
/// Declares --state and the verbs for jails that exist: start, exec, list and so on.
void add_life_verbs(CLI::App& app, LifeOptions& life);
/// Carries out the verb of the line if it is one of those. Returns the exit status, or -1.
int run_life_verb(CLI::App const& app, LifeOptions const& life);

/// Whether a run is one of a jail with a name.
[[nodiscard]] bool is_named(LifeOptions const& life);
/// `run` and `create` of such a jail: returns the exit status.
int run_named(JailOptions options, LifeOptions const& life, bool hold,
              std::function<int(RunReport const&)> const& told);

} // namespace iso::jail
