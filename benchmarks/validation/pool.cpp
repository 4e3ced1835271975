#include "benchmarks/validation/pool.hpp"

#include "benchmarks/gate/interleaved.hpp"
#include "common/fd.hpp"
#include "common/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace iso::bench::validation {

namespace {

using nlohmann::json;

constexpr char const* k_schema = "isolab.gate-pool/1";

std::array<std::string, 3> arms_of(std::string const& engine) {
    return {base_arm(engine), control_arm(engine), head_arm(engine)};
}

/// Every block in which all three runs succeeded, with and without the loop.
Result<std::vector<PoolBlock>> blocks_of(Results const& results, std::string const& engine) {
    auto const arms = arms_of(engine);
    std::vector<PoolBlock> blocks(results.workloads.front().blocks);
    for (Sample const& sample : results.samples) {
        auto const arm = std::find(arms.begin(), arms.end(), sample.arm);
        if (sample.block == 0 || arm == arms.end()) continue;
        if (!sample.good()) return error("pool", sample.arm + ": " + sample.failure);
        Times& times = blocks[sample.block - 1][static_cast<std::size_t>(arm - arms.begin())];
        (sample.role == Role::measure ? times.cpu : times.start_cpu) = sample.cpu_ns() / 1000;
        (sample.role == Role::measure ? times.wall : times.start_wall) = sample.wall_ns / 1000;
    }
    for (PoolBlock const& block : blocks)
        for (Times const& times : block)
            if (times.wall == 0 || times.start_wall == 0)
                return error("pool", "a block lacks a run");
    return blocks;
}

} // namespace

Result<Pool> measure_pool(Subject const& subject, double inject, std::uint64_t blocks,
                          Interrupts& interrupts) {
    Side side;
    side.kind = Side::Kind::tree;
    side.path = subject.tree + "/bin";
    side.workloads = subject.tree + "/workloads";
    GateLineup const lineup =
        TRY(GateLineup::probe(side, side, {subject.engine}, inject, interrupts));
    CompareOptions how;
    how.engine_directory = side.path;
    how.workload_directory = side.workloads;
    how.workloads = {subject.workload};
    how.quick = true; // short samples: the noise of a pool is that of the live runs
    how.explain = false;
    how.blocks = blocks;
    Progress progress;
    Compared const compared = TRY(compare(how, lineup.lineup, interrupts, progress));
    if (compared.interrupted) return error("pool", "interrupted");
    Environment const& machine = compared.results.environment;
    return Pool{subject.workload,
                subject.engine,
                compared.results.workloads.front().ops,
                inject,
                fmt::format("{}, {} CPUs, load {} at the beginning", machine.get("date"),
                            machine.get("cpu.online"), machine.get("load.1min")),
                TRY(blocks_of(compared.results, subject.engine))};
}

std::string to_text(Pool const& pool) {
    json const head = {{"schema", k_schema}, {"workload", pool.workload}, {"engine", pool.engine},
                       {"ops", pool.ops},    {"inject", pool.inject},     {"noted", pool.noted}};
    std::string text = head.dump() + "\n";
    for (PoolBlock const& block : pool.blocks) {
        json line = json::array();
        for (Times const& run : block)
            line.push_back({run.cpu, run.wall, run.start_cpu, run.start_wall});
        text += line.dump() + "\n";
    }
    return text;
}

Result<Pool> parse_pool(std::string const& text) {
    std::istringstream lines(text);
    std::string line;
    Pool pool;
    try {
        if (!std::getline(lines, line)) return error("pool", "it is empty");
        json const head = json::parse(line);
        if (head.at("schema") != k_schema) return error("pool", "another schema");
        head.at("workload").get_to(pool.workload);
        head.at("engine").get_to(pool.engine);
        head.at("ops").get_to(pool.ops);
        head.at("inject").get_to(pool.inject);
        head.at("noted").get_to(pool.noted);
        while (std::getline(lines, line)) {
            json const runs = json::parse(line);
            PoolBlock block;
            for (std::size_t i = 0; i < block.size(); ++i)
                block[i] = {runs.at(i).at(0), runs.at(i).at(1), runs.at(i).at(2), runs.at(i).at(3)};
            pool.blocks.push_back(block);
        }
    } catch (json::exception const& problem) {
        return error("pool", fmt::format("line {}: {}", pool.blocks.size() + 2, problem.what()));
    }
    return pool;
}

Result<Pool> read_pool(std::string const& path) {
    std::string const text = TRY(read_file(path));
    auto pool = parse_pool(text);
    if (!pool) pool.error().op = path;
    return pool;
}

std::vector<Sample> samples_of(Pool const& pool, std::size_t first, std::size_t count,
                               std::array<std::size_t, 3> const& roles) {
    auto const arms = arms_of(pool.engine);
    std::vector<Sample> samples;
    for (std::size_t i = 0; i < count; ++i)
        for (std::size_t role = 0; role < arms.size(); ++role) {
            Times const& times = pool.blocks[first + i][roles[role]];
            Sample sample;
            sample.workload = pool.workload;
            sample.arm = arms[role];
            sample.block = i + 1;
            sample.role = Role::measure;
            sample.wall_ns = times.wall * 1000;
            sample.user_ns = times.cpu * 1000;
            samples.push_back(sample);
            sample.role = Role::baseline;
            sample.wall_ns = times.start_wall * 1000;
            sample.user_ns = times.start_cpu * 1000;
            samples.push_back(std::move(sample));
        }
    return samples;
}

WorkloadRecord record_of(Pool const& pool, std::size_t blocks) {
    WorkloadRecord record;
    record.name = pool.workload;
    record.kind = Kind::compute;
    record.ops = pool.ops;
    record.blocks = blocks;
    return record;
}

} // namespace iso::bench::validation
