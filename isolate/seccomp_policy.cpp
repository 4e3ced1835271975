#include "isolate/seccomp_policy.hpp"

#include <algorithm>
#include <iterator>

#include <linux/seccomp.h>

namespace iso::jail {

namespace {

struct NamedCall {
    std::uint32_t number;
    char const* name;
};

// clang-format off
constexpr NamedCall k_table[] = {
#include "isolate/syscall_table.inc"
};
// clang-format on

} // namespace

SeccompAction SeccompAction::allow() {
    return {SECCOMP_RET_ALLOW};
}
SeccompAction SeccompAction::fail(int error_number) {
    return {SECCOMP_RET_ERRNO | (static_cast<std::uint32_t>(error_number) & SECCOMP_RET_DATA)};
}
SeccompAction SeccompAction::kill_process() {
    return {SECCOMP_RET_KILL_PROCESS};
}
SeccompAction SeccompAction::trap() {
    return {SECCOMP_RET_TRAP};
}
SeccompAction SeccompAction::notify() {
    return {SECCOMP_RET_USER_NOTIF};
}

SeccompAction SeccompPolicy::action(std::uint32_t number) const {
    if (auto const call = calls.find(number); call != calls.end()) return call->second;
    for (auto range = ranges.rbegin(); range != ranges.rend(); ++range)
        if (number >= range->first && number <= range->last) return range->action;
    return unlisted;
}

std::string syscall_name(std::uint32_t number) {
    auto const* const found = std::find_if(std::begin(k_table), std::end(k_table),
                                           [&](NamedCall const& c) { return c.number == number; });
    if (found != std::end(k_table)) return found->name;
    return "syscall_" + std::to_string(number);
}

std::optional<std::uint32_t> syscall_number(std::string_view name) {
    for (NamedCall const& call : k_table)
        if (call.name == name) return call.number;
    return std::nullopt;
}

} // namespace iso::jail
