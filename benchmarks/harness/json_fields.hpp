#pragma once

#include "benchmarks/harness/results.hpp"
#include "common/json.hpp"

// How each record is written and read: found by nlohmann::json through argument-dependent lookup.
namespace iso::bench {

void to_json(nlohmann::json& out, Environment const& environment);
void from_json(nlohmann::json const& in, Environment& environment);
void to_json(nlohmann::json& out, EngineRecord const& engine);
void from_json(nlohmann::json const& in, EngineRecord& engine);
void to_json(nlohmann::json& out, WorkloadRecord const& workload);
void from_json(nlohmann::json const& in, WorkloadRecord& workload);
void to_json(nlohmann::json& out, Cell const& cell);
void from_json(nlohmann::json const& in, Cell& cell);
void to_json(nlohmann::json& out, Decomposition const& made);
void from_json(nlohmann::json const& in, Decomposition& made);
void to_json(nlohmann::json& out, Conditions const& seen);
void from_json(nlohmann::json const& in, Conditions& seen);
void to_json(nlohmann::json& out, PartRecord const& part);
void from_json(nlohmann::json const& in, PartRecord& part);
void to_json(nlohmann::json& out, Sample const& sample);
void from_json(nlohmann::json const& in, Sample& sample);

} // namespace iso::bench
