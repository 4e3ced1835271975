#include "benchmarks/history/record.hpp"

#include "common/sha256.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace iso::bench::history {

namespace {

constexpr std::size_t k_id_digits = 16;

std::string fact_of(std::map<std::string, std::string> const& facts, char const* key) {
    auto const found = facts.find(key);
    return found == facts.end() ? std::string() : found->second;
}

} // namespace

std::string Machine::words() const {
    return fmt::format("{}, {} CPUs, hypervisor {}, KVM backend {}", fact_of(facts, "cpu.model"),
                       fact_of(facts, "cpu.online"), fact_of(facts, "hypervisor"),
                       fact_of(facts, "kvm.backend"));
}

std::string machine_id(std::map<std::string, std::string> const& facts) {
    Sha256 hash;
    for (auto const& [key, value] : facts) {
        std::string const line = fmt::format("{}={}\n", key, value);
        hash.update(line.data(), line.size());
    }
    char text[2 * Sha256::digest_size + 1];
    hash.finish_hex(text);
    return std::string(text, k_id_digits);
}

Run const* History::run(std::string const& id) const {
    auto const found =
        std::find_if(runs.begin(), runs.end(), [&](Run const& run) { return run.id == id; });
    return found == runs.end() ? nullptr : &*found;
}

Machine const* History::machine(std::string const& id) const {
    auto const found = std::find_if(machines.begin(), machines.end(),
                                    [&](Machine const& machine) { return machine.id == id; });
    return found == machines.end() ? nullptr : &*found;
}

void History::sort() {
    std::sort(machines.begin(), machines.end());
    std::sort(runs.begin(), runs.end(), [](Run const& a, Run const& b) {
        return std::tie(a.date, a.id) < std::tie(b.date, b.id);
    });
    std::map<std::string, std::size_t> place;
    for (std::size_t i = 0; i < runs.size(); ++i)
        place[runs[i].id] = i;
    std::sort(series.begin(), series.end(),
              [](Series const& a, Series const& b) { return a.key < b.key; });
    for (Series& one : series)
        std::sort(one.points.begin(), one.points.end(),
                  [&](Point const& a, Point const& b) { return place[a.run] < place[b.run]; });
}

} // namespace iso::bench::history
