#pragma once

#include "benchmarks/harness/comparison.hpp"
#include "common/fd.hpp"
#include "common/program.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"

#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>

namespace iso::bench::test {

/// A directory with an engine named "isolate" that is a shell script: it honours the contract, or
/// breaks it in the way `body` says. `body` has the program and its arguments in "$@", and
/// `report STATUS`.
class FakeEngine {
public:
    explicit FakeEngine(std::string const& body)
        : directory_(TempDir::create("isobench-fake").value()) {
        std::string const path = directory_.path() + "/isolate";
        Fd const fd = Fd::open(path, O_WRONLY | O_CREAT, 0755).value();
        auto const written = write_all(fd.get(), R"(#!/bin/sh
if [ "$1" = probe ]; then
    echo '{"schema":"isolab.probe/1","engine":"isolate","usable":true,"backend":"fake","reason":"","next_step":""}'
    exit 0
fi
report() {
    printf '{"schema":"isolab.run/1","engine":"isolate","backend":"fake","ended":"exited","status":%d,"exit_status":%d,"phases":{},"counters":{"kvm.exits":7},"facts":{}}\n' "$1" "$1" >&3
}
while [ "$1" != -- ]; do shift; done
shift
)" + body + "\n");
        if (!written) throw std::runtime_error(written.error().message());
    }

    [[nodiscard]] std::string const& directory() const { return directory_.path(); }

private:
    TempDir directory_;
};

/// What a well-behaved engine does.
inline constexpr char const* k_honest = R"("$@"; status=$?; report $status; exit $status)";

/// Where the built workloads are: beside the directory of the test programs.
inline std::string workload_directory() {
    std::string const own = own_directory().value();
    return own.substr(0, own.rfind('/')) + "/workloads";
}

inline CompareOptions options_for(FakeEngine const& engine, std::vector<std::string> workloads) {
    CompareOptions options;
    options.quick = true;
    options.pin = false;
    options.blocks = 1;
    options.engines = {"isolate"};
    options.workloads = std::move(workloads);
    options.engine_directory = engine.directory();
    options.workload_directory = workload_directory();
    return options;
}

inline Results results_of(CompareOptions const& options) {
    Interrupts interrupts = Interrupts::create().value();
    auto const lineup = Lineup::probe(options.engine_directory, options.engines, interrupts);
    REQUIRE(lineup);
    Progress progress(true);
    auto compared = compare(options, *lineup, interrupts, progress);
    if (!compared) FAIL(compared.error().message());
    return std::move(compared->results);
}

} // namespace iso::bench::test
