#include "benchmarks/formats/formats.hpp"

#include <fmt/format.h>

#include <map>

namespace iso::bench {

namespace {

std::string quoted(std::string const& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string out = "\"";
    for (char const c : text)
        out += c == '"' ? "\"\"" : std::string(1, c);
    return out + "\"";
}

} // namespace

std::string to_csv(Results const& results) {
    std::map<std::string, std::string> hashes;
    for (WorkloadRecord const& workload : results.workloads)
        hashes[workload.name] = workload.sha256;
    std::string out =
        "workload,sha256,engine,backend,role,block,order,at_ns,wall_ns,user_ns,system_ns,"
        "first_output_ns,ops,own_ns,entry_ns,checksum,exit_status,failure,not_available\n";
    for (Sample const& sample : results.samples) {
        out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},", quoted(sample.workload),
                           hashes[sample.workload], quoted(sample.arm), quoted(sample.backend),
                           to_string(sample.role), sample.block, sample.order, sample.at_ns,
                           sample.wall_ns, sample.user_ns, sample.system_ns);
        if (sample.first_output_ns) out += fmt::format("{}", *sample.first_output_ns);
        if (sample.own && sample.role != Role::identity)
            out += fmt::format(",{},{},{},{}", sample.own->ops, sample.own->ns,
                               sample.own->entry_ns, quoted(sample.own->checksum));
        else
            out += ",,,,";
        out += fmt::format(",{},{},{}\n", sample.exit_status, quoted(sample.failure),
                           quoted(sample.not_available));
    }
    return out;
}

} // namespace iso::bench
