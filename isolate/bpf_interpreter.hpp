#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include <linux/filter.h>
#include <linux/seccomp.h>

namespace iso::jail {

/// Runs a seccomp filter on one system call, in software: for tests, and to explain a decision.
/// Knows the instructions that seccomp(2) accepts from filter compilers; anything else, a jump out
/// of the program, or a load out of bounds gives nothing.
inline std::optional<std::uint32_t> run_bpf(std::span<sock_filter const> program,
                                            seccomp_data const& data) {
    std::uint32_t a = 0;
    for (std::size_t at = 0; at < program.size();) {
        sock_filter const& in = program[at++];
        switch (in.code) {
        case BPF_LD | BPF_W | BPF_ABS:
            if (in.k % 4 != 0 || in.k + 4 > sizeof data) return std::nullopt;
            std::memcpy(&a, reinterpret_cast<char const*>(&data) + in.k, 4);
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= in.k;
            break;
        case BPF_JMP | BPF_JA:
            at += in.k;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            at += a == in.k ? in.jt : in.jf;
            break;
        case BPF_JMP | BPF_JGT | BPF_K:
            at += a > in.k ? in.jt : in.jf;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            at += a >= in.k ? in.jt : in.jf;
            break;
        case BPF_JMP | BPF_JSET | BPF_K:
            at += (a & in.k) != 0 ? in.jt : in.jf;
            break;
        case BPF_RET | BPF_K:
            return in.k;
        default:
            return std::nullopt;
        }
    }
    return std::nullopt;
}

} // namespace iso::jail
