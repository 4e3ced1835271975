// isolab-micro: see CMakeLists.txt. Options are Google Benchmark's own (--help).
#include "common/version.hpp"

#include <benchmark/benchmark.h>

#include <string>
#include <unistd.h>

#include <sys/utsname.h>

namespace {

/// The machine decides what these numbers mean: they go into the context of every output.
void add_context() {
    utsname system{};
    if (::uname(&system) == 0)
        benchmark::AddCustomContext("kernel", std::string(system.release) + " " + system.machine);
    std::string backend = "none";
    for (char const* name : {"kvm_intel", "kvm_amd", "kvm_pvm"})
        if (::access((std::string("/sys/module/") + name).c_str(), F_OK) == 0) backend = name;
    benchmark::AddCustomContext("kvm_backend", backend);
    benchmark::AddCustomContext("isolab_version", iso::k_version);
}

} // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    add_context();
    std::size_t const ran = benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return ran == 0 ? 1 : 0;
}
