// What makes two parts one run: the options, the machine, the programs.
#include "benchmarks/harness/run_plan.hpp"

#include "benchmarks/harness/environment_sources.hpp"
#include "benchmarks/harness/json_fields.hpp"
#include "common/elf.hpp"
#include "common/file_sha256.hpp"
#include "common/sha256.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <set>

namespace iso::bench {

using nlohmann::json;

namespace {

/// As the programs are found again from another directory.
std::string absolute(std::string const& path) {
    std::error_code ignored;
    return path.empty() ? path : std::filesystem::absolute(path, ignored).string();
}

/// machine-id(5) asks that the number itself is not given away: a hash of it with a purpose is.
std::string machine_name() {
    std::string const id = sources::line_of("/etc/machine-id");
    if (id.empty()) return {};
    std::string const text = "isolab journal " + id;
    Sha256 hash;
    hash.update(text.data(), text.size());
    char digest[2 * Sha256::digest_size + 1];
    hash.finish_hex(digest);
    return std::string(digest, 16);
}

/// What changes while a machine stays the same.
bool is_momentary(std::string const& key) {
    return key == "date" || key == "steal" || key.starts_with("load.") ||
           key.starts_with("pressure.");
}

json options_to_json(CompareOptions const& o) {
    return {{"--quick", o.quick},
            {"--pin", o.pin},
            {"--engines", o.engines},
            {"--peers", o.peers},
            {"--workloads", o.workloads},
            {"--require", o.required},
            {"PROGRAM", o.program},
            {"--blocks", o.blocks ? json(*o.blocks) : json()},
            {"--seed", o.seed},
            {"--counts", o.counts},
            {"--time-budget", o.time_budget_ns ? json(*o.time_budget_ns) : json()},
            {"--timeout", o.timeout_ns},
            {"--engine-dir", absolute(o.engine_directory)},
            {"--workload-dir", absolute(o.workload_directory)},
            {"--peer-dir", absolute(o.peer_directory)}};
}

CompareOptions options_from_json(json const& in) {
    CompareOptions o;
    in.at("--quick").get_to(o.quick);
    in.at("--pin").get_to(o.pin);
    in.at("--engines").get_to(o.engines);
    in.at("--peers").get_to(o.peers);
    in.at("--workloads").get_to(o.workloads);
    in.at("--require").get_to(o.required);
    in.at("PROGRAM").get_to(o.program);
    if (!in.at("--blocks").is_null()) o.blocks = in.at("--blocks").get<std::uint64_t>();
    in.at("--seed").get_to(o.seed);
    in.at("--counts").get_to(o.counts);
    if (!in.at("--time-budget").is_null())
        o.time_budget_ns = in.at("--time-budget").get<std::uint64_t>();
    in.at("--timeout").get_to(o.timeout_ns);
    in.at("--engine-dir").get_to(o.engine_directory);
    in.at("--workload-dir").get_to(o.workload_directory);
    in.at("--peer-dir").get_to(o.peer_directory);
    return o;
}

/// The differences between two records, in words.
class Differences {
public:
    void add(std::string const& what, std::string const& then, std::string const& now) {
        if (then != now) found_.push_back(fmt::format("{}: '{}' then, '{}' now", what, then, now));
    }

    void add_environment(json const& then, json const& now) {
        json const nothing = "not known";
        std::set<std::string> keys;
        for (json const* const side : {&then, &now})
            for (auto const& [key, value] : side->items())
                if (!is_momentary(key)) keys.insert(key);
        for (std::string const& key : keys)
            add(key, text(then.value(key, nothing)), text(now.value(key, nothing)));
    }

    void add_engines(std::vector<EngineRecord> const& then, std::vector<EngineRecord> const& now) {
        for (EngineRecord const& one : then) {
            auto const other = find(now, one.name);
            if (other == nullptr) {
                add(one.name, "there", "not there");
                continue;
            }
            add(one.name, state(one), state(*other));
            add(one.name + "'s program", one.sha256.substr(0, 12), other->sha256.substr(0, 12));
        }
        for (EngineRecord const& one : now)
            if (find(then, one.name) == nullptr) add(one.name, "not there", "there");
    }

    void add_workloads(std::vector<WorkloadRecord> const& then,
                       std::vector<WorkloadRecord> const& now) {
        for (WorkloadRecord const& one : then) {
            auto const other = find(now, one.name);
            if (other == nullptr) {
                add(one.name, "a workload", "not known");
                continue;
            }
            add("the bytes of " + one.name, one.sha256.substr(0, 12), other->sha256.substr(0, 12));
            add("the arguments of " + one.name, shape(one), shape(*other));
        }
        if (then.size() != now.size())
            add("workloads", std::to_string(then.size()), std::to_string(now.size()));
    }

    [[nodiscard]] std::vector<std::string> const& found() const { return found_; }

private:
    static std::string text(json const& value) {
        return value.is_string() ? value.get<std::string>() : value.dump();
    }
    template <typename Record>
    static Record const* find(std::vector<Record> const& records, std::string const& name) {
        auto const found = std::find_if(records.begin(), records.end(),
                                        [&](Record const& one) { return one.name == name; });
        return found == records.end() ? nullptr : &*found;
    }
    static std::string state(EngineRecord const& engine) {
        return engine.usable ? "usable, " + engine.backend : "not usable: " + engine.reason;
    }
    static std::string shape(WorkloadRecord const& workload) {
        return fmt::format("{} ops={}", fmt::join(workload.arguments, " "), workload.ops);
    }

    std::vector<std::string> found_;
};

} // namespace

std::vector<EngineRecord> engine_records(Lineup const& lineup) {
    std::vector<EngineRecord> records;
    for (Arm const& arm : lineup.arms) {
        EngineRecord record{arm.name,
                            std::string(arm.engine->technique()),
                            arm.probe.backend,
                            arm.probe.usable,
                            arm.control,
                            arm.probe.reason,
                            arm.probe.next_step,
                            arm.engine->peer(),
                            arm.engine->program(),
                            {}};
        if (!record.path.empty()) record.sha256 = file_sha256(record.path).value_or("");
        records.push_back(std::move(record));
    }
    return records;
}

// Read once: these bytes cannot change while they run, and without optimisation they are many.
static std::string const& own_sha256() {
    static std::string const hash = file_sha256("/proc/self/exe").value_or("unknown");
    return hash;
}

RunPlan make_plan(CompareOptions const& options, Lineup const& lineup,
                  std::vector<WorkloadRecord> workloads) {
    RunPlan plan;
    plan.options = options;
    if (!plan.options.program.empty()) plan.options.program.front() = workloads.front().path;
    plan.environment = Environment::capture();
    plan.machine = machine_name();
    plan.environment.facts.push_back({"isolab.sha256", "isobench's SHA-256", own_sha256(), {}});
    plan.engines = engine_records(lineup);
    plan.workloads = std::move(workloads);
    return plan;
}

PartRecord part_now(Environment const& environment) {
    PartRecord part;
    part.date = environment.get("date");
    part.boot_id = sources::line_of("/proc/sys/kernel/random/boot_id");
    part.load = environment.get("load.1min");
    return part;
}

json plan_to_json(RunPlan const& plan) {
    return {{"options", options_to_json(plan.options)},
            {"environment", plan.environment},
            {"warnings", plan.environment.warnings},
            {"machine", plan.machine},
            {"cpu", plan.cpu ? json(*plan.cpu) : json()},
            {"engines", plan.engines},
            {"workloads", plan.workloads}};
}

RunPlan plan_from_json(json const& in) {
    RunPlan plan;
    plan.options = options_from_json(in.at("options"));
    in.at("environment").get_to(plan.environment);
    in.at("warnings").get_to(plan.environment.warnings);
    in.at("machine").get_to(plan.machine);
    if (!in.at("cpu").is_null()) plan.cpu = in.at("cpu").get<int>();
    in.at("engines").get_to(plan.engines);
    in.at("workloads").get_to(plan.workloads);
    return plan;
}

Result<CompareOptions> resumed_options(CompareOptions const& then, CompareOptions const& asked) {
    json const recorded = options_to_json(then);
    json const now = options_to_json(asked);
    std::vector<std::string> given = asked.given;
    if (!asked.program.empty()) given.emplace_back("PROGRAM");
    for (std::string const& name : given) {
        if (!recorded.contains(name) || recorded.at(name) == now.at(name)) continue;
        return refused(name,
                       fmt::format("{} now, {} in the comparison that goes on", now.at(name).dump(),
                                   recorded.at(name).dump()),
                       "without it: the options of then are taken");
    }
    CompareOptions options = then;
    options.resume = asked.resume;
    options.json = asked.resume;
    return options;
}

Result<void> check_same_run(RunPlan const& then, RunPlan const& now, std::string const& path) {
    Differences differences;
    differences.add("machine", then.machine, now.machine);
    differences.add_environment(plan_to_json(then).at("environment"),
                                plan_to_json(now).at("environment"));
    auto const cpu = [](RunPlan const& plan) {
        return plan.cpu ? std::to_string(*plan.cpu) : std::string("any");
    };
    differences.add("the samples' CPU", cpu(then), cpu(now));
    differences.add_engines(then.engines, now.engines);
    differences.add_workloads(then.workloads, now.workloads);
    if (differences.found().empty()) return {};
    return refused("--resume " + path,
                   fmt::format("samples of two machines or programs are not mixed; {}",
                               fmt::join(differences.found(), "; ")),
                   "where and with what it began; or begin again: rm " + Journal::path_for(path));
}

} // namespace iso::bench
