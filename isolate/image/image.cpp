#include "isolate/image/image.hpp"

#include "isolate/image/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <unistd.h>

#include <sys/stat.h>

namespace iso::jail {

namespace {

constexpr char const* k_prefix = "isolate-root";

bool is_layout(std::string const& path) {
    struct stat info {};
    for (char const* file : {"/oci-layout", "/index.json"})
        if (::stat((path + file).c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
    return true;
}

UnpackLimits limits_of(RootSpec const& root) {
    UnpackLimits limits;
    if (root.unpack_limit) limits.bytes = *root.unpack_limit;
    return limits;
}

/// A file of an image as its upper layers leave it, or nothing.
Result<std::optional<std::string>> file_of_image(Layout const& layout, Image const& image,
                                                 std::string const& path,
                                                 UnpackLimits const& limits) {
    constexpr std::uint64_t k_most = std::uint64_t{1} << 20U;
    std::optional<std::string> found;
    for (auto layer = image.layers.rbegin(); layer != image.layers.rend() && !found; ++layer) {
        auto look = [&](ArchiveReader& archive) -> Result<void> {
            for (;;) {
                auto const entry = TRY(archive.next());
                if (!entry) return {};
                auto const name = path_below(entry->name, limits.depth);
                if (!name || *name != path || entry->kind != ArchiveEntry::Kind::file ||
                    entry->size > k_most)
                    continue;
                std::string text(entry->size, '\0');
                TRY(archive.contents([&](std::string_view data, std::uint64_t at) -> Result<void> {
                    if (at > text.size() || data.size() > text.size() - at)
                        return error("image(" + path + ")", "it is longer than it says");
                    std::copy(data.begin(), data.end(),
                              text.begin() + static_cast<std::ptrdiff_t>(at));
                    return {};
                }));
                found = std::move(text);
            }
        };
        TRY(layout.each_layer(*layer, limits.bytes, {}, look));
    }
    return found;
}

std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t value = 0;
    char const* const end = text.data() + text.size();
    auto const [rest, problem] = std::from_chars(text.data(), end, value);
    if (text.empty() || problem != std::errc{} || rest != end || value == ~0U) return {};
    return value;
}

/// The line of passwd(5) or group(5) whose field `key` is `value`: its fields.
std::vector<std::string> line_of(std::string const& text, std::size_t key, std::string_view value) {
    for (std::size_t at = 0; at < text.size();) {
        std::size_t const end = std::min(text.find('\n', at), text.size());
        std::string_view const line = std::string_view(text).substr(at, end - at);
        at = end + 1;
        std::vector<std::string> fields;
        for (std::size_t from = 0; from <= line.size();) {
            std::size_t const to = std::min(line.find(':', from), line.size());
            fields.emplace_back(line.substr(from, to - from));
            from = to + 1;
        }
        if (fields.size() > 2 && fields[key] == value) return fields;
    }
    return {};
}

/// "user[:group]", each a number or a name of the image's own files (config.md, "User").
Result<void> take_user(Layout const& layout, Image const& image, UnpackLimits const& limits,
                       ProcessSpec& process) {
    std::string const& said = image.user;
    if (said.empty() || said == "0" || said == "root" || said == "0:0" || said == "root:root")
        return {};
    std::size_t const colon = said.find(':');
    std::string const user = said.substr(0, colon);
    std::string const group = colon == std::string::npos ? "" : said.substr(colon + 1);
    auto unknown = [&](char const* file) {
        return error("image(" + layout.path() + ")",
                     "its user is '" + printable(said) + "', which its " + file + " does not know",
                     "--user UID:GID");
    };
    std::optional<std::uint32_t> uid = number(user);
    std::optional<std::uint32_t> gid = number(group);
    if (!uid || group.empty()) {
        std::string const text =
            TRY(file_of_image(layout, image, "etc/passwd", limits)).value_or("");
        std::vector<std::string> const line = line_of(text, uid ? 2 : 0, user);
        if (!uid && line.size() < 4) return unknown("/etc/passwd");
        if (!uid) uid = number(line[2]);
        if (group.empty()) gid = line.size() < 4 ? 0 : number(line[3]);
        if (!uid || (group.empty() && !gid)) return unknown("/etc/passwd");
    }
    if (!gid) {
        std::string const text =
            TRY(file_of_image(layout, image, "etc/group", limits)).value_or("");
        std::vector<std::string> const line = line_of(text, 0, group);
        if (line.size() > 2) gid = number(line[2]);
        if (!gid) return unknown("/etc/group");
    }
    process.uid = *uid;
    process.gid = *gid;
    return {};
}

/// The image's variables, but those that were said; then what was said.
void take_environment(std::vector<std::string>& said, std::vector<std::string> const& image) {
    auto name = [](std::string const& variable) { return variable.substr(0, variable.find('=')); };
    std::vector<std::string> all;
    for (std::string const& variable : image)
        if (std::none_of(said.begin(), said.end(),
                         [&](std::string const& each) { return name(each) == name(variable); }))
            all.push_back(variable);
    all.insert(all.end(), said.begin(), said.end());
    said = std::move(all);
}

Result<void> unpack_archive(Extractor& extractor, std::string const& path,
                            UnpackLimits const& limits, std::function<bool()> const& stopped) {
    Fd const file = TRY(Fd::open(path, O_RDONLY | O_NONBLOCK));
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) return sys_error("fstat(" + path + ")");
    if (!S_ISREG(info.st_mode)) return error("root-archive(" + path + ")", "it is no file");
    ArchiveReader archive =
        TRY(ArchiveReader::open(read_from(file.get(), stopped), path, limits.bytes));
    return extractor.add(archive, false);
}

Result<void> unpack_image(Extractor& extractor, RootSpec const& root, UnpackLimits const& limits,
                          std::function<bool()> const& stopped) {
    Layout const layout = TRY(Layout::open(root.path));
    Image const image = TRY(layout.read(root.reference));
    for (std::size_t i = 0; i < image.layers.size(); ++i) {
        Blob const& layer = image.layers[i];
        if (i != 0)
            TRY(layout.each_layer(layer, limits.bytes, stopped, [&](ArchiveReader& archive) {
                return extractor.take_away(archive);
            }));
        TRY(layout.each_layer(layer, limits.bytes, stopped, [&](ArchiveReader& archive) {
            return extractor.add(archive, true);
        }));
    }
    return {};
}

} // namespace

Result<void> recognise_root(RootSpec& root) {
    if (root.source == RootSpec::Source::empty) return {};
    constexpr char const* k_hint =
        "--root with a directory, a tar archive, or an OCI image layout as DIR:NAME";
    struct stat info {};
    if (::stat(root.path.c_str(), &info) != 0) {
        int const code = errno;
        std::size_t const colon = root.path.rfind(':');
        std::string const before = root.path.substr(0, colon);
        bool const named = colon != std::string::npos && colon + 1 < root.path.size() &&
                           root.reference.empty() && code == ENOENT;
        // A digest has a colon of its own.
        std::size_t const digest = root.path.rfind(":sha256:");
        std::string const before_digest = root.path.substr(0, digest);
        bool const by_digest = named && digest != std::string::npos && is_layout(before_digest);
        if (!by_digest && (!named || !is_layout(before))) {
            errno = code;
            return sys_error("--root(" + root.path + ")", k_hint);
        }
        root.reference = root.path.substr((by_digest ? digest : colon) + 1);
        root.path = by_digest ? before_digest : before;
        root.source = RootSpec::Source::oci_layout;
    } else if (root.source == RootSpec::Source::directory) {
        if (S_ISREG(info.st_mode))
            root.source = RootSpec::Source::archive;
        else if (!S_ISDIR(info.st_mode))
            return error("--root(" + root.path + ")", "it is no directory and no file", k_hint);
        else if (is_layout(root.path))
            root.source = RootSpec::Source::oci_layout;
    }
    if (root.source == RootSpec::Source::oci_layout && S_ISREG(info.st_mode) &&
        root.reference.empty() && !is_layout(root.path))
        return error("root-image(" + root.path + ")",
                     "an archive of a layout is not supported, a directory is",
                     "mkdir image; tar -C image -xf " + root.path);
    if (!is_image(root)) return {};
    std::unique_ptr<char, void (*)(void*)> const whole(::realpath(root.path.c_str(), nullptr),
                                                       std::free);
    if (!whole) return sys_error("realpath(" + root.path + ")");
    root.path = whole.get();
    return {};
}

Result<void> take_image_defaults(JailSpec& spec, SaidProcess const& said) {
    ProcessSpec& process = spec.process;
    bool const no_program = process.arguments.empty() ||
                            (process.arguments.size() == 1 && process.arguments.front().empty());
    if (spec.root.source == RootSpec::Source::oci_layout && spec.root.image_defaults) {
        Layout const layout = TRY(Layout::open(spec.root.path));
        Image const image = TRY(layout.read(spec.root.reference));
        if (no_program) {
            process.arguments = image.entrypoint;
            process.arguments.insert(process.arguments.end(), image.command.begin(),
                                     image.command.end());
        }
        take_environment(process.environment, image.environment);
        if (!said.directory && process.directory == ProcessSpec{}.directory &&
            !image.directory.empty()) {
            auto below = path_below(image.directory, UnpackLimits{}.depth);
            if (!below)
                return error("image(" + layout.path() + ")",
                             "its working directory is no path: " + printable(image.directory),
                             "--workdir PATH");
            process.directory = "/" + *below;
        }
        bool const root_user = process.uid == 0 && process.gid == 0 && process.groups.empty();
        if (!said.user && root_user) TRY(take_user(layout, image, limits_of(spec.root), process));
    }
    if (process.arguments.empty() || process.arguments.front().empty())
        return error("PROGRAM", "no program is named, on the line or by an image",
                     "-- PROGRAM [ARG...]");
    return {};
}

Result<std::string> image_origin(RootSpec const& root) {
    if (root.source == RootSpec::Source::archive) return "the archive " + root.path;
    Layout const layout = TRY(Layout::open(root.path));
    Image const image = TRY(layout.read(root.reference));
    return fmt::format("the image {}{}{} ({}..., {} layer{})", root.path,
                       image.reference.empty() ? "" : ":", printable(image.reference),
                       image.manifest.digest.substr(0, 19), image.layers.size(),
                       image.layers.size() == 1 ? "" : "s");
}

Result<UnpackedRoot> UnpackedRoot::create(JailSpec const& spec, Owners owners,
                                          std::function<bool()> const& stopped) {
    remove_abandoned_roots();
    UnpackedRoot made;
    made.directory_ = TRY(TempDir::create_held(k_prefix));
    std::string const path = made.path();
    if (::mkdir(path.c_str(), 0700) != 0) return sys_error("mkdir(" + path + ")");
    UnpackLimits const limits = limits_of(spec.root);
    Extractor extractor(TRY(Fd::open(path, O_PATH | O_DIRECTORY)), std::move(owners), limits);
    if (spec.root.source == RootSpec::Source::archive)
        TRY(unpack_archive(extractor, spec.root.path, limits, stopped));
    else
        TRY(unpack_image(extractor, spec.root, limits, stopped));
    // What the jail mounts on. An image need not have its working directory (config.md).
    std::vector<std::string> wanted{"dev", "proc", "sys", "tmp"};
    if (spec.root.source == RootSpec::Source::oci_layout) wanted.push_back(spec.process.directory);
    TRY(extractor.finish(wanted));
    made.unpacked_ = extractor.unpacked();
    return made;
}

Result<void> UnpackedRoot::remove() {
    if (directory_.path().empty()) return {};
    Fd const directory = TRY(Fd::open(directory_.path(), O_RDONLY | O_DIRECTORY));
    TRY(remove_tree(directory.get(), "."));
    directory_ = TempDir(); // the old one goes with what it was swapped into
    return {};
}

void remove_abandoned_roots() {
    TempDir::remove_abandoned(k_prefix, [](std::string const& path) {
        // What only its owner's chmod(2) opens would be left.
        if (auto const directory = Fd::open(path, O_RDONLY | O_DIRECTORY))
            (void)remove_tree(directory->get(), ".");
    });
}

} // namespace iso::jail
