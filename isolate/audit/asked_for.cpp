#include "isolate/audit/asked_for.hpp"

#include "isolate/spec/keys.hpp"
#include "isolate/spec/like.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace iso::jail {

namespace {

struct KeyOpens {
    std::string_view key;
    std::uint32_t openings;
};
constexpr KeyOpens k_keys_open[] = {
    {"capabilities", k_by_capabilities},
    {"bounding-capabilities", k_by_capabilities},
    {"effective-capabilities", k_by_capabilities},
    {"permitted-capabilities", k_by_capabilities},
    {"inheritable-capabilities", k_by_capabilities},
    {"ambient-capabilities", k_by_capabilities},
    {"no-new-privileges", k_by_privileges},
    {"seccomp", k_by_filter},
    {"seccomp-text", k_by_filter},
    {"mask", k_by_masks},
    {"standard-mounts", k_by_masks | k_by_mounts},
    {"root", k_by_root},
    {"root-archive", k_by_root},
    {"root-image", k_by_root},
    {"root-propagation", k_by_propagation},
    {"add", k_by_mounts},
    {"mount", k_by_mounts},
    {"device", k_by_devices},
    {"terminal", k_by_terminal},
    {"group", k_by_groups},
    {"uid-map", k_by_ids},
    {"bridge", k_by_bridge},
    {"hostname", k_by_hostname},
};

constexpr KeyOpens k_kinds_open[] = {{"user=", k_by_user},     {"mount=", k_by_mount},
                                     {"pid=", k_by_pid},       {"network=", k_by_network},
                                     {"ipc=", k_by_ipc},       {"uts=", k_by_uts},
                                     {"cgroup=", k_by_cgroup}, {"time=", k_by_time}};

/// The battery starts this many processes.
constexpr std::uint64_t k_bomb = 600;

std::uint32_t openings_of(KeyValue const& said, JailSpec const& spec) {
    std::string_view const name = said.key->name;
    if (name == "namespace") {
        for (KeyOpens const& kind : k_kinds_open)
            if (std::string_view(said.value).starts_with(kind.key)) return kind.openings;
        return 0;
    }
    if (name == "network")
        return spec.network.mode == NetworkSpec::Mode::host ? std::uint32_t{k_by_network}
               : spec.network.mode == NetworkSpec::Mode::bridge ||
                       spec.network.mode == NetworkSpec::Mode::user
                   ? std::uint32_t{k_by_bridge}
                   : 0;
    if (name == "pids")
        return spec.limits.tasks && *spec.limits.tasks < k_bomb ? 0 : std::uint32_t{k_by_tasks};
    for (KeyOpens const& key : k_keys_open)
        if (name == key.key) return key.openings;
    return 0;
}

bool same(KeyValue const& a, KeyValue const& b) {
    return a.key == b.key && a.value == b.value;
}

} // namespace

std::vector<Weakening> weakenings(JailSpec const& spec, std::string const& like) {
    std::vector<KeyValue> of_like;
    if (!like.empty()) {
        JailSpec system;
        system.root = spec.root;
        if (be_like(system, like)) of_like = said_of(system);
    }
    std::vector<Weakening> weak;
    for (KeyValue const& said : said_of(spec)) {
        std::uint32_t const openings = openings_of(said, spec);
        if (openings == 0) continue;
        bool const by_like = said.key->name != std::string_view("root") &&
                             std::any_of(of_like.begin(), of_like.end(),
                                         [&](KeyValue const& each) { return same(each, said); });
        weak.push_back({openings, by_like ? "--like " + like
                                          : std::string("--") + said.key->name + " " + said.value});
    }
    if (!spec.limits.tasks) weak.push_back({k_by_tasks, "no --pids"});
    return weak;
}

void mark_asked_for(std::vector<Outcome>& outcomes, std::vector<Weakening> const& weak) {
    for (Outcome& outcome : outcomes) {
        if (outcome.state != State::open) continue;
        std::vector<std::string> named;
        for (Weakening const& each : weak) {
            if ((each.openings & outcome.check->openings) == 0) continue;
            if (std::find(named.begin(), named.end(), each.option) != named.end()) continue;
            named.push_back(each.option);
            outcome.asked_for += (outcome.asked_for.empty() ? "" : ", ") + each.option;
        }
    }
}

} // namespace iso::jail
