// The audit of a jail: nothing is open that was not asked for, and every attempt finds the hole
// that it looks for where there is one.
#include "common/json.hpp"
#include "common/scope_exit.hpp"
#include "tests/security/battery_run.hpp"
#include "tests/security/shape.hpp"
#include "tests/support/json_schema.hpp"
#include "tests/support/leftovers.hpp"

#include <map>

using namespace iso;
using namespace iso::test;

namespace {

Ran audit_as(Caller const& caller, Words const& words) {
    Launch launch;
    launch.command = caller.prefix;
    launch.command.insert(launch.command.end(), {k_isolate, "audit"});
    launch.command.insert(launch.command.end(), words.begin(), words.end());
    return iso::test::launch(launch);
}

Ran audit(Words const& words) {
    return audit_as({"the caller", {}}, words);
}

nlohmann::json parsed(std::string const& text) {
    auto json = nlohmann::json::parse(text, nullptr, false);
    INFO(text);
    REQUIRE_FALSE(json.is_discarded());
    return json;
}

nlohmann::json check_of(nlohmann::json const& audited, std::string const& id) {
    for (auto const& check : audited.at("checks"))
        if (check.at("id") == id) return check;
    FAIL("no check " << id);
    return {};
}

/// Options that take walls away, and what is then to be found open.
struct Asked {
    Words options;
    char const* option; ///< how the audit names it
    Words open;
};

std::vector<Asked> asked() {
    return {
        {{"--network=host"}, "--network", {"host-loopback", "abstract-sockets"}},
        {{"--namespace=ipc=host"}, "--namespace ipc=host", {"shared-memory"}},
        {{"--namespace=uts=host"}, "--namespace uts=host", {"host-name"}},
        {{"--namespace=pid=host"}, "--namespace pid=host", {"host-processes"}},
        {{"--seccomp=none"}, "--seccomp none", {"new-users", "filter", "i386-calls"}},
        {{"--capabilities=chown"}, "--capabilities", {"capabilities"}},
        {{"--no-new-privileges=no"}, "--no-new-privileges", {"new-privileges"}},
        {{"--pids=700"}, "--pids 700", {"fork-bomb"}},
        {{"--mask=none"}, "--mask", {"statistics"}},
        {{"--root=/"}, "--root", {"host-files"}},
        {{"--mount=type=tmpfs,target=/large,size=1t"}, "--mount", {"memory-files"}},
    };
}

} // namespace

TEST_CASE("with the usual options nothing is open, for root and for an ordinary user") {
    for_each_caller([](Caller const& caller) {
        auto const before = Leftovers::look();
        Ran const ran = audit_as(caller, {});
        INFO(ran.out << ran.err);
        CHECK(ran.status == 0);
        CHECK(ran.err.empty());
        CHECK(ran.out.find(" 0 open") != std::string::npos);
        CHECK(ran.out.find("OPEN") == std::string::npos);
        CHECK(ran.strays.empty());
        CHECK(before.appeared().empty());
    });
}

TEST_CASE("what an option opens is found, and said to be asked for by it") {
    if (!jails_work({"the caller", {}})) ISO_SKIP("userns", "no jail can be made here");
    for (Asked const& each : asked()) {
        Words words = each.options;
        words.push_back("--format=json");
        Ran const ran = audit(words);
        INFO(each.option << ": " << ran.err);
        REQUIRE(ran.status == 0);
        auto const json = parsed(ran.out);
        CHECK(json.at("summary").at("open") == 0);
        CHECK(json.at("summary").at("open_as_asked_for") >= each.open.size());
        for (std::string const& id : each.open) {
            auto const check = check_of(json, id);
            INFO(check.dump());
            CHECK(check.at("state") == "open");
            CHECK(check.value("asked_for", "").starts_with(each.option));
        }
        words.push_back("--strict");
        CHECK(audit(words).status == 1);
    }
}

TEST_CASE("the audit of a plain chroot finds its holes") {
    if (::geteuid() != 0) ISO_SKIP("root", "chroot(2) needs root");
    NEEDS_ROOTFS(root);
    if (!jails_work({"the caller", {}})) ISO_SKIP("userns", "no jail can be made here");
    Ran const ran = audit({"--like=chroot", "--namespace=mount=host", "--root=" + root.path(),
                           "--root-mode=writable", "--format=json"});
    INFO(ran.err);
    REQUIRE(ran.status == 0);
    auto const json = parsed(ran.out);
    for (char const* id :
         {"chroot-escape", "signal-host", "trace-host", "mount-call", "new-filesystem",
          "host-loopback", "abstract-sockets", "shared-memory", "host-name", "set-host-name",
          "file-handles", "capabilities", "new-privileges", "filter", "host-root"}) {
        auto const check = check_of(json, id);
        INFO(check.dump());
        if (check.value("held_by", "") == "capabilities")
            iso::test::record_skip("root", std::string(id) + ": this root has no right to it");
        else
            CHECK(check.at("state") == "open");
    }
}

TEST_CASE("what nobody asked for ends the audit with 1") {
    if (!jails_work({"the caller", {}})) ISO_SKIP("userns", "no jail can be made here");
    Launch launch;
    launch.command = {"sh", "-c", "exec \"$0\" audit --format=json < /", k_isolate};
    Ran const ran = iso::test::launch(launch);
    INFO(ran.err);
    CHECK(ran.status == 1);
    auto const json = parsed(ran.out);
    CHECK(json.at("summary").at("open") == 1);
    CHECK(check_of(json, "standard-descriptors").at("state") == "open");
}

TEST_CASE("the JSON is as its schema says") {
    if (!jails_work({"the caller", {}})) ISO_SKIP("userns", "no jail can be made here");
    auto const schema = read_file(ISO_SOURCE_DIR "/docs/audit.schema.json");
    REQUIRE(schema);
    auto const json = parsed(audit({"--format=json", "--network=host"}).out);
    CHECK(fault(parsed(*schema), json, "") == "");
    auto const& summary = json.at("summary");
    CHECK(summary.at("held").get<int>() + summary.at("open").get<int>() +
              summary.at("open_as_asked_for").get<int>() + summary.at("unknown").get<int>() +
              summary.at("not_applicable").get<int>() ==
          summary.at("attempts").get<int>());
}

TEST_CASE("a memory limit is tried out") {
    if (!jails_work({"the caller", {}})) ISO_SKIP("userns", "no jail can be made here");
    auto const json = parsed(audit({"--format=json", "--memory=48M"}).out);
    auto const check = check_of(json, "memory-bomb");
    INFO(check.dump());
    CHECK(check.at("state") == "held");
    CHECK(check.at("held_by") == "limit");
}

TEST_CASE("a living jail is audited as exec would enter it") {
    for_each_caller([](Caller const& caller) {
        auto const state = TempDir::create("isolate-audit");
        REQUIRE(state);
        // The state must be its user's own.
        std::string const directory = state->path() + "/state";
        REQUIRE(::mkdir(directory.c_str(), 0700) == 0);
        ::chmod(state->path().c_str(), 0755);
        std::string const parent = state->path().substr(0, state->path().rfind('/'));
        ::chmod(parent.c_str(), 0711);
        if (!caller.prefix.empty()) REQUIRE(::chown(directory.c_str(), 65534, 65534) == 0);
        auto const isolate = [&](Words const& words) {
            std::vector<std::string> command = caller.prefix;
            command.insert(command.end(), {k_isolate, "--state", directory});
            command.insert(command.end(), words.begin(), words.end());
            auto const done = run_and_capture(command, 60'000'000'000);
            REQUIRE(done);
            return *done;
        };
        REQUIRE(isolate({"run", "--detach", "--name=cell", "--", ISO_JAIL_ATTACKER, "linger"})
                    .exit_status() == 0);
        ScopeExit const end([&] {
            (void)run_and_capture({k_isolate, "--state", directory, "delete", "--force", "cell"},
                                  60'000'000'000);
        });
        Finished const entered = isolate({"exec", "cell", "--", ISO_JAIL_ATTACKER, "read", "/"});
        if (entered.exit_status() != 0) {
            CHECK_FALSE(caller.prefix.empty()); // root enters every jail
            CHECK(isolate({"audit", "cell"}).exit_status() == 125);
            iso::test::record_skip("root", "exec: " + entered.err);
            return;
        }
        Finished const audited = isolate({"audit", "cell"});
        INFO(audited.out << audited.err);
        CHECK(audited.exit_status() == 0);
        CHECK(audited.out.find("the jail 'cell'") != std::string::npos);
        CHECK(audited.out.find(" 0 open") != std::string::npos);
        Finished const both = isolate({"audit", "--memory=1M", "cell"});
        CHECK(both.exit_status() == 2);
        CHECK(both.err.find("its options are what they are") != std::string::npos);
        CHECK(isolate({"audit", "nobody"}).exit_status() == 125);
    });
}

TEST_CASE("a wrong call ends with 2 and says what is wrong") {
    for (Words const& words : {Words{"--nonsense"}, Words{"--format=xml"}, Words{"--like=nobody"},
                               Words{"one", "two"}}) {
        Ran const ran = audit(words);
        INFO(ran.err);
        CHECK(ran.status == 2);
        CHECK_FALSE(ran.err.empty());
    }
    Battery const battery;
    Ran const taken = audit({"--battery=" + battery.path()});
    CHECK(taken.status == 125);
    CHECK(taken.err.find("a name that is free") != std::string::npos);
}
