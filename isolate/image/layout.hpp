#pragma once

#include "common/fd.hpp"
#include "isolate/image/archive.hpp"

#include <functional>
#include <string>
#include <vector>

namespace iso::jail {

/// A piece of an OCI image layout: a file named by what it contains.
struct Blob {
    std::string digest; ///< "sha256:" and 64 digits
    std::uint64_t size = 0;
};

/// One image of a layout (image-spec 1.0 and 1.1, image-layout.md, manifest.md, config.md).
struct Image {
    std::string reference; ///< its name in the layout; may be empty
    Blob manifest;
    std::vector<Blob> layers; ///< the lowest first
    // Of its configuration:
    std::vector<std::string> environment, entrypoint, command;
    std::string directory;
    std::string user; ///< "name", "uid", "uid:gid" and so on
};

/// The directory of an OCI image layout. Whatever is read of it is compared with its digest.
class [[nodiscard]] Layout {
public:
    /// Errors: there is no layout of version 1.
    static Result<Layout> open(std::string const& path);

    /// The image of this name or digest; without one, the only image.
    /// Errors: there is no such image, or several; it is not for this machine; a form that isolate
    /// does not read; a piece that is missing or not what its digest says.
    Result<Image> read(std::string const& reference) const;

    /// Calls `with` with a layer's archive. The layer is verified before this returns without an
    /// error: until then, what `with` made of it is worth nothing. `stopped`: asked now and then.
    Result<void> each_layer(Blob const& layer, std::uint64_t most_bytes,
                            std::function<bool()> const& stopped,
                            std::function<Result<void>(ArchiveReader&)> const& with) const;

    [[nodiscard]] std::string const& path() const { return path_; }

private:
    Layout(std::string path, Fd directory)
        : path_(std::move(path))
        , directory_(std::move(directory)) {}
    Result<Fd> open_file(std::string const& name) const;
    Result<std::string> read_blob(Blob const& blob) const;

    std::string path_;
    Fd directory_;
};

/// A source of bytes of a file, for an ArchiveReader. The descriptor must outlive it.
ArchiveReader::Source read_from(int fd, std::function<bool()> const& stopped);

/// The error of an unpacking that somebody stopped: code EINTR.
tl::unexpected<Error> stopped_error();

} // namespace iso::jail
