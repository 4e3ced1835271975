#include "isolate/seccomp_compiler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <unistd.h>
#include <variant>

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

namespace iso::jail {

namespace {

using Rules = std::vector<ArgumentRule>;
using Answer = std::variant<SeccompAction, ArgumentTest const*, Rules const*>;

/// All numbers from `first` up to the next interval's `first` get the same answer.
struct Interval {
    std::uint32_t first;
    Answer answer;
};

constexpr std::size_t k_farthest_jump = 255; // jt and jf are bytes

sock_filter statement(unsigned code, std::uint32_t k) {
    return {static_cast<std::uint16_t>(code), 0, 0, k};
}
sock_filter jump(unsigned code, std::uint32_t k, std::size_t yes, std::size_t no) {
    return {static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(yes),
            static_cast<std::uint8_t>(no), k};
}
sock_filter answer_with(SeccompAction action) {
    return statement(BPF_RET | BPF_K, action.value);
}

void append(SeccompProgram& program, SeccompProgram const& more) {
    program.insert(program.end(), more.begin(), more.end());
}

/// Neighbouring numbers with equal answers become one interval. Argument tests stay alone.
std::vector<Interval> intervals_of(SeccompPolicy const& policy) {
    std::vector<std::uint32_t> bounds{0}; // the answer can change only here
    for (SeccompPolicy::Range const& range : policy.ranges)
        bounds.insert(bounds.end(), {range.first, range.last + 1});
    for (auto const& entry : policy.calls)
        bounds.insert(bounds.end(), {entry.first, entry.first + 1});
    for (auto const& entry : policy.tests)
        bounds.insert(bounds.end(), {entry.first, entry.first + 1});
    for (auto const& entry : policy.rules)
        bounds.insert(bounds.end(), {entry.first, entry.first + 1});
    std::sort(bounds.begin(), bounds.end());
    bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
    std::vector<Interval> result;
    for (std::uint32_t const first : bounds) {
        auto const test = policy.tests.find(first);
        auto const rules = policy.rules.find(first);
        Answer const answer = test != policy.tests.end()    ? Answer(&test->second)
                              : rules != policy.rules.end() ? Answer(&rules->second)
                                                            : Answer(policy.action(first));
        if (result.empty() || result.back().answer != answer) result.push_back({first, answer});
    }
    return result;
}

SeccompProgram emit_test(ArgumentTest const& test) {
    // The low half comes first: x86-64 is little-endian.
    auto const offset = offsetof(seccomp_data, args) + std::size_t{8} * test.argument;
    SeccompProgram program{statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset))};
    unsigned const comparison = test.kind == ArgumentTest::Kind::any_bit_of ? BPF_JSET : BPF_JEQ;
    for (std::size_t i = 0; i < test.values.size(); ++i)
        program.push_back(
            jump(BPF_JMP | comparison | BPF_K, test.values[i], test.values.size() - i, 0));
    program.push_back(answer_with(test.otherwise));
    program.push_back(answer_with(test.matched));
    return program;
}

sock_filter load_half(unsigned argument, bool high) {
    auto const offset =
        offsetof(seccomp_data, args) + std::size_t{8} * argument + (high ? std::size_t{4} : 0);
    return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}

/// In a rule's block a jump to here means: this rule does not hold. Its distance comes last.
constexpr std::uint8_t k_fails = 255;

/// One condition: falls through when it holds.
void emit_comparison(SeccompProgram& program, Comparison const& condition) {
    using Op = Comparison::Op;
    auto const high = static_cast<std::uint32_t>(condition.value >> 32U);
    auto const low = static_cast<std::uint32_t>(condition.value);
    auto const put = [&](unsigned comparison, std::uint32_t value, std::uint8_t yes,
                         std::uint8_t no) {
        program.push_back(jump(BPF_JMP | comparison | BPF_K, value, yes, no));
    };
    auto const load = [&](bool is_high) {
        program.push_back(load_half(condition.argument, is_high));
    };
    if (condition.low_half) {
        load(false);
        switch (condition.op) {
        case Op::masked_equal:
            program.push_back(
                statement(BPF_ALU | BPF_AND | BPF_K, static_cast<std::uint32_t>(condition.mask)));
            put(BPF_JEQ, low, 0, k_fails);
            return;
        case Op::equal:
            return put(BPF_JEQ, low, 0, k_fails);
        case Op::not_equal:
            return put(BPF_JEQ, low, k_fails, 0);
        case Op::greater:
            return put(BPF_JGT, low, 0, k_fails);
        case Op::greater_or_equal:
            return put(BPF_JGE, low, 0, k_fails);
        case Op::less:
            return put(BPF_JGE, low, k_fails, 0);
        case Op::less_or_equal:
            return put(BPF_JGT, low, k_fails, 0);
        }
    }
    switch (condition.op) {
    case Op::equal:
        load(true);
        put(BPF_JEQ, high, 0, k_fails);
        load(false);
        put(BPF_JEQ, low, 0, k_fails);
        break;
    case Op::masked_equal:
        load(true);
        program.push_back(statement(BPF_ALU | BPF_AND | BPF_K,
                                    static_cast<std::uint32_t>(condition.mask >> 32U)));
        put(BPF_JEQ, high, 0, k_fails);
        load(false);
        program.push_back(
            statement(BPF_ALU | BPF_AND | BPF_K, static_cast<std::uint32_t>(condition.mask)));
        put(BPF_JEQ, low, 0, k_fails);
        break;
    case Op::not_equal:
        load(true);
        put(BPF_JEQ, high, 0, 2);
        load(false);
        put(BPF_JEQ, low, k_fails, 0);
        break;
    case Op::greater:
    case Op::greater_or_equal:
        load(true);
        put(BPF_JGT, high, 3, 0);
        put(BPF_JEQ, high, 0, k_fails);
        load(false);
        put(condition.op == Op::greater ? BPF_JGT : BPF_JGE, low, 0, k_fails);
        break;
    case Op::less:
    case Op::less_or_equal:
        load(true);
        put(BPF_JGT, high, k_fails, 0);
        put(BPF_JEQ, high, 0, 2);
        load(false);
        put(condition.op == Op::less ? BPF_JGE : BPF_JGT, low, k_fails, 0);
        break;
    }
}

SeccompProgram emit_rules(Rules const& rules, SeccompAction otherwise) {
    SeccompProgram program;
    for (ArgumentRule const& rule : rules) {
        SeccompProgram block;
        for (Comparison const& condition : rule.conditions)
            emit_comparison(block, condition);
        block.push_back(answer_with(rule.action));
        for (std::size_t i = 0; i < block.size(); ++i) {
            auto const rest = static_cast<std::uint8_t>(block.size() - i - 1);
            if (BPF_CLASS(block[i].code) != BPF_JMP) continue;
            if (block[i].jt == k_fails) block[i].jt = rest;
            if (block[i].jf == k_fails) block[i].jf = rest;
        }
        append(program, block);
    }
    program.push_back(answer_with(otherwise));
    return program;
}

/// A balanced tree over intervals [low, high): the root asks for the middle one.
SeccompProgram emit_tree(std::vector<Interval> const& intervals, std::size_t low, std::size_t high,
                         SeccompPolicy const& policy) {
    if (high - low == 1) {
        Answer const& answer = intervals[low].answer;
        if (auto const* test = std::get_if<ArgumentTest const*>(&answer)) return emit_test(**test);
        if (auto const* rules = std::get_if<Rules const*>(&answer))
            return emit_rules(**rules, policy.action(intervals[low].first));
        return {answer_with(std::get<SeccompAction>(answer))};
    }
    std::size_t const middle = low + (high - low) / 2;
    SeccompProgram const below = emit_tree(intervals, low, middle, policy);
    SeccompProgram program;
    std::uint32_t const bound = intervals[middle].first;
    if (below.size() <= k_farthest_jump) {
        program.push_back(jump(BPF_JMP | BPF_JGE | BPF_K, bound, below.size(), 0));
    } else { // too far for a conditional jump: over an unconditional one, which has 32 bits
        program.push_back(jump(BPF_JMP | BPF_JGE | BPF_K, bound, 0, 1));
        program.push_back(statement(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(below.size())));
    }
    append(program, below);
    append(program, emit_tree(intervals, middle, high, policy));
    return program;
}

Result<void> check_policy(SeccompPolicy const& policy) {
    for (auto const& [number, test] : policy.tests)
        if (test.argument > 5 || test.values.empty() || test.values.size() > k_farthest_jump)
            return error(fmt::format("seccomp({})", syscall_name(number)),
                         "a test needs an argument 0..5 and 1..255 values");
    for (auto const& [number, rules] : policy.rules)
        for (ArgumentRule const& rule : rules) {
            bool good = !rule.conditions.empty() && rule.conditions.size() <= 6;
            for (Comparison const& condition : rule.conditions)
                good = good && condition.argument <= 5;
            if (!good || policy.tests.contains(number))
                return error(fmt::format("seccomp({})", syscall_name(number)),
                             "a rule needs 1 to 6 conditions on arguments 0..5");
        }
    return {};
}

} // namespace

Result<SeccompProgram> compile_seccomp(std::span<ArchitecturePolicy const> policies,
                                       SeccompAction other) {
    SeccompProgram program{statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch))};
    for (ArchitecturePolicy const& each : policies) {
        TRY(check_policy(each.policy));
        std::vector<Interval> const intervals = intervals_of(each.policy);
        SeccompProgram table{statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
        append(table, emit_tree(intervals, 0, intervals.size(), each.policy));
        program.push_back(jump(BPF_JMP | BPF_JEQ | BPF_K, each.architecture, 1, 0));
        program.push_back(statement(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(table.size())));
        append(program, table);
    }
    program.push_back(answer_with(other));
    if (program.size() > BPF_MAXINSNS)
        return error("seccomp", fmt::format("the filter has {} instructions; the kernel takes {}",
                                            program.size(), BPF_MAXINSNS));
    return program;
}

Result<SeccompProgram> compile_seccomp(SeccompPolicy const& policy) {
    TRY(check_policy(policy));
    // No test for the x32 bit is needed: those numbers lie above every listed one, so they fall in
    // the last interval, which answers `unlisted`.
    SeccompProgram program{
        statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
        jump(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
        answer_with(policy.wrong_architecture),
        statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
    };
    std::vector<Interval> const intervals = intervals_of(policy);
    append(program, emit_tree(intervals, 0, intervals.size(), policy));
    if (program.size() > BPF_MAXINSNS)
        return error("seccomp", fmt::format("the filter has {} instructions; the kernel takes {}",
                                            program.size(), BPF_MAXINSNS));
    return program;
}

int install_seccomp(sock_filter const* program, std::size_t length, unsigned flags) {
    sock_fprog const prog{static_cast<unsigned short>(length), const_cast<sock_filter*>(program)};
    return static_cast<int>(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog));
}

} // namespace iso::jail
