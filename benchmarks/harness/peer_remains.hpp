#pragma once

#include "benchmarks/harness/peer_file.hpp"

#include <string>
#include <vector>

namespace iso::bench {

/// As a shell finds it, and where a user's PATH often does not lead.
Result<std::string> find_tool(std::string const& name);

/// Runs commands whose success is not known to be needed, and says nothing.
void run_quietly(std::vector<Words> const& commands);

/// How the scratch directories of a peer begin; held by TempDir::create_held().
std::string scratch_prefix(std::string const& peer);

/// Notes in a scratch directory what has to be run when its owner is killed.
/// Errors: it cannot be written.
Result<void> note_remains(std::string const& scratch, std::vector<Words> const& commands);

/// What a killed isobench left of a peer: its noted commands are run, processes that name its
/// scratch directory are ended, the directory is removed. Those of living owners are left alone.
void clean_after_the_dead(std::string const& peer);

} // namespace iso::bench
