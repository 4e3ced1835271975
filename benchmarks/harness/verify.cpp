#include "benchmarks/harness/verify.hpp"

#include <fmt/format.h>

namespace iso::bench {

namespace {

void verify_identity(Row& row, std::size_t arm, Sample const& sample) {
    Verdict& verdict = row.verdicts[arm];
    if (sample.own->identity == row.record.identity) {
        verdict.identity_proved = true;
        return;
    }
    std::string const found = sample.own->identity.empty() ? "nothing" : sample.own->identity;
    row.condemn(
        arm, Status::void_,
        fmt::format("other bytes are mapped there than the file has (SHA-256 {:.12}, not {:.12})",
                    found, row.record.identity));
}

/// Native's first result is the reference; every later one, native's own included, must equal it.
void verify_result(Row& row, std::size_t arm, std::uint64_t key, std::string const& result,
                   std::string_view what) {
    auto const found = row.checksums.find(key);
    if (found == row.checksums.end()) {
        if (arm == 0) row.checksums[key] = result;
        return;
    }
    if (found->second == result) return;
    row.condemn(
        arm, Status::void_,
        fmt::format("another {} than native ({:.16}, not {:.16})", what, result, found->second));
}

void verify_own(Row& row, std::size_t arm, Sample const& sample, std::uint64_t asked) {
    OwnOutput const& own = *sample.own;
    if (own.workload != row.known->file())
        return row.condemn(arm, Status::void_, "it says it is '" + own.workload + "'");
    if (sample.role == Role::identity) return verify_identity(row, arm, sample);
    if (row.record.ops != 0) {
        if (own.ops != asked)
            return row.condemn(arm, Status::void_,
                               fmt::format("it did {} operations, not {}", own.ops, asked));
    }
    verify_result(row, arm, own.ops, own.checksum, "checksum");
    if (sample.clock_disagrees && row.record.kind == Kind::latency)
        row.condemn(
            arm, Status::void_,
            fmt::format(
                "its clock disagrees with the host's: {:.1f} ms by its own, {:.1f} ms from outside",
                static_cast<double>(own.ns) / 1e6, static_cast<double>(sample.wall_ns) / 1e6));
}

void verify_program(Row& row, std::size_t arm, Sample const& sample) {
    if (!row.exit_status && arm == 0) row.exit_status = sample.exit_status;
    if (row.exit_status && *row.exit_status != sample.exit_status)
        return row.condemn(
            arm, Status::void_,
            fmt::format("exit status {}, natively {}", sample.exit_status, *row.exit_status));
    verify_result(row, arm, 0, sample.out_sha256, "output");
}

} // namespace

void verify(Row& row, std::size_t arm, Sample const& sample, std::uint64_t asked) {
    if (!sample.not_available.empty())
        return row.condemn(arm, Status::unavailable, sample.not_available);
    if (!sample.good()) return row.condemn(arm, Status::failed, sample.failure);
    if (row.own()) return verify_own(row, arm, sample, asked);
    verify_program(row, arm, sample);
}

} // namespace iso::bench
