#include "common/fd.hpp"
#include "common/json.hpp"
#include "isolate/bpf_interpreter.hpp"
#include "isolate/seccomp_json.hpp"
#include "isolate/seccomp_names.hpp"
#include "isolate/spec/names.hpp"
#include "tests/support/catch.hpp"

#include <seccomp.h>

#include <cerrno>
#include <memory>
#include <set>
#include <unistd.h>

#include <linux/audit.h>
#include <sys/mman.h>

namespace {

using namespace iso;
using namespace iso::jail;
using Json = nlohmann::json;

constexpr char const* k_podman = "/usr/share/containers/seccomp.json";
/// What Podman gives a container: chown, dac_override, fsetid, fowner, setgid, setuid, setpcap,
/// net_bind_service, sys_chroot, kill, setfcap.
constexpr std::uint64_t k_podman_capabilities = 0x800405fb;

/// Every operator, several architectures, several rules for a call, both halves of arguments.
constexpr char const* k_fixture = R"({
 "defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,
 "architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32","SCMP_ARCH_AARCH64"],
 "flags":["SECCOMP_FILTER_FLAG_LOG"],
 "syscalls":[
  {"names":["read","write","exit","exit_group","mmap","openat","close","ioctl","poll","futex"],
   "action":"SCMP_ACT_ALLOW"},
  {"names":["mount"],"action":"SCMP_ACT_ERRNO","errnoRet":1},
  {"names":["reboot"],"action":"SCMP_ACT_KILL_PROCESS"},
  {"names":["ptrace"],"action":"SCMP_ACT_TRACE","errnoRet":7},
  {"names":["kexec_load"],"action":"SCMP_ACT_TRAP"},
  {"names":["sethostname"],"action":"SCMP_ACT_LOG"},
  {"names":["personality"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":8,"op":"SCMP_CMP_EQ"}]},
  {"names":["personality"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":4294967295,"op":"SCMP_CMP_EQ"}]},
  {"names":["lseek"],"action":"SCMP_ACT_ALLOW","args":[{"index":1,"value":4294967296,"op":"SCMP_CMP_LT"}]},
  {"names":["dup3"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":4294967297,"op":"SCMP_CMP_LE"}]},
  {"names":["fcntl"],"action":"SCMP_ACT_ALLOW","args":[{"index":1,"value":3,"op":"SCMP_CMP_GT"}]},
  {"names":["kill"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":12884901888,"op":"SCMP_CMP_GE"}]},
  {"names":["clone"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2114060288,"valueTwo":0,"op":"SCMP_CMP_MASKED_EQ"}]},
  {"names":["madvise"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":5,"op":"SCMP_CMP_NE"},{"index":1,"value":8589934592,"op":"SCMP_CMP_NE"}]}
 ]})";

using Filter = std::unique_ptr<void, decltype(&seccomp_release)>;

bool conditions_hold(Json const& rule, char const* name, std::uint64_t capabilities, bool wanted) {
    if (!rule.contains(name) || rule[name].is_null()) return true;
    Json const& conditions = rule[name];
    if (conditions.contains("caps"))
        for (Json const& capability : conditions["caps"]) {
            bool const has =
                (capabilities >> *capability_number(capability.get<std::string>()) & 1U);
            if (has != wanted) return false;
        }
    if (!conditions.contains("arches")) return true;
    bool const ours = conditions["arches"].dump().find("\"amd64\"") != std::string::npos;
    return ours == wanted;
}

std::uint32_t library_action(Json const& json, char const* name, char const* errno_name) {
    std::uint32_t const data = json.value(errno_name, Json()).is_number()
                                   ? json[errno_name].get<std::uint32_t>()
                                   : std::uint32_t{EPERM};
    std::string const action = json[name];
    if (action == "SCMP_ACT_ERRNO") return SCMP_ACT_ERRNO(data);
    if (action == "SCMP_ACT_TRACE") return SCMP_ACT_TRACE(data);
    return *action_value(action);
}

scmp_compare library_operator(std::string const& op) {
    constexpr std::pair<char const*, scmp_compare> k_all[] = {
        {"SCMP_CMP_NE", SCMP_CMP_NE}, {"SCMP_CMP_LT", SCMP_CMP_LT}, {"SCMP_CMP_LE", SCMP_CMP_LE},
        {"SCMP_CMP_EQ", SCMP_CMP_EQ}, {"SCMP_CMP_GE", SCMP_CMP_GE}, {"SCMP_CMP_GT", SCMP_CMP_GT}};
    for (auto const& [name, value] : k_all)
        if (op == name) return value;
    return SCMP_CMP_MASKED_EQ;
}

/// The same profile, read by other code and built by libseccomp: the oracle.
SeccompProgram oracle_of(Json const& json, std::uint64_t capabilities, bool multi,
                         std::set<std::uint64_t>& values) {
    std::uint32_t const usual = library_action(json, "defaultAction", "defaultErrnoRet");
    Filter const filter(seccomp_init(usual), seccomp_release);
    REQUIRE(filter);
    if (multi) {
        REQUIRE(seccomp_arch_add(filter.get(), SCMP_ARCH_X86) == 0);
        REQUIRE(seccomp_arch_add(filter.get(), SCMP_ARCH_X32) == 0);
    }
    for (Json const& rule : json["syscalls"]) {
        if (!conditions_hold(rule, "includes", capabilities, true) ||
            !conditions_hold(rule, "excludes", capabilities, false))
            continue;
        std::uint32_t const action = library_action(rule, "action", "errnoRet");
        if (action == usual) continue;
        std::vector<scmp_arg_cmp> comparisons;
        for (Json const& argument : rule.value("args", Json::array())) {
            if (argument.is_null()) continue;
            std::uint64_t const value = argument["value"];
            values.insert({value - 1, value, value + 1, value ^ 1ULL << 32U, value ^ 1ULL << 63U});
            comparisons.push_back({argument["index"], library_operator(argument["op"]), value,
                                   argument.value("valueTwo", std::uint64_t{0})});
        }
        for (Json const& name : rule["names"]) {
            int const number = seccomp_syscall_resolve_name(name.get<std::string>().c_str());
            if (number == __NR_SCMP_ERROR) continue;
            int const added = seccomp_rule_add_array(filter.get(), action, number,
                                                     static_cast<unsigned>(comparisons.size()),
                                                     comparisons.data());
            INFO(name);
            REQUIRE((added == 0 || added == -EEXIST));
        }
    }
    int const file = ::memfd_create("bpf", 0);
    REQUIRE(seccomp_export_bpf(filter.get(), file) == 0);
    auto const size = ::lseek(file, 0, SEEK_END);
    SeccompProgram program(static_cast<std::size_t>(size) / sizeof(sock_filter));
    REQUIRE(::pread(file, program.data(), static_cast<std::size_t>(size), 0) == size);
    ::close(file);
    return program;
}

/// i386 calls that libseccomp splits by what they multiplex, and we do not (docs/isolate.md).
bool is_multiplexer(std::uint32_t arch, std::uint32_t number) {
    return arch == AUDIT_ARCH_I386 && (number == 102 || number == 117);
}

void compare(std::string const& text, std::uint64_t capabilities) {
    Json const json = Json::parse(text);
    auto const profile = read_profile(text, capabilities, true);
    REQUIRE(profile);
    bool const multi = profile->architectures.size() > 1;
    auto const ours = compile_seccomp(profile->architectures, {SECCOMP_RET_KILL});
    REQUIRE(ours);
    std::set<std::uint64_t> values{0, 1, ~0ULL};
    SeccompProgram const theirs = oracle_of(json, capabilities, multi, values);
    std::vector<std::uint32_t> numbers;
    for (std::uint32_t number = 0; number < 600; ++number) {
        numbers.push_back(number);
        numbers.push_back(number | k_x32_bit);
    }
    numbers.insert(numbers.end(), {1000, 0x3fffffff, 0x7fffffff, 0xfffffffe});
    std::uint64_t compared = 0;
    for (std::uint32_t const arch :
         {std::uint32_t{AUDIT_ARCH_X86_64}, std::uint32_t{AUDIT_ARCH_I386},
          std::uint32_t{AUDIT_ARCH_AARCH64}})
        for (std::uint32_t const number : numbers) {
            if (is_multiplexer(arch, number)) continue;
            for (unsigned index = 0; index < 3; ++index)
                for (std::uint64_t const value : values) {
                    seccomp_data data{};
                    data.nr = static_cast<int>(number);
                    data.arch = arch;
                    data.args[index] = value;
                    auto const answer = run_bpf(*ours, data);
                    auto const wanted = run_bpf(theirs, data);
                    ++compared;
                    if (answer == wanted && wanted) continue;
                    INFO(std::hex << "arch " << arch << " number " << number << " argument "
                                  << index << " value " << value);
                    REQUIRE(wanted.has_value());
                    REQUIRE(answer.value_or(0) == *wanted);
                }
        }
    CHECK(compared > 10000);
}

std::string refusal(std::string const& text, bool ignore_unknown = false) {
    auto const profile = read_profile(text, 0, ignore_unknown);
    return profile ? std::string("read") : profile.error().cause;
}

std::string profile_with(std::string const& rule) {
    return R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[)" + rule + "]}";
}

} // namespace

TEST_CASE("a profile answers as libseccomp's filter of the same profile") {
    compare(k_fixture, 0);
}

TEST_CASE("Podman's own profile answers as libseccomp's filter of it") {
    auto const text = read_file(k_podman);
    if (!text) ISO_SKIP("podman", std::string("there is no ") + k_podman);
    std::uint64_t const sys_admin = 1ULL << 21U;
    for (std::uint64_t const capabilities : {std::uint64_t{0}, k_podman_capabilities,
                                             k_podman_capabilities | sys_admin, ~std::uint64_t{0}})
        compare(*text, capabilities);
}

TEST_CASE("a profile's flags reach the kernel") {
    auto const profile = read_profile(k_fixture, 0, false);
    REQUIRE(profile);
    CHECK(profile->flags == SECCOMP_FILTER_FLAG_LOG);
}

TEST_CASE("several conditions on one argument are alternatives") {
    std::string const text = R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["dup"],
        "action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":4,"op":"SCMP_CMP_EQ"},
        {"index":0,"value":9,"op":"SCMP_CMP_EQ"}]}]})";
    auto const profile = read_profile(text, 0, false);
    REQUIRE(profile);
    auto const program = compile_seccomp(profile->architectures, {SECCOMP_RET_KILL});
    REQUIRE(program);
    for (std::uint64_t value = 0; value < 12; ++value) {
        seccomp_data data{};
        data.nr = 32;
        data.arch = AUDIT_ARCH_X86_64;
        data.args[0] = value;
        CHECK((*run_bpf(*program, data) == SECCOMP_RET_ALLOW) == (value == 4 || value == 9));
    }
}

TEST_CASE("a profile that cannot be honoured is refused by name") {
    CHECK(refusal("{") == "it is no JSON");
    CHECK(refusal("[]") == "the profile is no JSON object");
    CHECK(refusal("{}") == "it has no defaultAction");
    CHECK(refusal(R"({"defaultAction":"ALLOW"})") == "defaultAction 'ALLOW' is not known");
    CHECK(refusal(R"({"defaultAction":"SCMP_ACT_ALLOW","extra":1})") ==
          "the profile has an unknown member 'extra'");
    CHECK(refusal(R"({"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_Z80"]})") ==
          "architecture 'SCMP_ARCH_Z80' is not known");
    CHECK(refusal(R"({"defaultAction":"SCMP_ACT_ALLOW","flags":["X"]})") ==
          "the flag 'X' is not known");
    std::string const unknown =
        profile_with(R"({"names":["read","no_such_call"],"action":"SCMP_ACT_KILL"})");
    CHECK(refusal(unknown) == "'no_such_call' is no system call");
    CHECK(refusal(unknown, true) == "read");
    CHECK(refusal(profile_with(R"({"names":["arm_fadvise64_64"],"action":"SCMP_ACT_KILL"})")) ==
          "read"); // another machine's call is none here
    CHECK(refusal(profile_with(R"({"names":["read"],"action":"SCMP_ACT_NOTIFY"})")) ==
          "SCMP_ACT_NOTIFY is not supported yet");
    CHECK(refusal(profile_with(R"({"names":[],"action":"SCMP_ACT_KILL"})")) ==
          "an entry of syscalls names none");
    CHECK(refusal(profile_with(R"({"names":["read"],"action":"SCMP_ACT_KILL","args":[
        {"index":6,"value":1,"op":"SCMP_CMP_EQ"}]})")) == "index is no whole number up to 5");
    CHECK(refusal(profile_with(R"({"names":["read"],"action":"SCMP_ACT_KILL","args":[
        {"index":0,"value":-1,"op":"SCMP_CMP_EQ"}]})"))
              .find("value is no whole number") == 0);
    CHECK(refusal(profile_with(R"({"names":["read"],"action":"SCMP_ACT_KILL","args":[
        {"index":0,"value":1,"op":"EQ"}]})")) == "the operator 'EQ' is not known");
    CHECK(refusal(profile_with(R"({"names":["read"],"action":"SCMP_ACT_KILL",
        "includes":{"caps":["CAP_NONSENSE"]}})")) == "'CAP_NONSENSE' is no capability");
}
