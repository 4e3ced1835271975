#pragma once

#include "common/result.hpp"
#include "common/run_options.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace iso {

/// Whether an engine can run on this machine, with what, and if not, why and what to do.
struct EngineProbe {
    bool usable = false;
    std::string backend; ///< "host", "root", "userns", "kvm_intel", "kvm_amd", "kvm_pvm", ...
    std::string reason; ///< when not usable: what is missing; else a remark worth showing, or empty
    std::string next_step; ///< when not usable: what to do about it
};

/// One line of JSON, schema "isolab.probe/1": what `ENGINE probe --json` prints.
[[nodiscard]] std::string to_json(std::string_view engine, EngineProbe const& probe);
Result<EngineProbe> parse_probe(std::string const& json);

/// How the harness starts and ends an engine's process, where engines differ.
struct RunManner {
    bool console = false; ///< what the program writes comes over a machine's console, between marks
    std::vector<std::string> environment; ///< of the engine's process; NAME=VALUE
    int stop_signal = 9;                  ///< the first one, when it has to end early
    std::uint64_t settle_ns = 0;          ///< what it started may end so much later than itself
};

/// How a program in an engine comes by files that are on a disk of the host.
enum class DiskAccess : std::uint8_t {
    none,
    itself,  ///< the host's directory by its own name
    mounted, ///< the host's directory, at k_disk_directory
    image,   ///< a file system of the guest's own in a host file, at k_disk_directory
};
inline constexpr char const* k_disk_directory = "/disk";

/// One way to run a program isolated.
///
/// An engine is always another process: its interface says how to ask it and how to start it, and
/// never reaches into its internals, so peers and our own engines are measured alike.
class Engine {
public:
    virtual ~Engine() = default;

    /// The name in every table, option and file: "vmm-mini".
    [[nodiscard]] virtual std::string_view name() const = 0;
    /// Its place in the taxonomy: "OS-level virtualization", ...
    [[nodiscard]] virtual std::string_view technique() const = 0;
    /// Whether it writes an isolab.run/1 report (peers do not).
    [[nodiscard]] virtual bool reports() const = 0;
    /// Asks the machine now; no caching, no side effects that outlive the call.
    [[nodiscard]] virtual EngineProbe probe() const = 0;
    /// The command line that runs `options.program` in this engine. Precondition: the program is
    /// an absolute path. Errors: an option that this engine cannot honour.
    [[nodiscard]] virtual Result<std::vector<std::string>>
    command(RunOptions const& options) const = 0;

    /// The file that is started to run a program in it; "": the program itself, or it is not here.
    [[nodiscard]] virtual std::string program() const { return {}; }
    /// Of `--disk` and `--mount` (docs/engine-contract.md).
    [[nodiscard]] virtual DiskAccess disk() const { return DiskAccess::none; }
    /// One that is not ours: described in a file, and without a report.
    [[nodiscard]] virtual bool peer() const { return false; }
    /// Of the command that was made last. An engine of ours has something to tear down: SIGTERM.
    [[nodiscard]] virtual RunManner manner() const;
    /// After a run that did not end by itself: removes what the runs that have not ended well may
    /// have left outside their processes.
    virtual void clean_up() const {}
    /// The youngest run that has not ended well has: there is nothing of it to clean up.
    virtual void ended_well() const {}
    /// Why it is known not to be able to run a workload's file; or "".
    [[nodiscard]] virtual std::string cannot(std::string_view /*workload*/) const { return {}; }
};

/// The engines of this project in the order of the tables. Programs are looked up in
/// `bin_directory` (the directory of the running program).
std::vector<std::unique_ptr<Engine>> make_engines(std::string const& bin_directory);

} // namespace iso
