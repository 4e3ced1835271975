#pragma once

#include "common/result.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace iso::jail {

/// One entry of a tar archive, as the archive has it: nothing of it is to be believed.
struct ArchiveEntry {
    enum class Kind : std::uint8_t { file, directory, symbolic_link, hard_link, fifo, device };
    Kind kind = Kind::file;
    std::string name;
    std::string target; ///< of a link
    std::uint64_t size = 0;
    std::uint32_t mode = 0; ///< with the bits for set-user-id and its like
    std::uint32_t uid = 0, gid = 0;
    std::optional<std::int64_t> modified; ///< seconds since 1970
};

/// Text from an archive, fit to be shown on a terminal: short, without control characters.
std::string printable(std::string_view name);

/// Reads a tar archive, plain or gzip, from its beginning to its end, through libarchive: it knows
/// tar's dialects (ustar, pax, GNU's long names and sparse files), whatever order they come in.
/// It only reads: what becomes of an entry is the Extractor's to decide.
class [[nodiscard]] ArchiveReader {
public:
    /// Gives the next bytes; 0 at the end.
    using Source = std::function<Result<std::size_t>(std::span<char>)>;

    /// `shown` names the archive in errors. `most_bytes`: what it may be uncompressed.
    static Result<ArchiveReader> open(Source source, std::string shown, std::uint64_t most_bytes);
    ArchiveReader(ArchiveReader&&) noexcept;
    ArchiveReader& operator=(ArchiveReader&&) noexcept;
    ~ArchiveReader();

    /// The next entry, or nothing at the end. Errors: damaged, truncated, too large.
    Result<std::optional<ArchiveEntry>> next();

    /// The contents of the entry that next() returned, piece by piece; holes are left out.
    using Take = std::function<Result<void>(std::string_view data, std::uint64_t offset)>;
    Result<void> contents(Take const& take);

    [[nodiscard]] std::string const& shown() const;

private:
    struct State;
    explicit ArchiveReader(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace iso::jail
