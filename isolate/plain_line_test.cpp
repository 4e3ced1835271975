#include "isolate/plain_line.hpp"
#include "tests/support/catch.hpp"

#include <CLI/CLI.hpp>

namespace {

using namespace iso;

using Line = std::vector<char const*>;

bool plain(Line const& line, RunOptions& options) {
    return jail::read_plain_line(static_cast<int>(line.size()), line.data(), options);
}

} // namespace

TEST_CASE("a plain line is read as the full parser reads it") {
    for (Line const& line :
         {Line{"isolate", "run", "--", "/bin/x"},
          Line{"isolate", "run", "--", "x", "--", "--trace", ""},
          Line{"isolate", "run", "--report-fd=7", "--", "x"},
          Line{"isolate", "run", "--timeout=1500ms", "--report-fd=1048576", "--", "x", "run"},
          Line{"isolate", "run", "--timeout=30000000000ns", "--", "--x"}}) {
        RunOptions quick;
        REQUIRE(plain(line, quick));
        CLI::App app("", "isolate");
        RunOptions full;
        add_run_options(*app.add_subcommand("run"), full);
        REQUIRE(parse_command_line(app, static_cast<int>(line.size()), line.data(), &full).proceed);
        CHECK(quick.program == full.program);
        CHECK(quick.arguments == full.arguments);
        CHECK(quick.timeout_ns == full.timeout_ns);
        CHECK(quick.report_fd == full.report_fd);
        CHECK(quick.workdir == full.workdir);
    }
}

TEST_CASE("what is not plain, or is wrong, is left to the full parser") {
    for (Line const& line :
         {Line{"isolate"}, Line{"isolate", "run"}, Line{"isolate", "run", "--"},
          Line{"isolate", "run", "x", "--", "y"}, Line{"isolate", "run", "--", ""},
          Line{"isolate", "probe", "--", "x"}, Line{"isolate", "run", "--trace", "--", "x"},
          Line{"isolate", "run", "--report-fd", "7", "--", "x"},
          Line{"isolate", "run", "--report-fd=2", "--", "x"},
          Line{"isolate", "run", "--report-fd=7x", "--", "x"},
          Line{"isolate", "run", "--report-fd=", "--", "x"},
          Line{"isolate", "run", "--report-fd=7", "--report-fd=8", "--", "x"},
          Line{"isolate", "run", "--timeout=soon", "--", "x"},
          Line{"isolate", "run", "--help", "--", "x"}}) {
        RunOptions options;
        options.program = "before";
        CHECK_FALSE(plain(line, options));
        CHECK(options.program == "before");
    }
}
