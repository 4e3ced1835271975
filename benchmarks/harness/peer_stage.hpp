#pragma once

#include "benchmarks/harness/peer_words.hpp"
#include "common/fd.hpp"
#include "common/temp_dir.hpp"

#include <map>
#include <string>

namespace iso::bench {

/// What a peer is given to run a program in: directories and archives in a scratch directory of its
/// own, made before the clock starts and gone with this object.
class PeerStage {
public:
    /// `init`: the file that becomes the first process of a machine.
    static Result<PeerStage> create(PeerFile const& peer, std::string init);
    PeerStage(PeerStage&&) = default;

    /// Stages a program with its arguments and says what the placeholders stand for.
    /// Errors: a file that cannot be read or written.
    Result<PeerValues> stage(std::string const& program, Words const& arguments);

    [[nodiscard]] std::string const& scratch() const { return directory_.path(); }

private:
    PeerStage(PeerFile const& peer, std::string init, TempDir directory)
        : peer_(&peer)
        , init_(std::move(init))
        , directory_(std::move(directory)) {}

    Result<std::string> root_with(std::string const& program);
    Result<std::string> initramfs_with(std::string const& program, Words const& arguments);
    Result<std::string> write_files(PeerValues const& values);

    PeerFile const* peer_;
    std::string init_;
    TempDir directory_;
    std::map<std::string, std::string> roots_;    ///< by program
    std::map<std::string, std::string> archives_; ///< by program and arguments
    std::uint64_t made_ = 0;
};

} // namespace iso::bench
