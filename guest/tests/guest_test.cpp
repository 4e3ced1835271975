// Runs test programs natively and under vmm-mini, and expects the same of both.
#include "common/json.hpp"
#include "common/subprocess.hpp"
#include "tests/support/catch.hpp"

#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

constexpr std::uint64_t k_most_instructions = 1900;    // 1640 when this was written
constexpr std::uint64_t k_timeout_ns = 60'000'000'000; // a hang, not a slow machine

struct Outcome {
    std::string out, err;
    int status;
};

Outcome run(std::vector<std::string> const& command, std::string const& input = {}) {
    auto const finished = iso::run_and_capture(command, k_timeout_ns, input);
    REQUIRE(finished.has_value());
    return {finished->out, finished->err, finished->exit_status()};
}

bool has_kvm() {
    return ::access("/dev/kvm", R_OK | W_OK) == 0;
}

std::string program(std::string const& name) {
    return std::string(ISO_GUEST_PROGRAM_DIR "/") + name;
}

Outcome in_guest(std::vector<std::string> command, std::vector<std::string> const& options = {},
                 std::string const& input = {}) {
    std::vector<std::string> all{ISO_BIN_DIR "/vmm-mini", "run"};
    all.insert(all.end(), options.begin(), options.end());
    all.push_back("--");
    all.insert(all.end(), command.begin(), command.end());
    return run(all, input);
}

void expect_same(std::vector<std::string> const& command) {
    Outcome const native = run(command);
    Outcome const guest = in_guest(command);
    INFO(command.back() << ": " << guest.err);
    CHECK(guest.out == native.out);
    CHECK(guest.status == native.status);
}

} // namespace

#define NEED_KVM()                                                                                 \
    if (!has_kvm()) ISO_SKIP("kvm", "/dev/kvm cannot be opened")

TEST_CASE("a program ends as it would on Linux, whatever it does") {
    NEED_KVM();
    std::istringstream kinds(run({program("guest-crash")}).out);
    int count = 0;
    for (std::string kind; kinds >> kind; ++count)
        expect_same({program("guest-crash"), kind});
    CHECK(count > 30);
}

TEST_CASE("bad pointers are answered as Linux answers them, in every call") {
    NEED_KVM();
    expect_same({program("guest-pointers")});
}

TEST_CASE("mappings behave as on Linux") {
    NEED_KVM();
    expect_same({program("guest-memory")});
}

TEST_CASE("a program that wants more memory than there is ends alone") {
    NEED_KVM();
    Outcome const guest = in_guest({program("guest-hungry")}, {"--memory", "32M"});
    CHECK(guest.out == "refused\ntouching\n");
    CHECK(guest.status == 128 + 9);
}

// Where ring 0 is emulated, an instruction of the kernel costs microseconds: the start of a program
// must not grow by accident. Counts do not depend on how busy the machine is.
TEST_CASE("a program starts in few instructions of the kernel") {
    NEED_KVM();
    Outcome const guest = in_guest({ISO_HELLO}, {"--stats=json"});
    auto const stats = nlohmann::json::parse(guest.err, nullptr, false);
    REQUIRE(stats.is_object());
    if (stats["backend"] != "kvm_pvm") ISO_SKIP("kvm_pvm", "ring 0 is not emulated here");
    CHECK(stats["counters"]["kvm.insn_emulation"] < k_most_instructions);
    CHECK(stats["counters"]["guest.page_faults"] == 0);
}

TEST_CASE("stdin reaches the program") {
    NEED_KVM();
    std::string input;
    for (int i = 0; i < 30000; ++i)
        input += "line " + std::to_string(i) + "\n";
    Outcome const guest = in_guest({"/bin/busybox", "md5sum"}, {}, input);
    CHECK(guest.out == run({"/bin/busybox", "md5sum"}, input).out);
}

TEST_CASE("an unmodified busybox runs") {
    NEED_KVM();
    if (::access("/bin/busybox", X_OK) != 0) ISO_SKIP("busybox", "/bin/busybox is not installed");
    CHECK(in_guest({"/bin/busybox", "echo", "two", "words"}).out == "two words\n");
    CHECK(in_guest({"/bin/busybox", "ls", "/"}).out.find("dev\nproc\ntmp\n") != std::string::npos);
    CHECK(in_guest({"/bin/busybox", "false"}).status == 1);
    CHECK(
        in_guest({"/bin/busybox", "sha256sum", "/etc/services"}, {"--add", "/etc/services"}).out ==
        run({"/bin/busybox", "sha256sum", "/etc/services"}).out);
    CHECK(in_guest({"/bin/busybox", "cat", "/nothing"}).status == 1);
    CHECK(in_guest({"/bin/busybox", "pwd"}, {"--workdir", "/tmp"}).out == "/tmp\n");
    CHECK(in_guest({"/bin/busybox", "env"}, {"--env", "A=1", "--env", "B="}).out == "A=1\nB=\n");
    CHECK(in_guest({"/bin/busybox", "sleep", "0.05"}).status == 0);
}
