#pragma once

#include "benchmarks/harness/peer_file.hpp"
#include "common/engine.hpp"

#include <memory>
#include <optional>
#include <string>

namespace iso::bench {

class PeerStage;

/// Where a peer finds what is not its own.
struct PeerSupport {
    std::string init;    ///< the first process of a machine
    std::string kernels; ///< a directory where ./isolab puts a kernel to boot
};

/// A peer as an engine: what its file says, on this machine.
class PeerEngine final : public Engine {
public:
    PeerEngine(PeerFile file, PeerSupport support);
    ~PeerEngine() override;

    [[nodiscard]] std::string_view name() const override { return file_.name; }
    [[nodiscard]] std::string_view technique() const override { return file_.technique; }
    [[nodiscard]] bool reports() const override { return false; }
    [[nodiscard]] bool peer() const override { return true; }
    [[nodiscard]] std::string program() const override;
    /// What the machine lacks for it; the backend is its version. Nothing is run but that question.
    [[nodiscard]] EngineProbe probe() const override;
    /// Stages the program in a scratch directory, which lives as long as the engine.
    [[nodiscard]] Result<std::vector<std::string>>
    command(RunOptions const& options) const override;
    [[nodiscard]] RunManner manner() const override;
    void clean_up() const override;
    void ended_well() const override;
    [[nodiscard]] std::string cannot(std::string_view workload) const override;

    [[nodiscard]] PeerFile const& file() const { return file_; }
    /// Whether its programs are here.
    [[nodiscard]] bool installed() const { return absent_program().empty(); }

private:
    [[nodiscard]] std::string absent_program() const;
    [[nodiscard]] std::string missing() const;
    [[nodiscard]] std::string version() const;

    PeerFile file_;
    PeerSupport support_;
    // A scratch directory is no state that a caller could see.
    mutable std::unique_ptr<PeerStage> stage_;
    mutable std::vector<std::vector<Words>> cleanup_; ///< of runs that have not ended well
    mutable std::vector<Words> finally_;
    mutable Words environment_;
};

/// The kernel to boot in a peer that brings none: $ISOLAB_KERNEL, one in `directory`, or the newest
/// of /boot that can be read. Empty: there is none.
std::string find_kernel(std::string const& directory);

} // namespace iso::bench
