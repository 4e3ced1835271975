#include "common/fd.hpp"
#include "isolate/audit/asked_for.hpp"
#include "isolate/audit/battery_file.hpp"
#include "isolate/audit/outcome.hpp"
#include "isolate/audit/report.hpp"
#include "isolate/run_spec.hpp"
#include "isolate/spec/like.hpp"
#include "tests/support/catch.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <random>
#include <set>
#include <string>
#include <unistd.h>

#include <sys/stat.h>

using namespace iso;
using namespace iso::jail;

namespace {

std::string answer(std::string const& id, char const* state = "held", char const* by = "seccomp",
                   std::string const& detail = "Operation not permitted") {
    return id + "\t" + state + "\t" + by + "\t" + detail + "\n";
}

/// What a battery writes to which every wall held.
std::string whole_answer(std::string const& but = {}, std::string const& line = {}) {
    std::string text;
    for (Check const& check : checks())
        text += check.id == but ? line : answer(check.id);
    return text + fmt::format("end\t{}\n", checks().size());
}

Outcome const& outcome_of(std::vector<Outcome> const& outcomes, std::string const& id) {
    for (Outcome const& outcome : outcomes)
        if (outcome.check->id == id) return outcome;
    FAIL("no outcome " << id);
    return outcomes.front();
}

std::string cause_of(std::string const& text) {
    auto const read = read_outcomes(text);
    return read ? "" : read.error().cause;
}

} // namespace

TEST_CASE("the table of checks is complete, and no two are the same") {
    std::set<std::string> ids;
    std::set<std::string> titles;
    for (Check const& check : checks()) {
        INFO(check.id);
        CHECK(ids.insert(check.id).second);
        CHECK(titles.insert(check.title).second);
        CHECK(std::string(check.title).size() <= 46); // the column of the table
        for (char const* text : {check.group, check.attempt, check.gain, check.source})
            CHECK(std::string(text).size() > 3);
        CHECK(check.openings < 1U << k_openings);
    }
}

TEST_CASE("the page about the audit has the list as it is") {
    auto const page = read_file(ISO_SOURCE_DIR "/docs/audit.md");
    REQUIRE(page);
    INFO("isolate audit --list prints it");
    CHECK(page->find("\n\n" + check_list() + "\n") != std::string::npos);
}

TEST_CASE("the battery's answer is read") {
    auto const read = read_outcomes(
        whole_answer("mount-call", answer("mount-call", "open", "", "reached: Invalid argument")));
    REQUIRE(read);
    REQUIRE(read->size() == checks().size());
    Outcome const& mount = outcome_of(*read, "mount-call");
    CHECK(mount.state == State::open);
    CHECK(mount.by == By::nothing);
    CHECK(mount.detail == "reached: Invalid argument");
    Outcome const& other = outcome_of(*read, "bpf");
    CHECK(other.state == State::held);
    CHECK(other.by == By::seccomp);
    AuditCount const all = count(*read);
    CHECK(all.open == 1);
    CHECK(all.held == checks().size() - 1);
}

TEST_CASE("an answer that the battery would not give is refused") {
    std::string const good = whole_answer();
    REQUIRE(cause_of(good).empty());
    CHECK(cause_of("") == "it ends in the middle");
    CHECK(cause_of(good.substr(0, good.size() - 8)) != "");
    CHECK(cause_of(good + "x\n") == "there is more after its last line");
    CHECK(cause_of(answer("nothing")) == "a line is about no attempt");
    CHECK(cause_of(answer("bpf") + answer("bpf")) == "bpf is there twice");
    CHECK(cause_of(whole_answer("bpf")) == "bpf is missing");
    CHECK(cause_of("bpf\theld\tseccomp\n") == "a line has not four fields");
    CHECK(cause_of("bpf\theld\tseccomp\ta\tb\n") == "a line has not four fields");
    char const* const no_form = "the line about bpf is of no known form";
    CHECK(cause_of(answer("bpf", "closed")) == no_form);
    CHECK(cause_of(answer("bpf", "held", "magic")) == no_form);
    CHECK(cause_of(answer("bpf", "held", "seccomp", "\x1b[31mred")) == no_form);
    CHECK(cause_of(answer("bpf", "held", "seccomp", std::string(201, 'a'))) == no_form);
    CHECK(cause_of(std::string("bpf\theld\0\tseccomp\tx\n", 20)) == no_form);
}

TEST_CASE("no damaged answer counts as one in which more is held") {
    std::string const good =
        whole_answer("bpf", answer("bpf", "open", "", "it worked")); // one hole is told
    std::mt19937 random(20260823);
    int refused = 0;
    for (int round = 0; round < 3000; ++round) {
        std::string text = good;
        for (unsigned long changes = 1 + random() % 3; changes != 0; --changes) {
            std::size_t const at = random() % text.size();
            switch (random() % 3) {
            case 0:
                text[at] = static_cast<char>(random());
                break;
            case 1:
                text.erase(at, 1 + random() % 40);
                break;
            default:
                text.insert(at, text.substr(random() % text.size(), random() % 40));
            }
        }
        auto const read = read_outcomes(text);
        if (!read) {
            ++refused;
            continue;
        }
        CHECK(read->size() == checks().size());
        CHECK(outcome_of(*read, "bpf").state == State::open);
    }
    CHECK(refused > 1000);
}

TEST_CASE("what a process of the host says of itself is read") {
    auto const facts = read_facts("pid=12 socket= host=vm");
    REQUIRE(facts);
    CHECK(*facts == std::vector<std::string>{"pid=12", "socket=", "host=vm"});
    for (char const* text : {"", "pid", "=12", "pid=1  x=2", "pid=\x1b"})
        CHECK_FALSE(read_facts(text));
    CHECK_FALSE(read_facts(fmt::format("a={}", std::string(40, ' ') + "b=1")));
}

TEST_CASE("what is open is asked for by the option that opens it, and by no other") {
    JailSpec usual = spec_from({});
    CHECK(weakenings(usual, "").empty());

    JailSpec host_network = usual;
    host_network.at(Namespace::network).from = NamespaceChoice::From::host;
    host_network.network.mode = NetworkSpec::Mode::host;
    auto outcomes = read_outcomes(
        whole_answer("host-loopback", answer("host-loopback", "open", "", "port 80 answers")));
    REQUIRE(outcomes);
    mark_asked_for(*outcomes, weakenings(host_network, ""));
    CHECK(outcome_of(*outcomes, "host-loopback").asked_for.find("network") != std::string::npos);
    CHECK(outcome_of(*outcomes, "bpf").asked_for.empty());

    auto other = read_outcomes(whole_answer("bpf", answer("bpf", "open", "", "it worked")));
    REQUIRE(other);
    mark_asked_for(*other, weakenings(host_network, ""));
    CHECK(outcome_of(*other, "bpf").asked_for.empty()); // a network is no reason for it
    CHECK(count(*other).open == 1);

    JailSpec chroot = usual;
    REQUIRE(be_like(chroot, "chroot"));
    mark_asked_for(*other, weakenings(chroot, "chroot"));
    CHECK(outcome_of(*other, "bpf").asked_for == "--like chroot");
    CHECK(count(*other).open == 0);
    CHECK(count(*other).asked_for == 1);
}

TEST_CASE("tasks without a limit, or with more than the bomb has, explain the bomb") {
    for (auto const& [tasks, expected] : std::vector<std::pair<std::optional<std::uint64_t>, bool>>{
             {512, false}, {599, false}, {600, true}, {std::nullopt, true}}) {
        JailSpec spec = spec_from({});
        spec.limits.tasks = tasks;
        auto outcomes = read_outcomes(
            whole_answer("fork-bomb", answer("fork-bomb", "open", "", "600 at once")));
        REQUIRE(outcomes);
        mark_asked_for(*outcomes, weakenings(spec, ""));
        CHECK(outcome_of(*outcomes, "fork-bomb").asked_for.empty() != expected);
    }
}

TEST_CASE("the battery's file can be changed by nobody") {
    auto const file = sealed_battery();
    REQUIRE(file);
    struct stat info {};
    REQUIRE(::fstat(file->get(), &info) == 0);
    CHECK(static_cast<std::size_t>(info.st_size) == battery_bytes().size());
    CHECK((info.st_mode & 0222) == 0);
    char byte = 0;
    CHECK(::pwrite(file->get(), &byte, 1, 0) == -1);
    CHECK(errno == EPERM);
    CHECK(::ftruncate(file->get(), 0) == -1);
    CHECK(std::string(battery_bytes().data(), 4) == "\x7f"
                                                    "ELF");
}
