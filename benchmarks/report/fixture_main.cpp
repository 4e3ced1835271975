// Prints the fixture as a result file, for tests that need one: `report_fixture [SEED]`.
#include "benchmarks/harness/results_json.hpp"
#include "benchmarks/report/report_fixture.hpp"

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
    iso::bench::report::test::Fixture fixture;
    if (argc > 1) fixture.results.seed = std::strtoull(argv[1], nullptr, 10);
    std::fputs(iso::bench::to_json(fixture.results).c_str(), stdout);
    return std::fflush(stdout) == 0 ? 0 : 1;
}
