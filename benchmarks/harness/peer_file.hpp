#pragma once

#include "common/json.hpp"
#include "common/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace iso::bench {

/// How the program gets into a peer.
enum class PeerWorkload {
    directory, ///< in a directory that becomes the root: {root}
    initramfs, ///< in an archive that a kernel unpacks: {initramfs}
};

/// How what the program wrote comes back.
enum class PeerResult {
    stdout_, ///< as it is
    console, ///< among a kernel's messages, between two marks
};

using Words = std::vector<std::string>;

/// A peer: an engine that is not ours, described in a file of commented JSON (docs/peers.md).
struct PeerFile {
    std::string path; ///< of the file
    std::string name;
    std::string title;
    std::string technique; ///< one of the project's three
    std::string isolates;  ///< in one line
    Words programs;        ///< that have to be installed
    bool needs_root = false;
    Words devices;                                ///< that have to be there and to open
    bool needs_kernel = false;                    ///< a Linux kernel to boot: {kernel}
    std::map<std::string, std::string> conflicts; ///< a path that must not be there, and why
    Words version;                                ///< what prints it
    PeerWorkload workload = PeerWorkload::directory;
    Words run;
    Words environment;                           ///< NAME=VALUE
    std::map<std::string, nlohmann::json> files; ///< written below {files}: an object, or lines
    PeerResult result = PeerResult::stdout_;
    int stop_signal = 15;        ///< the polite end
    std::uint64_t settle_ns = 0; ///< what it started may end so much later
    std::vector<Words> cleanup;  ///< after a run that did not end by itself
    std::vector<Words> finally;  ///< when the comparison is over: what every run leaves
    std::map<std::string, std::string> cannot; ///< a workload's file, and why not
    Words debian;                              ///< packages
    std::string elsewhere;                     ///< how to install it otherwise
    Words caveats;

    /// What to do when it is not installed.
    [[nodiscard]] std::string install() const;
};

/// Errors: "PATH:LINE: FIELD: what is wrong", exit status 2.
Result<PeerFile> parse_peer(std::string const& path, std::string const& text);

/// Every *.json of a directory, by name. Errors: the directory, or any of the files.
Result<std::vector<PeerFile>> load_peers(std::string const& directory);

} // namespace iso::bench
