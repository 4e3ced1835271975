#pragma once

#include "common/fd.hpp"
#include "isolate/image/archive.hpp"
#include "isolate/spec/spec.hpp"

#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace iso::jail {

/// Whom the files belong to that are unpacked.
struct Owners {
    bool change = false; ///< whether they are given away at all: else they are the caller's
    bool exact = false;  ///< to the very ids of the archive; else as the ranges map them
    std::vector<IdRange> uids, gids;
    uid_t other_uid = 0; ///< who has what no range maps
    gid_t other_gid = 0;
};

/// How much an archive may become.
struct UnpackLimits {
    std::uint64_t bytes = std::uint64_t{8} << 30U; ///< of contents, holes of sparse files too
    std::uint64_t entries = 1'000'000;
    std::size_t depth = 256; ///< of directories in each other
};

/// What was unpacked, and what of it was not.
struct Unpacked {
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
    std::uint64_t devices = 0; ///< device nodes: left out, a jail has its own /dev
    std::uint64_t set_ids = 0; ///< files whose set-user-id bits were taken away
};

/// Puts entries of archives into a directory, one archive over the other.
///
/// No path leaves the directory, whatever the archive says: each is walked by openat2(2) from the
/// directory's descriptor (RESOLVE_IN_ROOT: an absolute link, or one that climbs, ends at that
/// root; nor over a mount or through a magic link), and the last component is never followed. A
/// name with
/// ".." is an error; a leading / counts as the root of the jail. The directory must be private:
/// nobody else may change it meanwhile.
class Extractor {
public:
    Extractor(Fd root, Owners owners, UnpackLimits limits)
        : root_(std::move(root))
        , owners_(std::move(owners))
        , limits_(limits) {}

    /// Every entry of an archive. `whiteouts`: names with .wh. are not files (take_away() is for
    /// them).
    Result<void> add(ArchiveReader& archive, bool whiteouts);
    /// Removes what the whiteouts of a layer name: image-spec, layer.md, "Whiteouts". They concern
    /// the layers below only, wherever they stand in theirs, so this comes before add().
    Result<void> take_away(ArchiveReader& archive);
    /// Modes, owners and times of directories, which had to stay open until now. Before that, the
    /// directories `wanted` are made where nothing is.
    Result<void> finish(std::vector<std::string> const& wanted);

    [[nodiscard]] Unpacked const& unpacked() const { return unpacked_; }

private:
    struct Meta {
        std::uint32_t mode = 0755;
        std::uint32_t uid = 0, gid = 0;
        std::optional<std::int64_t> modified;
    };
    Result<void> count(ArchiveReader const& archive);
    Result<void> add_entry(ArchiveReader& archive, ArchiveEntry const& entry,
                           std::string const& path);
    Result<void> add_file(ArchiveReader& archive, ArchiveEntry const& entry, int parent,
                          std::string const& name, std::string const& op);
    Result<void> add_hard_link(ArchiveEntry const& entry, int parent, std::string const& path,
                               std::string const& op);
    Result<void> hide(std::string const& path, std::string const& op);
    /// The directory of a path, made with all that leads there.
    Result<int> parent_of(std::string const& path, std::string const& op);
    Result<Fd> open_directory(std::string const& path, std::string const& op);
    /// Removes what is at a name, a directory only if it is not to stay. True: one is there.
    Result<bool> make_way(int parent, std::string const& path, bool keep_directory,
                          std::string const& op);
    void forget(std::string const& path, bool itself);
    Result<void> own(int fd, Meta const& meta, std::string const& op);
    [[nodiscard]] std::pair<uid_t, gid_t> owner(std::uint32_t uid, std::uint32_t gid) const;
    [[nodiscard]] bool keeps_ids(std::uint32_t uid, std::uint32_t gid) const;

    Fd root_;
    Owners owners_;
    UnpackLimits limits_;
    Unpacked unpacked_;
    std::map<std::string, Meta> directories_;
    std::string parent_path_; ///< of parent_, while that is valid
    Fd parent_;
};

/// A name of an archive as a path below the root, without leading or double slashes and "."; empty
/// for the root itself. Errors: "..", too deep, too long.
Result<std::string> path_below(std::string_view name, std::size_t depth);

/// Removes a file or a directory with all that is in it, at whatever depth and of whatever modes,
/// without following a link. What is not there is no error. `parent` must be private as above.
Result<void> remove_tree(int parent, std::string const& name);

} // namespace iso::jail
