#include "benchmarks/harness/json_fields.hpp"

namespace iso::bench {

using nlohmann::json;

namespace {

template <typename T>
json nullable(std::optional<T> const& value) {
    return value ? json(*value) : json();
}

template <typename T>
void read_nullable(json const& in, char const* key, std::optional<T>& value) {
    if (!in.at(key).is_null()) value = in.at(key).get<T>();
}

/// The value whose name it is; a file with an unknown name is refused, not guessed at.
template <typename T>
T named(json const& in, char const* key, std::initializer_list<T> values) {
    auto const text = in.at(key).get<std::string>();
    for (T const value : values)
        if (to_string(value) == text) return value;
    throw json::other_error::create(501, std::string(key) + ": unknown value '" + text + "'", &in);
}

constexpr std::pair<char const*, std::optional<std::uint64_t> Phases::*> k_phases[] = {
    {"create", &Phases::create},
    {"load", &Phases::load},
    {"enter", &Phases::enter},
    {"exit", &Phases::exit},
    {"destroy", &Phases::destroy}};

} // namespace

void to_json(json& out, Environment const& environment) {
    out = json::object();
    for (Fact const& fact : environment.facts)
        out[fact.key] = fact.number ? json(*fact.number) : json(fact.text);
}

void from_json(json const& in, Environment& environment) {
    for (auto const& [key, value] : in.items()) {
        Fact fact{key, key, value.is_string() ? value.get<std::string>() : value.dump(), {}};
        if (value.is_number()) fact.number = value.get<double>();
        environment.facts.push_back(std::move(fact));
    }
}

void to_json(json& out, EngineRecord const& engine) {
    out = {{"name", engine.name},           {"technique", engine.technique},
           {"backend", engine.backend},     {"usable", engine.usable},
           {"control", engine.control},     {"reason", engine.reason},
           {"next_step", engine.next_step}, {"peer", engine.peer},
           {"path", engine.path},           {"sha256", engine.sha256}};
}

void from_json(json const& in, EngineRecord& engine) {
    in.at("name").get_to(engine.name);
    in.at("technique").get_to(engine.technique);
    in.at("backend").get_to(engine.backend);
    in.at("usable").get_to(engine.usable);
    in.at("control").get_to(engine.control);
    in.at("reason").get_to(engine.reason);
    in.at("next_step").get_to(engine.next_step);
    engine.peer = in.value("peer", false);
    engine.path = in.value("path", "");
    engine.sha256 = in.value("sha256", "");
}

void to_json(json& out, WorkloadRecord const& workload) {
    out = {{"name", workload.name},
           {"kind", to_string(workload.kind)},
           {"path", workload.path},
           {"arguments", workload.arguments},
           {"ops", workload.ops},
           {"sha256", workload.sha256},
           {"identity", workload.identity},
           {"blocks", workload.blocks},
           {"stopped_because", workload.stopped_because},
           {"group", workload.group},
           {"neighbour", workload.neighbour},
           {"neighbour_sha256", workload.neighbour_sha256}};
}

void from_json(json const& in, WorkloadRecord& workload) {
    in.at("name").get_to(workload.name);
    workload.kind = named(in, "kind",
                          {Kind::compute, Kind::latency, Kind::start_up, Kind::density,
                           Kind::neighbour, Kind::program});
    in.at("path").get_to(workload.path);
    in.at("arguments").get_to(workload.arguments);
    in.at("ops").get_to(workload.ops);
    in.at("sha256").get_to(workload.sha256);
    in.at("identity").get_to(workload.identity);
    in.at("blocks").get_to(workload.blocks);
    in.at("stopped_because").get_to(workload.stopped_because);
    workload.group = in.value("group", "");
    workload.neighbour = in.value("neighbour", "");
    workload.neighbour_sha256 = in.value("neighbour_sha256", "");
}

void to_json(json& out, Cell const& cell) {
    out = {{"engine", cell.engine},
           {"backend", cell.backend},
           {"workload", cell.workload},
           {"metric", cell.metric},
           {"unit", cell.unit},
           {"deciding", cell.deciding},
           {"comparison", to_string(cell.comparison)},
           {"status", to_string(cell.status)},
           {"reason", cell.reason},
           {"median", nullable(cell.median)},
           {"p99", nullable(cell.p99)},
           {"ratio", nullable(cell.ratio)},
           {"added", nullable(cell.added)},
           {"ci_low", nullable(cell.ci_low)},
           {"ci_high", nullable(cell.ci_high)},
           {"n", cell.n},
           {"sha256", cell.sha256},
           {"checksum", cell.checksum},
           {"identity_proved", cell.identity_proved},
           {"emulated_share", cell.emulated_share},
           {"emulated", cell.emulated},
           {"bytes_per_op", cell.bytes_per_op},
           {"per_op", cell.per_op}};
}

void from_json(json const& in, Cell& cell) {
    in.at("engine").get_to(cell.engine);
    in.at("backend").get_to(cell.backend);
    in.at("workload").get_to(cell.workload);
    in.at("metric").get_to(cell.metric);
    in.at("unit").get_to(cell.unit);
    in.at("deciding").get_to(cell.deciding);
    cell.comparison =
        named(in, "comparison", {Comparison::ratio, Comparison::added, Comparison::alone});
    cell.status = named(in, "status",
                        {Status::ok, Status::unavailable, Status::failed, Status::void_,
                         Status::incomplete, Status::inconclusive});
    in.at("reason").get_to(cell.reason);
    read_nullable(in, "median", cell.median);
    read_nullable(in, "p99", cell.p99);
    read_nullable(in, "ratio", cell.ratio);
    read_nullable(in, "added", cell.added);
    read_nullable(in, "ci_low", cell.ci_low);
    read_nullable(in, "ci_high", cell.ci_high);
    in.at("n").get_to(cell.n);
    in.at("sha256").get_to(cell.sha256);
    in.at("checksum").get_to(cell.checksum);
    in.at("identity_proved").get_to(cell.identity_proved);
    in.at("emulated_share").get_to(cell.emulated_share);
    in.at("emulated").get_to(cell.emulated);
    cell.bytes_per_op = in.value("bytes_per_op", 0.0);
    in.at("per_op").get_to(cell.per_op);
}

void to_json(json& out, Decomposition const& made) {
    json costs = json::array();
    for (Decomposition::Cost const& cost : made.costs)
        costs.push_back({{"what", cost.what}, {"count", cost.count}, {"unit_ns", cost.unit_ns}});
    out = {{"engine", made.engine},
           {"workload", made.workload},
           {"added_ns", made.added_ns},
           {"costs", costs},
           {"rest_ns", made.rest_ns()}};
}

void from_json(json const& in, Decomposition& made) {
    in.at("engine").get_to(made.engine);
    in.at("workload").get_to(made.workload);
    in.at("added_ns").get_to(made.added_ns);
    for (json const& cost : in.at("costs"))
        made.costs.push_back({cost.at("what").get<std::string>(), cost.at("count").get<double>(),
                              cost.at("unit_ns").get<double>()});
}

void to_json(json& out, Conditions const& seen) {
    out = {{"steal", nullable(seen.steal)},
           {"pressure", seen.pressure},
           {"load", nullable(seen.load)}};
}

void from_json(json const& in, Conditions& seen) {
    read_nullable(in, "steal", seen.steal);
    in.at("pressure").get_to(seen.pressure);
    read_nullable(in, "load", seen.load);
}

void to_json(json& out, PartRecord const& part) {
    out = {{"date", part.date},
           {"boot_id", part.boot_id},
           {"load", part.load},
           {"samples", part.samples},
           {"unused", part.unused},
           {"conditions", nullable(part.conditions)},
           {"harness_cpu_ns", part.harness_cpu_ns},
           {"harness_wall_ns", part.harness_wall_ns}};
}

void from_json(json const& in, PartRecord& part) {
    in.at("date").get_to(part.date);
    in.at("boot_id").get_to(part.boot_id);
    in.at("load").get_to(part.load);
    in.at("samples").get_to(part.samples);
    in.at("unused").get_to(part.unused);
    read_nullable(in, "conditions", part.conditions);
    in.at("harness_cpu_ns").get_to(part.harness_cpu_ns);
    in.at("harness_wall_ns").get_to(part.harness_wall_ns);
}

void to_json(json& out, Sample const& sample) {
    json phases = json::object();
    for (auto const& [name, field] : k_phases)
        if (auto const& value = sample.phases.*field) phases[name] = *value;
    json own;
    if (sample.own)
        own = {{"workload", sample.own->workload},
               {"ops", sample.own->ops},
               {"ns", sample.own->ns},
               {"checksum", sample.own->checksum},
               {"bytes", sample.own->bytes},
               {"entry_ns", sample.own->entry_ns},
               {"identity", sample.own->identity}};
    out = {{"workload", sample.workload},
           {"engine", sample.arm},
           {"backend", sample.backend},
           {"role", to_string(sample.role)},
           {"block", sample.block},
           {"order", sample.order},
           {"at_ns", sample.at_ns},
           {"wall_ns", sample.wall_ns},
           {"cpu_ns", sample.cpu_ns()},
           {"user_ns", sample.user_ns},
           {"system_ns", sample.system_ns},
           {"first_output_ns", nullable(sample.first_output_ns)},
           {"own", own},
           {"exit_status", sample.exit_status},
           {"stdout_sha256", sample.out_sha256},
           {"phases", phases},
           {"counters", sample.counters},
           {"facts", sample.facts},
           {"clock_disagrees", sample.clock_disagrees},
           {"failure", sample.failure},
           {"not_available", sample.not_available},
           {"part", sample.part},
           {"unused", sample.unused}};
}

void from_json(json const& in, Sample& sample) {
    in.at("workload").get_to(sample.workload);
    in.at("engine").get_to(sample.arm);
    in.at("backend").get_to(sample.backend);
    sample.role = named(in, "role", {Role::identity, Role::warm_up, Role::baseline, Role::measure});
    in.at("block").get_to(sample.block);
    in.at("order").get_to(sample.order);
    in.at("at_ns").get_to(sample.at_ns);
    in.at("wall_ns").get_to(sample.wall_ns);
    in.at("user_ns").get_to(sample.user_ns);
    in.at("system_ns").get_to(sample.system_ns);
    read_nullable(in, "first_output_ns", sample.first_output_ns);
    if (json const& own = in.at("own"); !own.is_null())
        sample.own = OwnOutput{
            own.at("workload").get<std::string>(), own.at("ops").get<std::uint64_t>(),
            own.at("ns").get<std::uint64_t>(),     own.at("checksum").get<std::string>(),
            own.value("bytes", std::uint64_t{0}),  own.at("entry_ns").get<std::uint64_t>(),
            own.at("identity").get<std::string>()};
    in.at("exit_status").get_to(sample.exit_status);
    in.at("stdout_sha256").get_to(sample.out_sha256);
    for (auto const& [name, field] : k_phases)
        if (in.at("phases").contains(name))
            sample.phases.*field = in.at("phases").at(name).get<std::uint64_t>();
    in.at("counters").get_to(sample.counters);
    in.at("facts").get_to(sample.facts);
    in.at("clock_disagrees").get_to(sample.clock_disagrees);
    in.at("failure").get_to(sample.failure);
    sample.not_available = in.value("not_available", "");
    sample.part = in.value("part", std::uint64_t{1});
    sample.unused = in.value("unused", "");
}

} // namespace iso::bench
