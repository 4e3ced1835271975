#include "benchmarks/gate/revision.hpp"
#include "tests/support/catch.hpp"

using iso::bench::cause_of_failure;

TEST_CASE("of a build's output the line is told that says why it failed") {
    CHECK(cause_of_failure("[1/9] c++ a.cpp\nFAILED: a.o\n/usr/bin/c++ -c a.cpp\n"
                           "a.cpp: In function 'main':\n  a.cpp:3:5: error: expected ';'\n"
                           "b.cpp:1:1: error: later\nninja: build stopped: subcommand failed.\n") ==
          "a.cpp:3:5: error: expected ';'");
    CHECK(cause_of_failure("-- Configuring\nCMake Error at CMakeLists.txt:7 (message):\n\n"
                           "  isolab-micro needs it\n\n-- Configuring incomplete\n") ==
          "CMake Error at CMakeLists.txt:7 (message): isolab-micro needs it");
    CHECK(cause_of_failure("CMake Error: Could not read presets from /x: File not found\n") ==
          "CMake Error: Could not read presets from /x: File not found");
    CHECK(cause_of_failure("fatal: not a tree object\n") == "fatal: not a tree object");
    CHECK(cause_of_failure("/bin/sh: 1: cmake: not found\n") == "/bin/sh: 1: cmake: not found");
    CHECK(cause_of_failure("[3/9] ld x\ncollect2: ld returned 1 exit status\n"
                           "ninja: build stopped: subcommand failed.\n") ==
          "collect2: ld returned 1 exit status");
    CHECK(cause_of_failure("\n \n") == "it said nothing");
}
