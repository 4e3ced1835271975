#include "common/engine.hpp"

#include "common/fd.hpp"
#include "common/json.hpp"
#include "common/subprocess.hpp"

#include <fmt/format.h>

#include <csignal>
#include <unistd.h>

namespace iso {

namespace {

using nlohmann::json;

constexpr std::uint64_t k_probe_timeout_ns = 20'000'000'000; // a nested machine answers slowly

/// The arm everything is compared with: the program itself, started directly.
class NativeEngine final : public Engine {
public:
    std::string_view name() const override { return "native"; }
    std::string_view technique() const override { return "none"; }
    bool reports() const override { return false; }
    DiskAccess disk() const override { return DiskAccess::itself; }
    EngineProbe probe() const override { return {true, "host", {}, {}}; }
    Result<std::vector<std::string>> command(RunOptions const& options) const override {
        std::vector<std::string> words{options.program};
        words.insert(words.end(), options.arguments.begin(), options.arguments.end());
        return words;
    }
};

/// An engine of this project: a program with the verbs `probe --json` and `run`.
class OwnEngine final : public Engine {
public:
    OwnEngine(std::string name, std::string technique, DiskAccess disk, std::string program)
        : name_(std::move(name))
        , technique_(std::move(technique))
        , disk_(disk)
        , program_(std::move(program)) {}

    std::string_view name() const override { return name_; }
    std::string_view technique() const override { return technique_; }
    bool reports() const override { return true; }
    std::string program() const override { return program_; }
    DiskAccess disk() const override { return disk_; }

    EngineProbe probe() const override {
        if (::access(program_.c_str(), X_OK) != 0)
            return {
                false, {}, "not built: " + name_ + " is not beside this program", "./isolab build"};
        auto const ran = run_and_capture({program_, "probe", "--json"}, k_probe_timeout_ns);
        if (!ran)
            return {false, {}, ran.error().op + ": " + ran.error().cause, program_ + " probe"};
        auto probe = parse_probe(ran->out);
        if (!probe)
            return {false,
                    {},
                    "its probe answered nonsense: " + probe.error().cause,
                    program_ + " probe"};
        return *probe;
    }

    Result<std::vector<std::string>> command(RunOptions const& options) const override {
        std::vector<std::string> words{program_, "run"};
        if (options.report_fd >= 0)
            words.push_back(fmt::format("--report-fd={}", options.report_fd));
        if (options.timeout_ns != 0)
            words.push_back(fmt::format("--timeout={}ns", options.timeout_ns));
        if (options.memory_bytes != 0)
            words.push_back(fmt::format("--memory={}", options.memory_bytes));
        if (!options.root.empty()) words.push_back("--root=" + options.root);
        if (!options.disk.empty())
            words.push_back(
                "--disk=" + options.disk +
                (options.disk_bytes != 0 ? fmt::format(":{}", options.disk_bytes) : std::string()));
        if (options.workdir != "/") words.push_back("--workdir=" + options.workdir);
        for (std::string const& variable : options.environment)
            words.push_back("--env=" + variable);
        for (AddedPath const& added : options.added)
            words.push_back("--add=" + added.host + ":" + added.guest);
        for (AddedPath const& bound : options.bound)
            words.push_back("--mount=type=bind,source=" + bound.host + ",target=" + bound.guest +
                            ",nosuid,nodev");
        words.push_back("--");
        words.push_back(options.program);
        words.insert(words.end(), options.arguments.begin(), options.arguments.end());
        return words;
    }

private:
    std::string name_;
    std::string technique_;
    DiskAccess disk_;
    std::string program_;
};

} // namespace

RunManner Engine::manner() const {
    RunManner manner;
    if (reports()) manner.stop_signal = SIGTERM;
    return manner;
}

std::string to_json(std::string_view engine, EngineProbe const& probe) {
    return json{{"schema", "isolab.probe/1"}, {"engine", engine},
                {"usable", probe.usable},     {"backend", probe.backend},
                {"reason", probe.reason},     {"next_step", probe.next_step}}
               .dump() +
           "\n";
}

Result<EngineProbe> parse_probe(std::string const& text) {
    json const in = json::parse(text, nullptr, false);
    if (!in.is_object()) return error("probe", "not a JSON object");
    try {
        return EngineProbe{in.at("usable").get<bool>(), in.at("backend").get<std::string>(),
                           in.at("reason").get<std::string>(),
                           in.at("next_step").get<std::string>()};
    } catch (json::exception const& problem) {
        return error("probe", problem.what());
    }
}

std::vector<std::unique_ptr<Engine>> make_engines(std::string const& bin_directory) {
    auto own = [&](std::string const& name, std::string const& technique, DiskAccess disk) {
        return std::make_unique<OwnEngine>(name, technique, disk, bin_directory + "/" + name);
    };
    std::vector<std::unique_ptr<Engine>> engines;
    engines.push_back(std::make_unique<NativeEngine>());
    engines.push_back(own("isolate", "OS-level virtualization", DiskAccess::mounted));
    engines.push_back(own("vmm-mini", "virtual machine", DiskAccess::image));
    engines.push_back(own("paravirt-demo", "paravirtualization", DiskAccess::image));
    return engines;
}

} // namespace iso
