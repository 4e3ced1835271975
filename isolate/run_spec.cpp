#include "isolate/run_spec.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>

namespace iso::jail {

JailSpec spec_from(RunOptions const& run) {
    JailSpec spec;
    if (!run.root.empty()) {
        spec.root.source = RootSpec::Source::directory;
        spec.root.path = run.root;
    }
    for (AddedPath const& added : run.added) {
        MountSpec& mount = spec.mounts.emplace_back();
        mount.type = "bind";
        mount.source = added.host;
        mount.target = added.guest;
        mount.recursive = mount.read_only = mount.no_suid = mount.no_dev = true;
    }
    spec.limits.tasks = k_usual_tasks;
    if (run.memory_bytes != 0) {
        spec.limits.memory = run.memory_bytes;
        spec.limits.swap = 0; // it cannot have more, not even slowly
    }
    ProcessSpec& process = spec.process;
    process.from_host = true;
    process.arguments.reserve(1 + run.arguments.size());
    process.arguments.push_back(run.program);
    process.arguments.insert(process.arguments.end(), run.arguments.begin(), run.arguments.end());
    process.environment = run.environment;
    process.directory = run.workdir;
    return spec;
}

Result<void> take_said(std::vector<KeyValue> const& said, JailSpec& spec) {
    if (said.empty()) return {};
    std::error_code none;
    TRY(apply(said, spec, std::filesystem::current_path(none).string()));
    bool const decided = std::any_of(said.begin(), said.end(), [](KeyValue const& each) {
        return std::string_view(each.key->name) == "host-program";
    });
    bool const is_read_only_directory = spec.root.source == RootSpec::Source::directory &&
                                        spec.root.mode == RootSpec::Mode::read_only &&
                                        spec.standard_mounts;
    if (!decided && spec.process.from_host)
        spec.process.from_host =
            spec.root.source == RootSpec::Source::empty || is_read_only_directory;
    return {};
}

} // namespace iso::jail
