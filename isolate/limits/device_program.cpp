#include "isolate/limits/device_program.hpp"

#include "common/fd.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <unistd.h>

#include <sys/syscall.h>

namespace iso::jail {

namespace {

constexpr std::uint32_t k_all_access =
    BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE;

struct Exception {
    std::uint32_t type = 0; ///< BPF_DEVCG_DEV_*
    std::optional<std::int64_t> major, minor;
    std::uint32_t access = 0;
};

std::uint32_t access_bits(std::string const& letters) {
    std::uint32_t bits = 0;
    for (char const letter : letters)
        bits |= letter == 'r'   ? BPF_DEVCG_ACC_READ
                : letter == 'w' ? BPF_DEVCG_ACC_WRITE
                                : BPF_DEVCG_ACC_MKNOD;
    return bits;
}

/// The state of version 1's controller after a list of rules (security/device_cgroup.c,
/// devcgroup_update_access): what holds in general, and the exceptions from it.
struct DeviceState {
    bool allowed = true;
    std::vector<Exception> exceptions;

    void apply(DeviceRule const& rule) {
        if (rule.type == 'a') {
            allowed = rule.allow;
            exceptions.clear();
            return;
        }
        Exception const wanted{rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR,
                               rule.major, rule.minor, access_bits(rule.access)};
        auto const same =
            std::find_if(exceptions.begin(), exceptions.end(), [&](Exception const& have) {
                return have.type == wanted.type && have.major == wanted.major &&
                       have.minor == wanted.minor;
            });
        if (rule.allow != allowed) { // differs from what holds in general: an exception
            if (same == exceptions.end()) {
                exceptions.push_back(wanted);
            } else {
                same->access |= wanted.access;
            }
        } else if (same != exceptions.end()) {
            same->access &= ~wanted.access;
            if (same->access == 0) exceptions.erase(same);
        }
    }
};

bpf_insn instruction(int code, int to, int from, int offset, std::int64_t immediate) {
    bpf_insn made{};
    made.code = static_cast<__u8>(code);
    made.dst_reg = static_cast<__u8>(to) & 0xf;
    made.src_reg = static_cast<__u8>(from) & 0xf;
    made.off = static_cast<__s16>(offset);
    made.imm = static_cast<__s32>(immediate);
    return made;
}

void answer(std::vector<bpf_insn>& code, bool allow) {
    code.push_back(instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, allow ? 1 : 0));
    code.push_back(instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

int call_bpf(int command, bpf_attr& attributes) {
    return static_cast<int>(::syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

/// Programs of this kind that are attached to the group itself.
Result<std::vector<std::uint32_t>> attached(int group) {
    std::vector<std::uint32_t> ids(64); // the kernel allows no more (BPF_CGROUP_MAX_PROGS)
    bpf_attr query{};
    query.query.target_fd = static_cast<__u32>(group);
    query.query.attach_type = BPF_CGROUP_DEVICE;
    query.query.prog_ids = reinterpret_cast<std::uintptr_t>(ids.data());
    query.query.prog_cnt = static_cast<__u32>(ids.size());
    if (call_bpf(BPF_PROG_QUERY, query) != 0) return sys_error("bpf(BPF_PROG_QUERY)");
    ids.resize(query.query.prog_cnt);
    return ids;
}

} // namespace

std::vector<bpf_insn> device_program(std::span<DeviceRule const> rules) {
    DeviceState state;
    for (DeviceRule const& rule : rules)
        state.apply(rule);

    // r1 points at struct bpf_cgroup_dev_ctx; r2 type, r3 access, r4 major, r5 minor.
    std::vector<bpf_insn> code;
    auto load = [&](int to, std::size_t offset) {
        code.push_back(
            instruction(BPF_LDX | BPF_W | BPF_MEM, to, BPF_REG_1, static_cast<int>(offset), 0));
    };
    load(BPF_REG_2, offsetof(bpf_cgroup_dev_ctx, access_type));
    code.push_back(instruction(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_2, 0, 0));
    code.push_back(instruction(BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 0xffff));
    code.push_back(instruction(BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_3, 0, 0, 16));
    load(BPF_REG_4, offsetof(bpf_cgroup_dev_ctx, major));
    load(BPF_REG_5, offsetof(bpf_cgroup_dev_ctx, minor));

    for (Exception const& exception : state.exceptions) {
        std::vector<bpf_insn> tests; // each jumps over the answer; offsets are filled in below
        auto unless = [&](int jump, int reg, std::int64_t value) {
            tests.push_back(instruction(BPF_JMP | jump | BPF_K, reg, 0, 0, value));
        };
        unless(BPF_JNE, BPF_REG_2, exception.type);
        if (exception.access != k_all_access) {
            tests.push_back(instruction(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_3, 0, 0));
            if (state.allowed) { // refused if any part of the request is
                tests.push_back(
                    instruction(BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_1, 0, 0, exception.access));
                unless(BPF_JEQ, BPF_REG_1, 0);
            } else { // allowed if the whole request is
                tests.push_back(instruction(BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_1, 0, 0,
                                            k_all_access & ~exception.access));
                unless(BPF_JNE, BPF_REG_1, 0);
            }
        }
        if (exception.major) unless(BPF_JNE, BPF_REG_4, *exception.major);
        if (exception.minor) unless(BPF_JNE, BPF_REG_5, *exception.minor);
        for (std::size_t i = 0; i < tests.size(); ++i)
            if (BPF_CLASS(tests[i].code) == BPF_JMP)
                tests[i].off = static_cast<__s16>(tests.size() - i - 1 + 2);
        code.insert(code.end(), tests.begin(), tests.end());
        answer(code, !state.allowed);
    }
    answer(code, state.allowed);
    return code;
}

Result<void> attach_device_program(int group, std::span<DeviceRule const> rules) {
    std::vector<bpf_insn> const code = device_program(rules);
    char const license[] = "Apache-2.0";
    bpf_attr load{};
    load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    load.insn_cnt = static_cast<__u32>(code.size());
    load.insns = reinterpret_cast<std::uintptr_t>(code.data());
    load.license = reinterpret_cast<std::uintptr_t>(license);
    Fd const program(call_bpf(BPF_PROG_LOAD, load));
    if (!program)
        return sys_error("bpf(BPF_PROG_LOAD, device rules)",
                         "root, or a jail without device rules");

    std::vector<std::uint32_t> const before = TRY(attached(group));
    bpf_attr attach{};
    attach.target_fd = static_cast<__u32>(group);
    attach.attach_bpf_fd = static_cast<__u32>(program.get());
    attach.attach_type = BPF_CGROUP_DEVICE;
    attach.attach_flags = BPF_F_ALLOW_MULTI; // a jail inside may have a program of its own too
    if (call_bpf(BPF_PROG_ATTACH, attach) != 0)
        return sys_error("bpf(BPF_PROG_ATTACH, device rules)",
                         "root, or a jail without device rules");
    // The old ones go last: for a moment both are asked, never none.
    for (std::uint32_t const id : before) {
        bpf_attr open{};
        open.prog_id = id;
        Fd const old(call_bpf(BPF_PROG_GET_FD_BY_ID, open));
        if (!old) return sys_error("bpf(BPF_PROG_GET_FD_BY_ID)");
        bpf_attr detach{};
        detach.target_fd = static_cast<__u32>(group);
        detach.attach_bpf_fd = static_cast<__u32>(old.get());
        detach.attach_type = BPF_CGROUP_DEVICE;
        if (call_bpf(BPF_PROG_DETACH, detach) != 0) return sys_error("bpf(BPF_PROG_DETACH)");
    }
    return {};
}

} // namespace iso::jail
