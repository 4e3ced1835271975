// What holds for every program: help, version, wrong use.
#include "common/engine.hpp"
#include "common/json.hpp"
#include "tests/cli/cli.hpp"

namespace {

using namespace iso::test;

Words verbs_of(std::string const& program) {
    return program == "isobench" ? Words{"probe", "list", "run", "compare", "peers", "history"}
                                 : Words{"run", "probe"};
}

} // namespace

ISO_CLI_PROGRAMS("--help of the program and of every verb goes to stdout and ends with 0") {
    Ran const help = call(program, {"--help"});
    CHECK(help.status == 0);
    CHECK(help.err.empty());
    CHECK_THAT(help.out, Catch::Contains(program));
    for (std::string const& verb : verbs_of(program)) {
        CHECK_THAT(help.out, Catch::Contains(verb));
        for (char const* option : {"--help", "-h"}) {
            Ran const ran = call(program, {verb, option});
            INFO(verb);
            CHECK(ran.status == 0);
            CHECK(ran.err.empty());
            CHECK(ran.out.size() > 40);
        }
    }
}

ISO_CLI_ENGINES("the help of run tells the exit statuses and every shared option") {
    Ran const help = call(program, {"run", "--help"});
    for (char const* word :
         {"124", "125", "126", "127", "128+n", "PROGRAM", "--add", "--env", "--workdir", "--root",
          "--timeout", "--memory", "--report-fd", "--explain", "--trace", "--stats"})
        CHECK_THAT(help.out, Catch::Contains(word));
}

ISO_CLI_PROGRAMS("--version is one line on stdout") {
    Ran const ran = call(program, {"--version"});
    CHECK(ran.status == 0);
    CHECK(ran.out == program + " " ISO_VERSION "\n");
    CHECK(ran.err.empty());
}

ISO_CLI_PROGRAMS("a verb that does not exist, or none, ends with 2") {
    check_told(program, call(program, {"no-such-verb"}), 2);
    check_told(program, call(program, {}), 2);
    check_told(program, call(program, {"--no-such-option"}), 2);
    check_told(program, call(program, {"probe", "--no-such-option"}), 2);
}

ISO_CLI_ENGINES("run called wrongly ends with 125") {
    std::string const hello = workload_path("hello");
    for (Words const& words :
         {Words{"run"}, Words{"run", "--"}, Words{"run", "--no-such-option", "--", hello},
          Words{"run", "--timeout=soon", "--", hello}, Words{"run", "--memory=lots", "--", hello},
          Words{"run", "--env=NOVALUE", "--", hello},
          Words{"run", "--workdir=relative", "--", hello},
          Words{"run", "--root=/no/such/directory", "--", hello},
          Words{"run", "--report-fd=1", "--", hello}}) {
        INFO(shown(words));
        check_told(program, call(program, words), 125);
    }
}

ISO_CLI_ENGINES("a report descriptor that is not open is told before the program runs") {
    Ran const ran = call(program, {"run", "--report-fd=199", "--", workload_path("hello")});
    CHECK(ran.status == 125);
    CHECK_THAT(ran.err, Catch::Contains("199"));
}

ISO_CLI_ENGINES("a working directory that does not exist is told") {
    Ran const ran =
        call(program, {"run", "--workdir=/no/such/place", "--", workload_path("hello")});
    check_told(program, ran, 125);
    CHECK_THAT(ran.err, Catch::Contains("/no/such/place") && Catch::Contains("try: "));
}

ISO_CLI_ENGINES("a hopelessly small --memory is told") {
    Ran const ran = call(program, {"run", "--memory=4K", "--", workload_path("hello")});
    // Either there is too little to begin with, or the program is killed for it.
    CHECK((ran.status == 125 || ran.status == 137));
    CHECK(ran.out.empty());
}

ISO_CLI_ENGINES("probe answers on stdout, for people and for programs") {
    Ran const ran = call(program, {"probe"});
    CHECK((ran.status == 0 || ran.status == 1));
    CHECK(ran.err.empty());
    CHECK_THAT(ran.out, Catch::StartsWith(program));
    Ran const machine = call(program, {"probe", "--json"});
    CHECK(machine.status == ran.status);
    auto const probe = iso::parse_probe(machine.out);
    REQUIRE(probe.has_value());
    CHECK(probe->usable == (ran.status == 0));
    CHECK(nlohmann::json::parse(machine.out).at("schema") == "isolab.probe/1");
    if (!probe->usable) {
        CHECK_FALSE(probe->reason.empty());
        CHECK_FALSE(probe->next_step.empty());
    }
}

ISO_CLI_ENGINES("output that nobody takes is an error, not a crash") {
    for (Launch::Out const out : {Launch::Out::full, Launch::Out::closed}) {
        Launch how;
        how.out = out;
        for (Words const& words :
             {Words{"--help"}, Words{"--version"}, Words{"probe"}, Words{"run", "--help"}}) {
            INFO(shown(words));
            int const status = call(program, words, how).status;
            CHECK(status < 128);
        }
    }
}
