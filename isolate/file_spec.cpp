#include "isolate/file_spec.hpp"

#include "isolate/run_spec.hpp"
#include "isolate/spec/jail_file.hpp"

namespace iso::jail {

Result<JailSpec> spec_from_file(std::string const& file, RunOptions const& run) {
    JailSpec spec = TRY(load_jail_file(file));
    JailSpec const line = spec_from(run);
    if (!spec.limits.tasks) spec.limits.tasks = line.limits.tasks;
    if (line.limits.memory) spec.limits.memory = line.limits.memory;
    if (line.root.source != RootSpec::Source::empty) {
        spec.root.source = line.root.source;
        spec.root.path = line.root.path;
    }
    spec.mounts.insert(spec.mounts.end(), line.mounts.begin(), line.mounts.end());
    ProcessSpec& process = spec.process;
    if (!run.program.empty()) process.arguments = line.process.arguments;
    if (process.arguments.empty() && spec.root.source == RootSpec::Source::empty)
        return error("run --file " + file, "no program is named",
                     "command in the file, or -- PROGRAM");
    // With nothing but an empty root, the program can only be the host's.
    if (spec.root.source == RootSpec::Source::empty && spec.mounts.empty())
        process.from_host = true;
    process.environment.insert(process.environment.end(), line.process.environment.begin(),
                               line.process.environment.end());
    if (line.process.directory != ProcessSpec{}.directory)
        process.directory = line.process.directory;
    return spec;
}

} // namespace iso::jail
