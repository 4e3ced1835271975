#include "benchmarks/harness/journal.hpp"

#include "benchmarks/harness/json_fields.hpp"
#include "benchmarks/harness/run_plan.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

#include <sys/file.h>
#include <sys/stat.h>

namespace iso::bench {

using nlohmann::json;

namespace {

constexpr std::size_t k_largest_journal = std::size_t{1} << 30U;

json to_json(Condemned const& condemned) {
    return {{"workload", condemned.workload},
            {"engine", condemned.arm},
            {"status", to_string(condemned.status)},
            {"reason", condemned.reason}};
}

/// A name is on the disk when its directory is.
Result<void> sync_directory_of(std::string const& path) {
    auto const slash = path.rfind('/');
    std::string const directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    Fd const fd = TRY(Fd::open(directory, O_RDONLY | O_DIRECTORY));
    // Some file systems cannot (EINVAL), and have nothing to lose.
    if (::fsync(fd.get()) != 0 && errno != EINVAL) return sys_error("fsync(" + directory + ")");
    return {};
}

} // namespace

std::string Journal::path_for(std::string const& results_path) {
    return results_path + ".samples";
}

Result<Journal> Journal::open(std::string const& results_path, int flags) {
    Journal journal;
    journal.path_ = path_for(results_path);
    journal.fd_ = TRY(Fd::open(journal.path_, flags | O_RDWR | O_APPEND, 0644));
    struct stat info {};
    if (::fstat(journal.fd_.get(), &info) != 0) return sys_error("fstat(" + journal.path_ + ")");
    if (!S_ISREG(info.st_mode))
        return refused(journal.path_, "not a regular file", "another place: --json=FILE");
    if (::flock(journal.fd_.get(), LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK
                   ? refused(journal.path_, "another isobench is writing it", "wait until it ends")
                   : sys_error("flock(" + journal.path_ + ")");
    // Its last holder may just have removed it.
    if (::fstat(journal.fd_.get(), &info) != 0 || info.st_nlink == 0)
        return refused(journal.path_, "the comparison that wrote it has just ended", "try again");
    return journal;
}

Result<Journal> Journal::create(std::string const& results_path) {
    Journal journal = TRY(open(results_path, O_CREAT));
    std::string const text = TRY(read_all(journal.fd_.get(), k_largest_journal));
    auto const former = read_journal(text);
    if (!former || (!text.empty() && !former->begun && !text.starts_with("{\"check\":")))
        return refused(journal.path_, "there is a file of that name, and it is no journal",
                       "move it away, or another place: --json=FILE");
    if (!former->recorded.samples.empty())
        return refused(journal.path_,
                       "it holds " + std::to_string(former->recorded.samples.size()) +
                           " samples of a comparison that was interrupted",
                       "isobench compare --resume " + results_path + "; or rm " + journal.path_);
    if (::ftruncate(journal.fd_.get(), 0) != 0)
        return sys_error("ftruncate(" + journal.path_ + ")");
    TRY(sync_directory_of(journal.path_));
    return journal;
}

Result<Journal> Journal::reopen(std::string const& results_path) {
    if (::access(path_for(results_path).c_str(), F_OK) != 0)
        return refused("--resume " + results_path,
                       path_for(results_path) + ": " + std::strerror(errno),
                       "the FILE of the --json that was interrupted; one that ended has none");
    Journal journal = TRY(open(results_path, 0));
    auto text = read_journal(TRY(read_all(journal.fd_.get(), k_largest_journal)));
    if (!text) {
        text.error().op = journal.path_;
        return tl::unexpected<Error>(std::move(text.error()));
    }
    if (!text->begun)
        return refused(journal.path_, "the comparison ended before it began to measure",
                       "begin it again: isobench compare --json " + results_path);
    if (::ftruncate(journal.fd_.get(), static_cast<off_t>(text->good_bytes)) != 0)
        return sys_error("ftruncate(" + journal.path_ + ")");
    journal.plan_ = std::move(text->plan);
    journal.recorded_ = std::move(text->recorded);
    journal.samples_ = journal.recorded_.samples.size();
    return journal;
}

Result<void> Journal::append(json const& line) {
    auto written = write_all(fd_.get(), journal_line(line));
    if (!written)
        return tl::unexpected<Error>(
            std::move(error("write(" + path_ + ")", written.error().cause,
                            "room there; then isobench compare --resume goes on")
                          .value())
                .with_exit(exit_code::no));
    return {};
}

Result<void> Journal::write(RunPlan const& plan) {
    plan_ = plan;
    return append({{"journal", schema}, {"plan", plan_to_json(plan)}});
}

Result<void> Journal::write(PartRecord const& part) {
    recorded_.parts.push_back(part);
    return append({{"part", part}});
}

Result<void> Journal::write(Sample const& sample, std::optional<Condemned> const& condemned) {
    json line = {{"sample", sample}};
    if (condemned) line["condemned"] = to_json(*condemned);
    ++samples_;
    return append(line);
}

Result<void> Journal::write(Condemned const& condemned) {
    return append({{"condemned", to_json(condemned)}});
}

Result<void> Journal::write_operations(std::map<std::string, std::uint64_t> const& ops) {
    return append({{"operations", ops}});
}

Result<void> Journal::write_block(std::string const& workload, std::uint64_t block,
                                  std::uint64_t elapsed_ns) {
    TRY(append(
        {{"block", {{"workload", workload}, {"number", block}, {"elapsed_ns", elapsed_ns}}}}));
    if (::fdatasync(fd_.get()) != 0) return sys_error("fdatasync(" + path_ + ")");
    return {};
}

Result<void> Journal::write_stop(std::string const& workload, std::string const& reason) {
    return append({{"stopped", {{"workload", workload}, {"reason", reason}}}});
}

Result<void> Journal::remove() const {
    TRY(sync_directory_of(path_)); // the results have their name before these lose theirs
    if (::unlink(path_.c_str()) != 0) return sys_error("unlink(" + path_ + ")");
    return {};
}

} // namespace iso::bench
