#include "common/fd.hpp"
#include "common/json.hpp"
#include "common/report.hpp"
#include "tests/support/catch.hpp"

namespace {

using iso::Ended;
using iso::RunReport;
using nlohmann::json;

RunReport full_report() {
    RunReport report;
    report.engine = "vmm-mini";
    report.backend = "kvm_pvm";
    report.ended = Ended::exited;
    report.status = 3;
    report.phases = {1, 2, 3, 4, 18'446'744'073'709'551'615ULL};
    report.counters = {{"kvm.exits", 18'446'744'073'709'551'615ULL}, {"guest.syscall.write", 0}};
    report.facts = {{"cpuid.vendor", "Genuine \"Intel\"\n"}};
    return report;
}

} // namespace

TEST_CASE("a report survives its way over the pipe") {
    RunReport const sent = full_report();
    std::string const line = to_json(sent);
    CHECK(line.back() == '\n');
    CHECK(line.find('\n') == line.size() - 1); // one line, whatever the facts hold
    RunReport const got = iso::parse_report(line).value();
    CHECK(got.engine == sent.engine);
    CHECK(got.backend == sent.backend);
    CHECK(got.ended == sent.ended);
    CHECK(got.status == 3);
    CHECK(got.phases.create == 1U);
    CHECK(got.phases.destroy == sent.phases.destroy);
    CHECK(got.counters == sent.counters);
    CHECK(got.facts == sent.facts);
    CHECK_FALSE(got.failure.has_value());
    CHECK(to_json(got) == line);
}

TEST_CASE("a phase that was not reached is absent, not zero") {
    RunReport report = full_report();
    report.phases = {};
    report.phases.create = 5;
    json const out = json::parse(to_json(report));
    CHECK(out.at("phases").size() == 1);
    CHECK_FALSE(iso::parse_report(to_json(report)).value().phases.load.has_value());
}

TEST_CASE("a failure is told in full") {
    RunReport report = full_report();
    report.ended = Ended::engine_failed;
    report.failure =
        iso::Error{"ioctl(KVM_RUN)", "Invalid argument", "isobench probe", EINVAL, 126};
    RunReport const got = iso::parse_report(to_json(report)).value();
    REQUIRE(got.failure.has_value());
    CHECK(got.failure->op == "ioctl(KVM_RUN)");
    CHECK(got.failure->cause == "Invalid argument");
    CHECK(got.failure->hint == "isobench probe");
    CHECK(got.failure->code == EINVAL);
    CHECK(got.exit_status() == 126);
}

TEST_CASE("the exit status follows from how the run ended") {
    RunReport report;
    CHECK(report.exit_status() == 125);
    report.ended = Ended::exited;
    report.status = 42;
    CHECK(report.exit_status() == 42);
    report.ended = Ended::signalled;
    report.signal = 11;
    CHECK(report.exit_status() == 139);
    report.ended = Ended::killed;
    report.signal = 2;
    CHECK(report.exit_status() == 130);
    report.ended = Ended::timeout;
    CHECK(report.exit_status() == 124);
    for (Ended const ended :
         {Ended::exited, Ended::signalled, Ended::killed, Ended::timeout, Ended::engine_failed}) {
        report.ended = ended;
        RunReport const got = iso::parse_report(to_json(report)).value();
        CHECK(got.ended == ended);
        CHECK(got.exit_status() == report.exit_status());
        CHECK(json::parse(to_json(report)).at("exit_status") == report.exit_status());
    }
}

TEST_CASE("bytes that are not UTF-8 do not break the report") {
    RunReport report = full_report();
    report.facts["path"] = "/tmp/\xff\xfe";
    CHECK(iso::parse_report(to_json(report)).has_value());
}

TEST_CASE("what is not a report is refused") {
    json const good = json::parse(to_json(full_report()));
    std::vector<std::string> bad = {
        "", "\n", "{", "[]", "null", "7", "\"x\"", "{}", "{\"schema\":1}"};
    for (auto const& [key, value] : good.items()) {
        if (key == "status" || key == "exit_status") continue;
        json without = good;
        without.erase(key);
        bad.push_back(without.dump());
        json wrong = good;
        wrong[key] = value.is_object() ? json(7) : json::object();
        bad.push_back(wrong.dump());
    }
    json other = good;
    other["schema"] = "isolab.run/2";
    bad.push_back(other.dump());
    other = good;
    other["ended"] = "vanished";
    bad.push_back(other.dump());
    other = good;
    other["counters"]["kvm.exits"] = -1;
    bad.push_back(other.dump());
    other = good;
    other["counters"]["kvm.exits"] = 1.5;
    bad.push_back(other.dump());
    other = good;
    other["phases"]["enter"] = "soon";
    bad.push_back(other.dump());
    other = good;
    other["failure"] = json::object();
    bad.push_back(other.dump());
    std::string const whole = good.dump();
    for (std::size_t length = 0; length < whole.size(); ++length)
        bad.push_back(whole.substr(0, length));
    for (std::string const& text : bad) {
        INFO(text);
        CHECK_FALSE(iso::parse_report(text).has_value());
    }
}

TEST_CASE("a report is written to a descriptor, or to none") {
    auto pipe = iso::Pipe::create().value();
    CHECK(iso::write_report(-1, full_report()).has_value());
    REQUIRE(iso::write_report(pipe.write.get(), full_report()).has_value());
    pipe.write.reset();
    CHECK(iso::read_all(pipe.read.get()).value() == to_json(full_report()));
    auto const closed = iso::write_report(900, full_report());
    REQUIRE_FALSE(closed.has_value());
    CHECK(closed.error().op == "write(--report-fd=900)");
}
