#pragma once

// How the attacks on paravirt-demo are launched, and what must be true after each.
#include "common/fd.hpp"
#include "common/subprocess.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/launch.hpp"

#include <algorithm>
#include <string>
#include <unistd.h>
#include <vector>

namespace iso::test {

inline std::string const k_engine = ISO_BIN_DIR "/paravirt-demo";
inline std::string const k_programs = ISO_TEST_PROGRAM_DIR;

/// Whether this machine can run the engine at all; records a skip otherwise.
inline bool engine_works() {
    auto const probe = run_and_capture({k_engine, "probe"}, 20'000'000'000);
    bool const works = probe && probe->exit_status() == 0;
    if (!works) record_skip("paravirt", probe ? probe->out : "the probe did not end");
    return works;
}

/// A directory where a file appears only if an attack gets a system call through to the host.
class Canary {
public:
    Canary()
        : dir_(TempDir::create("isolab-canary").value()) {}
    [[nodiscard]] std::string path() const { return dir_.path() + "/file"; }
    [[nodiscard]] bool untouched() const { return ::access(path().c_str(), F_OK) != 0; }

private:
    TempDir dir_;
};

/// Runs one attack. Whatever it was, nothing may be left of it and nothing outside may have
/// changed.
inline Ran attack(std::vector<std::string> const& options,
                  std::vector<std::string> const& program) {
    Canary const canary;
    Launch launch;
    launch.command = {k_engine, "run"};
    launch.command.insert(launch.command.end(), options.begin(), options.end());
    launch.command.push_back("--");
    launch.command.insert(launch.command.end(), program.begin(), program.end());
    launch.command.push_back(canary.path());
    Ran ran = test::launch(launch);
    CHECK_FALSE(ran.hung);
    CHECK(ran.strays.empty());
    CHECK(canary.untouched());
    return ran;
}

inline bool one_of(int status, std::vector<int> const& allowed) {
    return std::find(allowed.begin(), allowed.end(), status) != allowed.end();
}

} // namespace iso::test
