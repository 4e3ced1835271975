#pragma once

#include "common/temp_dir.hpp"
#include "isolate/image/extract.hpp"
#include "isolate/spec/spec.hpp"

#include <functional>
#include <string>

namespace iso::jail {

/// Whether a root is one that has to be unpacked.
[[nodiscard]] inline bool is_image(RootSpec const& root) {
    return root.source == RootSpec::Source::archive || root.source == RootSpec::Source::oci_layout;
}

/// Finds out what a root that is said to be a directory really is: a file is a tar archive, a
/// directory with the files of an OCI image layout is one, and so is DIR:NAME. Makes its path
/// absolute. Errors: there is nothing of that name.
Result<void> recognise_root(RootSpec& root);

/// What was said about the process, so that an image has nothing to say about it.
struct SaidProcess {
    bool user = false;
    bool directory = false;
};

/// Completes the process of a jail by the configuration of its image: the program, where none is
/// named; variables that have no value; the working directory; the user.
/// Errors: the image cannot be read; no program is named; its user is not in it.
Result<void> take_image_defaults(JailSpec& spec, SaidProcess const& said);

/// Where a root comes from, in words: "the image /srv/images/web (sha256:0123..., 3 layers)".
/// Errors: it cannot be read.
Result<std::string> image_origin(RootSpec const& root);

/// A root that was unpacked for one jail, in a directory of its own below $TMPDIR or /tmp, which
/// nobody else can enter. It goes with this object; should this process be killed, it goes when the
/// next jail with such a root is made, or by `isolate delete`.
class [[nodiscard]] UnpackedRoot {
public:
    UnpackedRoot() = default;
    UnpackedRoot(UnpackedRoot&&) = default;
    UnpackedRoot& operator=(UnpackedRoot&&) = default;
    ~UnpackedRoot() { (void)remove(); }

    /// `stopped` is asked now and then; if it says so, the error has the code EINTR.
    static Result<UnpackedRoot> create(JailSpec const& spec, Owners owners,
                                       std::function<bool()> const& stopped);
    /// Removes it. Errors: something in it cannot be removed.
    Result<void> remove();

    [[nodiscard]] std::string path() const { return directory_.path() + "/root"; }
    /// What holds it: it must not get into the jail.
    [[nodiscard]] int descriptor() const { return directory_.hold_fd(); }
    [[nodiscard]] Unpacked const& unpacked() const { return unpacked_; }

private:
    TempDir directory_;
    Unpacked unpacked_;
};

/// Removes what killed isolates have left unpacked.
void remove_abandoned_roots();

} // namespace iso::jail
