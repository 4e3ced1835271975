#include "common/engine.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"

#include <filesystem>
#include <fstream>
#include <set>

namespace {

using Words = std::vector<std::string>;

/// Puts a shell script in the place of an engine's program.
void write_script(std::string const& path, std::string const& body) {
    std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

iso::Engine const& find(std::vector<std::unique_ptr<iso::Engine>> const& engines,
                        std::string_view name) {
    for (auto const& engine : engines)
        if (engine->name() == name) return *engine;
    FAIL("no engine " << name);
    return *engines.front();
}

} // namespace

TEST_CASE("the table starts with native and names every engine once") {
    auto const engines = iso::make_engines("/nowhere");
    std::set<std::string_view> names;
    for (auto const& engine : engines)
        names.insert(engine->name());
    CHECK(engines.front()->name() == "native");
    CHECK(names == std::set<std::string_view>{"native", "isolate", "vmm-mini", "paravirt-demo"});
    CHECK(names.size() == engines.size());
}

TEST_CASE("native is the program itself and always there") {
    auto const engines = iso::make_engines("/nowhere");
    iso::RunOptions options;
    options.program = "/bin/prog";
    options.arguments = {"a", "", "--b"};
    CHECK(engines.front()->command(options).value() == Words{"/bin/prog", "a", "", "--b"});
    CHECK(engines.front()->probe().usable);
    CHECK_FALSE(engines.front()->reports());
}

TEST_CASE("an engine's command line carries every option, and the program's words last") {
    auto const engines = iso::make_engines("/bin-dir");
    iso::RunOptions options;
    options.program = "/bin/prog";
    options.arguments = {"--timeout", "9"};
    CHECK(find(engines, "vmm-mini").command(options).value() ==
          Words{"/bin-dir/vmm-mini", "run", "--", "/bin/prog", "--timeout", "9"});
    options.report_fd = 7;
    options.timeout_ns = 1'500'000'001;
    options.memory_bytes = 64 << 20;
    options.root = "/r";
    options.workdir = "/tmp";
    options.environment = {"A=1", "B=x y"};
    options.added = {{"/h", "/g"}};
    CHECK(find(engines, "isolate").command(options).value() ==
          Words{"/bin-dir/isolate", "run", "--report-fd=7", "--timeout=1500000001ns",
                "--memory=67108864", "--root=/r", "--workdir=/tmp", "--env=A=1", "--env=B=x y",
                "--add=/h:/g", "--", "/bin/prog", "--timeout", "9"});
}

TEST_CASE("an engine that was not built says so") {
    auto const engines = iso::make_engines("/nowhere");
    auto const probe = find(engines, "isolate").probe();
    CHECK_FALSE(probe.usable);
    CHECK_THAT(probe.reason, Catch::Contains("not built"));
    CHECK(probe.next_step == "./isolab build");
}

TEST_CASE("a probe's answer is passed on") {
    auto const dir = iso::TempDir::create("iso-engine-test").value();
    iso::EngineProbe const sent{false, "kvm_pvm", "no /dev/kvm: \"quoted\"", "load the module"};
    std::ofstream(dir.path() + "/answer") << to_json("vmm-mini", sent);
    write_script(dir.path() + "/vmm-mini",
                 "test \"$*\" = 'probe --json' && cat '" + dir.path() + "/answer'; exit 1");
    auto const got = find(iso::make_engines(dir.path()), "vmm-mini").probe();
    CHECK(got.usable == sent.usable);
    CHECK(got.backend == sent.backend);
    CHECK(got.reason == sent.reason);
    CHECK(got.next_step == sent.next_step);
}

TEST_CASE("an engine whose probe fails is not usable, with a reason and a next step") {
    auto const dir = iso::TempDir::create("iso-engine-test").value();
    auto const engines = iso::make_engines(dir.path());
    for (char const* body : {"exit 0", "echo nonsense", "kill -SEGV $$", "echo '{}'",
                             "echo '{\"usable\":1}'", "echo '[]'", "exit 125"}) {
        write_script(dir.path() + "/isolate", body);
        auto const probe = find(engines, "isolate").probe();
        INFO(body);
        CHECK_FALSE(probe.usable);
        CHECK_FALSE(probe.reason.empty());
        CHECK_FALSE(probe.next_step.empty());
    }
}

TEST_CASE("a probe is one line of JSON and survives the way") {
    iso::EngineProbe const sent{true, "userns", "a\nremark", ""};
    std::string const line = to_json("isolate", sent);
    CHECK(line.find('\n') == line.size() - 1);
    auto const got = iso::parse_probe(line).value();
    CHECK(got.usable);
    CHECK(got.reason == sent.reason);
    for (char const* bad :
         {"", "{", "null",
          "{\"usable\":\"yes\",\"backend\":\"\",\"reason\":\"\",\"next_step\":\"\"}"})
        CHECK_FALSE(iso::parse_probe(bad).has_value());
}
