#pragma once

#include "common/fd.hpp"
#include "common/machine/counters.hpp"
#include "common/result.hpp"
#include "common/run_options.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <sys/uio.h>

namespace iso {

inline constexpr std::uint64_t k_sector = 512;

/// The host file behind a guest's disk: what every block device of an engine reads and writes.
///
/// The guest names sectors and lengths; whatever does not lie in the disk is refused here, once for
/// all devices. The file is locked, so that no two machines write to it at the same time.
class DiskFile {
public:
    static constexpr std::uint64_t k_default_bytes = std::uint64_t{64} << 20U;
    static constexpr std::uint64_t k_least_bytes = std::uint64_t{1} << 20U;
    static constexpr std::uint64_t k_most_bytes = std::uint64_t{64} << 30U;

    /// Opens the file, or makes it, sparse, with `bytes` (0: the default). An empty one gets that
    /// size, too. Errors: not a regular file, not writable, in use, a size that differs or that no
    /// disk can have. From then on this process ignores SIGXFSZ.
    static Result<DiskFile> open(std::string const& path, std::uint64_t bytes);

    /// What --disk asks for; nothing when it was not given.
    static Result<std::optional<DiskFile>> open(RunOptions const& options);

    [[nodiscard]] std::uint64_t sectors() const { return sectors_; }
    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] bool created() const { return created_; }

    /// Moves all of `parts` from or to the disk at `sector`; 0, or an errno: EINVAL when they do
    /// not lie in the disk or are no whole sectors, EINTR when this process shall stop. `parts` are
    /// used up.
    int read(std::uint64_t sector, std::span<iovec> parts);
    int write(std::uint64_t sector, std::span<iovec> parts);
    /// What was written stays, whatever happens to the host (fdatasync(2)).
    int flush();

    /// `disk.reads`, `disk.writes`, `disk.flushes`, `disk.read_bytes`, `disk.written_bytes`.
    void add_to(Counters& counters) const;

private:
    template <typename Call>
    int move(std::uint64_t sector, std::span<iovec> parts, std::uint64_t& moved, Call call);

    Fd fd_;
    std::uint64_t sectors_ = 0;
    bool created_ = false;
    std::uint64_t reads_ = 0, writes_ = 0, flushes_ = 0;
    std::uint64_t read_bytes_ = 0, written_bytes_ = 0;
};

} // namespace iso
