#pragma once

#include "common/fd.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/launch.hpp"
#include "tests/support/leftovers.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace iso::test {

using Words = std::vector<std::string>;

inline std::string program_path(std::string const& name) {
    return std::string(ISO_BIN_DIR) + "/" + name;
}
inline std::string workload_path(std::string const& name) {
    return std::string(ISO_WORKLOAD_DIR) + "/" + name;
}

inline std::string shown(Words const& words) {
    std::string text;
    for (std::string const& word : words)
        text += (text.empty() ? "" : " ") + word;
    return text;
}

/// Runs `program words...`; requires that it ends by itself and leaves nothing behind.
inline Ran call(std::string const& program, Words const& words, Launch launch_as = {}) {
    launch_as.command = {program_path(program)};
    launch_as.command.insert(launch_as.command.end(), words.begin(), words.end());
    Leftovers const before = Leftovers::look();
    Ran ran = launch(launch_as);
    INFO(program << " " << shown(words) << " -> " << ran.status << "\n" << ran.err.substr(0, 2000));
    REQUIRE_FALSE(ran.hung);
    CHECK(shown(ran.strays) == "");
    CHECK(shown(before.appeared()) == "");
    return ran;
}

/// A failure as a user must see it: nothing on stdout, one line "PROGRAM: CALL: CAUSE ...".
inline void check_told(std::string const& program, Ran const& ran, int status) {
    INFO("status " << ran.status << ", stderr: " << ran.err);
    CHECK(ran.status == status);
    CHECK(ran.out.empty());
    CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
    CHECK_THAT(ran.err, Catch::StartsWith(program + ": ") && Catch::EndsWith("\n"));
}

} // namespace iso::test

#define ISO_CLI_NAME_(line) iso_cli_##line
#define ISO_CLI_NAME(line) ISO_CLI_NAME_(line)

/// One test case for each program named.
#define ISO_CLI_ENGINES(subject)                                                                   \
    static void ISO_CLI_NAME(__LINE__)(std::string const& program);                                \
    TEST_CASE("isolate: " subject, "[isolate]") {                                                  \
        ISO_CLI_NAME(__LINE__)("isolate");                                                         \
    }                                                                                              \
    TEST_CASE("vmm-mini: " subject, "[vmm-mini]") {                                                \
        ISO_CLI_NAME(__LINE__)("vmm-mini");                                                        \
    }                                                                                              \
    TEST_CASE("paravirt-demo: " subject, "[paravirt-demo]") {                                      \
        ISO_CLI_NAME(__LINE__)("paravirt-demo");                                                   \
    }                                                                                              \
    static void ISO_CLI_NAME(__LINE__)(std::string const& program)
#define ISO_CLI_PROGRAMS(subject)                                                                  \
    static void ISO_CLI_NAME(__LINE__)(std::string const& program);                                \
    TEST_CASE("isolate: " subject, "[isolate]") {                                                  \
        ISO_CLI_NAME(__LINE__)("isolate");                                                         \
    }                                                                                              \
    TEST_CASE("vmm-mini: " subject, "[vmm-mini]") {                                                \
        ISO_CLI_NAME(__LINE__)("vmm-mini");                                                        \
    }                                                                                              \
    TEST_CASE("paravirt-demo: " subject, "[paravirt-demo]") {                                      \
        ISO_CLI_NAME(__LINE__)("paravirt-demo");                                                   \
    }                                                                                              \
    TEST_CASE("isobench: " subject, "[isobench]") {                                                \
        ISO_CLI_NAME(__LINE__)("isobench");                                                        \
    }                                                                                              \
    static void ISO_CLI_NAME(__LINE__)(std::string const& program)
