#pragma once

#include "isolate/launch.hpp"
#include "isolate/life/store.hpp"
#include "isolate/limits/jail_limits.hpp"
#include "isolate/oci/arrange.hpp"

#include <memory>
#include <string>

namespace iso::jail {

/// What `create` and `run` of OCI's command line ask for.
struct ContainerOrder {
    std::string id;
    std::string bundle;
    std::string pid_file;
    std::string console_socket; ///< where the master of its terminal is sent
    int kept_descriptors = 0;   ///< it gets so many of ours, from 3 on
    bool new_keyring = true;
    bool limits_required = false; ///< a limit that is not enforced is an error
    bool groups = true;           ///< false: none is made for it, and its limits are not enforced
    bool outlives = true;         ///< it stays when this process ends
    Fd terminal = {};             ///< instead of console_socket: a socket that is open already
    std::uint16_t rows = 0, columns = 0;
    std::span<char> command_line = {}; ///< see JailOptions
};

/// Whether the config.json of a bundle asks for a terminal. Errors: as from create().
Result<bool> wants_terminal(std::string const& bundle);

/// A container being created: OCI's runtime.md, "Lifecycle", steps 1 to 5.
///
/// Its process 1 is a child of this process until that ends, and then of whoever is set to receive
/// orphans: nobody stands between the container and whoever called us.
class Container {
public:
    Container(Store const& store, ContainerOrder order)
        : store_(store)
        , order_(std::move(order)) {}

    /// Errors: config.json cannot be read, asks for what is not done, or for what this machine
    /// lacks; the id is in use. Then nothing is left of the container.
    Result<void> create();
    /// From now on it is on its own.
    void let_go();

    [[nodiscard]] JailSpec const& spec() const { return options_.spec; }
    [[nodiscard]] Launch& launch() { return *launch_; }

private:
    Result<void> read_bundle();
    Result<void> check_terminal() const;
    Result<void> build(JailDirectory& jail);
    Result<void> plan();
    Result<void> begin(JailDirectory& jail);
    Result<void> run_creation_hooks();
    Result<void> await(char told);
    Result<void> write_pid_file() const;

    Store const& store_;
    ContainerOrder order_;
    JailOptions options_;
    Record record_;
    JailLimits limits_;
    JailPlan plan_;
    Fd listener_;
    Fd console_;
    std::unique_ptr<Launch> launch_;
    bool hooked_ = false; ///< a hook has run: those of the end have to
};

} // namespace iso::jail
