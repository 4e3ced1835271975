#include "isolate/seccomp_names.hpp"

#include "isolate/spec/names.hpp"

#include <seccomp.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include <linux/seccomp.h>

namespace iso::jail {

namespace {

template <typename Value>
struct Word {
    std::string_view name;
    Value value;
};

template <typename Value, std::size_t n>
std::optional<Value> look_up(Word<Value> const (&words)[n], std::string_view name) {
    auto const* const found = std::find_if(std::begin(words), std::end(words),
                                           [&](Word<Value> const& w) { return w.name == name; });
    if (found == std::end(words)) return std::nullopt;
    return found->value;
}

constexpr Word<std::uint32_t> k_actions[] = {
    {"SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW},
    {"SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO},
    {"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD},
    {"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD},
    {"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS},
    {"SCMP_ACT_LOG", SECCOMP_RET_LOG},
    {"SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF},
    {"SCMP_ACT_TRACE", SECCOMP_RET_TRACE},
    {"SCMP_ACT_TRAP", SECCOMP_RET_TRAP},
};

constexpr Word<Comparison::Op> k_operators[] = {
    {"SCMP_CMP_NE", Comparison::Op::not_equal},           {"SCMP_CMP_LT", Comparison::Op::less},
    {"SCMP_CMP_LE", Comparison::Op::less_or_equal},       {"SCMP_CMP_EQ", Comparison::Op::equal},
    {"SCMP_CMP_GE", Comparison::Op::greater_or_equal},    {"SCMP_CMP_GT", Comparison::Op::greater},
    {"SCMP_CMP_MASKED_EQ", Comparison::Op::masked_equal},
};

constexpr Word<unsigned> k_flags[] = {
    {"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
    {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
};

constexpr Word<Architecture> k_architectures[] = {
    {"SCMP_ARCH_X86_64", Architecture::x86_64},
    {"SCMP_ARCH_X86", Architecture::x86},
    {"SCMP_ARCH_X32", Architecture::x32},
};

constexpr std::string_view k_foreign[] = {
    "SCMP_ARCH_ARM",         "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",     "SCMP_ARCH_MIPS64",
    "SCMP_ARCH_MIPS64N32",   "SCMP_ARCH_MIPSEL",  "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32",
    "SCMP_ARCH_PPC",         "SCMP_ARCH_PPC64",   "SCMP_ARCH_PPC64LE",  "SCMP_ARCH_S390",
    "SCMP_ARCH_S390X",       "SCMP_ARCH_PARISC",  "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64",
    "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K",    "SCMP_ARCH_SH",       "SCMP_ARCH_SHEB"};

/// i386 has these calls twice: on their own, since Linux 4.3 and 5.1, and behind socketcall(2) and
/// ipc(2). libseccomp gives them a number of its own invention.
constexpr Word<std::uint32_t> k_i386_direct[] = {
    {"recvmmsg", 337},   {"sendmmsg", 345},   {"socket", 359},      {"socketpair", 360},
    {"bind", 361},       {"connect", 362},    {"listen", 363},      {"accept4", 364},
    {"getsockopt", 365}, {"setsockopt", 366}, {"getsockname", 367}, {"getpeername", 368},
    {"sendto", 369},     {"sendmsg", 370},    {"recvfrom", 371},    {"recvmsg", 372},
    {"shutdown", 373},   {"semget", 393},     {"semctl", 394},      {"shmget", 395},
    {"shmctl", 396},     {"shmat", 397},      {"shmdt", 398},       {"msgget", 399},
    {"msgsnd", 400},     {"msgrcv", 401},     {"msgctl", 402}};

/// From this number on all architectures have the same ones.
constexpr std::uint32_t k_first_common = 424;

std::uint32_t token(Architecture architecture) {
    switch (architecture) {
    case Architecture::x86_64:
        return SCMP_ARCH_X86_64;
    case Architecture::x86:
        return SCMP_ARCH_X86;
    case Architecture::x32:
        return SCMP_ARCH_X32;
    }
    return SCMP_ARCH_X86_64;
}

} // namespace

std::optional<Architecture> architecture_named(std::string_view name) {
    return look_up(k_architectures, name);
}

bool is_foreign_architecture(std::string_view name) {
    return std::find(std::begin(k_foreign), std::end(k_foreign), name) != std::end(k_foreign);
}

Resolved resolve_call(Architecture architecture, std::string const& name) {
    using Kind = Resolved::Kind;
    if (architecture == Architecture::x86)
        if (auto const direct = look_up(k_i386_direct, name)) return {Kind::number, *direct};
    int const number = seccomp_syscall_resolve_name_arch(token(architecture), name.c_str());
    if (number >= 0) return {Kind::number, static_cast<std::uint32_t>(number)};
    if (number != __NR_SCMP_ERROR) return {Kind::elsewhere};
    // Newer than the library.
    auto const native = syscall_number(name);
    if (!native) return {Kind::unknown};
    if (architecture == Architecture::x86_64) return {Kind::number, *native};
    if (*native < k_first_common) return {Kind::elsewhere};
    return {Kind::number, architecture == Architecture::x32 ? *native | k_x32_bit : *native};
}

std::optional<std::uint32_t> action_value(std::string_view name) {
    return look_up(k_actions, name);
}

std::string action_names() {
    std::string text;
    for (auto const& word : k_actions)
        text += (text.empty() ? "" : ", ") + std::string(word.name);
    return text;
}

std::optional<Comparison::Op> operator_named(std::string_view name) {
    return look_up(k_operators, name);
}

std::optional<unsigned> filter_flag(std::string_view name) {
    return look_up(k_flags, name);
}

std::optional<int> errno_number(std::string_view name) {
    constexpr int k_last_named = 133; // EHWPOISON
    for (int number = 1; number <= k_last_named; ++number)
        if (char const* const known = ::strerrorname_np(number); known != nullptr && name == known)
            return number;
    return std::nullopt;
}

std::optional<unsigned> capability_bit(std::string const& name) {
    return capability_number(name);
}

} // namespace iso::jail
