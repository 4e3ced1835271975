// Run by the build: prints the default profile, compiled, as the initialisers of a table.
#include "isolate/seccomp_compiler.hpp"
#include "isolate/seccomp_profile.hpp"

#include <fmt/format.h>

#include <cstdio>

int main() {
    auto const program = iso::jail::compile_seccomp(iso::jail::default_profile());
    if (!program) {
        fmt::print(stderr, "{}: {}\n", program.error().op, program.error().cause);
        return 1;
    }
    for (sock_filter const& in : *program)
        fmt::print("{{{:#x}, {}, {}, {:#x}}},\n", in.code, in.jt, in.jf, in.k);
    return std::fflush(stdout) == 0 ? 0 : 1;
}
