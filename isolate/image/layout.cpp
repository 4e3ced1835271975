#include "isolate/image/layout.hpp"

#include "common/sha256.hpp"
#include "isolate/spec/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <unistd.h>

#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace iso::jail {

namespace {

using nlohmann::json;

constexpr std::size_t k_most_layers = 500;
constexpr int k_most_indexes = 4; ///< in each other

constexpr char const* k_indexes[] = {"application/vnd.oci.image.index.v1+json",
                                     "application/vnd.docker.distribution.manifest.list.v2+json"};
constexpr char const* k_manifests[] = {"application/vnd.oci.image.manifest.v1+json",
                                       "application/vnd.docker.distribution.manifest.v2+json"};
constexpr char const* k_layers[] = {"application/vnd.oci.image.layer.v1.tar",
                                    "application/vnd.oci.image.layer.v1.tar+gzip",
                                    "application/vnd.oci.image.layer.nondistributable.v1.tar",
                                    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
                                    "application/vnd.docker.image.rootfs.diff.tar",
                                    "application/vnd.docker.image.rootfs.diff.tar.gzip"};
constexpr char const* k_name_annotation = "org.opencontainers.image.ref.name";

template <std::size_t count>
bool is_one_of(std::string const& text, char const* const (&list)[count]) {
    return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

/// Reading of JSON that anybody may have written; `where` begins the errors.
struct Part {
    json const& in;
    std::string where;

    [[nodiscard]] tl::unexpected<Error> wrong(std::string const& name,
                                              std::string const& wanted) const {
        return error(where, name + " is not " + wanted, "a layout that skopeo or podman wrote");
    }
    [[nodiscard]] json const* find(char const* name) const {
        if (!in.is_object()) return nullptr;
        auto const at = in.find(name);
        return at == in.end() || at->is_null() ? nullptr : &*at;
    }
    /// A text; empty where there is none.
    [[nodiscard]] Result<std::string> text(char const* name) const {
        json const* const found = find(name);
        if (found == nullptr) return std::string();
        if (!found->is_string()) return wrong(name, "a text");
        auto text = found->get<std::string>();
        if (text.find('\0') != std::string::npos) return wrong(name, "a text without NUL");
        return text;
    }
    [[nodiscard]] Result<std::vector<std::string>> texts(char const* name) const {
        std::vector<std::string> list;
        json const* const found = find(name);
        if (found == nullptr) return list;
        if (!found->is_array()) return wrong(name, "a list of texts");
        for (json const& each : *found) {
            if (!each.is_string() || each.get<std::string>().find('\0') != std::string::npos)
                return wrong(name, "a list of texts");
            list.push_back(each.get<std::string>());
        }
        return list;
    }
    [[nodiscard]] Result<std::vector<Part>> objects(char const* name) const {
        std::vector<Part> list;
        json const* const found = find(name);
        if (found == nullptr || !found->is_array()) return wrong(name, "a list");
        for (json const& each : *found) {
            if (!each.is_object()) return wrong(name, "a list of objects");
            list.push_back({each, fmt::format("{}: {}[{}]", where, name, list.size())});
        }
        return list;
    }
    [[nodiscard]] Result<Part> object(char const* name) const {
        json const* const found = find(name);
        if (found == nullptr || !found->is_object()) return wrong(name, "an object");
        return Part{*found, where + ": " + name};
    }
    /// descriptor.md: what it is, and how many bytes of it there are.
    [[nodiscard]] Result<Blob> blob() const {
        constexpr std::string_view k_sha256 = "sha256:";
        Blob blob;
        blob.digest = TRY(text("digest"));
        bool sound = blob.digest.size() == k_sha256.size() + 2 * Sha256::digest_size &&
                     blob.digest.starts_with(k_sha256);
        for (std::size_t i = k_sha256.size(); sound && i < blob.digest.size(); ++i)
            sound = (blob.digest[i] >= '0' && blob.digest[i] <= '9') ||
                    (blob.digest[i] >= 'a' && blob.digest[i] <= 'f');
        if (!sound) return wrong("digest", "sha256: with 64 digits");
        json const* const size = find("size");
        if (size == nullptr || !size->is_number_integer() ||
            (!size->is_number_unsigned() && size->get<std::int64_t>() < 0))
            return wrong("size", "a number of bytes");
        blob.size = size->get<std::uint64_t>();
        return blob;
    }
};

Result<json> parsed(Result<std::string> const& text, std::string const& where) {
    if (!text) return tl::unexpected<Error>(text.error());
    return parse_json(*text, where);
}

std::string hex_of(Sha256& hash) {
    char text[2 * Sha256::digest_size + 1];
    hash.finish_hex(text);
    return text;
}

tl::unexpected<Error> not_the_digest(std::string const& file) {
    return error("image(" + file + ")", "its contents are not what its digest says",
                 "the layout copied once more from where it came");
}

/// "name" of an entry of an index, or nothing.
Result<std::string> name_of_image(Part const& entry) {
    json const* const annotations = entry.find("annotations");
    if (annotations == nullptr) return std::string();
    return Part{*annotations, entry.where}.text(k_name_annotation);
}

/// Whether it is for this machine; one that does not say is taken for it.
Result<bool> is_for_us(Part const& entry) {
    json const* const found = entry.find("platform");
    if (found == nullptr) return true;
    Part const platform{*found, entry.where + ": platform"};
    return TRY(platform.text("os")) == "linux" && TRY(platform.text("architecture")) == "amd64";
}

Result<Part> choose(std::vector<Part> const& entries, std::string const& reference,
                    std::string const& path) {
    std::string names;
    std::vector<Part const*> fitting;
    for (Part const& entry : entries) {
        std::string const name = TRY(name_of_image(entry));
        if (!name.empty()) names += (names.empty() ? "" : ", ") + printable(name);
        bool const is_meant = reference.empty()
                                  ? TRY(is_for_us(entry))
                                  : name == reference || TRY(entry.text("digest")) == reference;
        if (is_meant) fitting.push_back(&entry);
    }
    if (fitting.size() == 1) return *fitting.front();
    std::string const what = reference.empty() ? "" : " '" + printable(reference) + "'";
    return error("image(" + path + ")",
                 fitting.empty() ? "there is no image" + what + " in it for linux/amd64"
                                 : "there are several images" + what + " in it",
                 names.empty() ? "DIR:sha256:..., one of the digests in its index.json"
                               : "DIR:NAME with one of: " + names);
}

Result<void> read_config(Part const& config, Image& image) {
    std::string const os = TRY(config.text("os"));
    std::string const architecture = TRY(config.text("architecture"));
    if (os != "linux" || architecture != "amd64")
        return error(config.where,
                     fmt::format("the image is for {}/{}", printable(os), printable(architecture)),
                     "one for linux/amd64");
    if (config.find("config") == nullptr) return {};
    Part const process = TRY(config.object("config"));
    image.environment = TRY(process.texts("Env"));
    image.entrypoint = TRY(process.texts("Entrypoint"));
    image.command = TRY(process.texts("Cmd"));
    image.directory = TRY(process.text("WorkingDir"));
    image.user = TRY(process.text("User"));
    for (std::string const& variable : image.environment)
        if (variable.find('=') == std::string::npos || variable.front() == '=')
            return process.wrong("Env", "a list of NAME=VALUE");
    return {};
}

} // namespace

tl::unexpected<Error> stopped_error() {
    return tl::unexpected<Error>(
        Error{"unpack", "it was asked to stop", {}, EINTR, exit_code::engine_failed});
}

ArchiveReader::Source read_from(int fd, std::function<bool()> const& stopped) {
    return [fd, stopped](std::span<char> chunk) -> Result<std::size_t> {
        if (stopped && stopped()) return stopped_error();
        for (;;) {
            ssize_t const n = ::read(fd, chunk.data(), chunk.size());
            if (n >= 0) return static_cast<std::size_t>(n);
            if (errno != EINTR) return sys_error("read");
        }
    };
}

Result<Layout> Layout::open(std::string const& path) {
    Layout layout(path, TRY(Fd::open(path, O_PATH | O_DIRECTORY)));
    Fd const file = TRY(layout.open_file("oci-layout"));
    json const about = TRY(parsed(read_all(file.get(), k_max_json_bytes), path + "/oci-layout"));
    std::string const version = TRY(Part{about, path + "/oci-layout"}.text("imageLayoutVersion"));
    if (!version.starts_with("1."))
        return error(path + "/oci-layout", "its imageLayoutVersion is '" + printable(version) + "'",
                     "a layout of version 1.0.0");
    return layout;
}

/// A file of the layout, which may be anybody's: it is looked for in the layout only, and neither
/// a pipe nor a device is waited for.
Result<Fd> Layout::open_file(std::string const& name) const {
    open_how how{};
    how.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    Fd file(
        static_cast<int>(::syscall(SYS_openat2, directory_.get(), name.c_str(), &how, sizeof how)));
    std::string const op = "open(" + path_ + "/" + name + ")";
    if (!file) return sys_error(op, "a complete OCI image layout");
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) return sys_error(op);
    if (!S_ISREG(info.st_mode)) return error(op, "it is no file", "a complete OCI image layout");
    return file;
}

Result<std::string> Layout::read_blob(Blob const& blob) const {
    std::string const name = "blobs/sha256/" + blob.digest.substr(7);
    Fd const file = TRY(open_file(name));
    std::string text = TRY(read_all(file.get(), k_max_json_bytes));
    Sha256 hash;
    hash.update(text.data(), text.size());
    if (text.size() != blob.size || "sha256:" + hex_of(hash) != blob.digest)
        return not_the_digest(path_ + "/" + name);
    return text;
}

Result<Image> Layout::read(std::string const& reference) const {
    std::string where = path_ + "/index.json";
    Fd const file = TRY(open_file("index.json"));
    json index = TRY(parsed(read_all(file.get(), k_max_json_bytes), where));
    Image image;
    std::string wanted = reference;
    for (int depth = 0;; ++depth) {
        if (depth == k_most_indexes) return error(where, "too many indexes in each other");
        std::vector<Part> const entries = TRY((Part{index, where}.objects("manifests")));
        Part const entry = TRY(choose(entries, wanted, path_));
        image.manifest = TRY(entry.blob());
        std::string const type = TRY(entry.text("mediaType"));
        if (depth == 0) image.reference = TRY(name_of_image(entry));
        if (is_one_of(type, k_manifests)) break;
        if (!is_one_of(type, k_indexes))
            return error(entry.where, "isolate does not read a " + printable(type),
                         "an image manifest of OCI's or Docker's");
        where = path_ + ": " + image.manifest.digest;
        json below = TRY(parsed(read_blob(image.manifest), where));
        index = std::move(below);
        wanted.clear();
    }

    where = path_ + ": " + image.manifest.digest;
    json const manifest = TRY(parsed(read_blob(image.manifest), where));
    Part const parts{manifest, where};
    for (Part const& layer : TRY(parts.objects("layers"))) {
        std::string const type = TRY(layer.text("mediaType"));
        if (!is_one_of(type, k_layers))
            return error(layer.where, "isolate does not read a " + printable(type),
                         "layers as tar or tar+gzip: skopeo copy --dest-compress-format gzip");
        image.layers.push_back(TRY(layer.blob()));
    }
    if (image.layers.size() > k_most_layers)
        return error(where, fmt::format("it has more than {} layers", k_most_layers));
    Part const config_part = TRY(parts.object("config"));
    Blob const about = TRY(config_part.blob());
    std::string const config_name = path_ + ": " + about.digest;
    json const config = TRY(parsed(read_blob(about), config_name));
    TRY(read_config({config, config_name}, image));
    return image;
}

Result<void> Layout::each_layer(Blob const& layer, std::uint64_t most_bytes,
                                std::function<bool()> const& stopped,
                                std::function<Result<void>(ArchiveReader&)> const& with) const {
    std::string const name = "blobs/sha256/" + layer.digest.substr(7);
    Fd const file = TRY(open_file(name));
    Sha256 hash;
    std::uint64_t length = 0;
    auto const plain = read_from(file.get(), stopped);
    auto const hashed = [&](std::span<char> chunk) -> Result<std::size_t> {
        std::size_t const n = TRY(plain(chunk));
        hash.update(chunk.data(), n);
        length += n;
        if (length > layer.size) return not_the_digest(path_ + "/" + name);
        return n;
    };
    auto const unpack = [&]() -> Result<void> {
        ArchiveReader archive = TRY(ArchiveReader::open(hashed, path_ + "/" + name, most_bytes));
        return with(archive);
    };
    auto const done = unpack();
    if (!done && done.error().code == EINTR) return done;
    // An archive may end before its file does. And if it is damaged, the digest says so better.
    std::vector<char> rest(65536);
    while (TRY(hashed(rest)) != 0) {
    }
    if (length != layer.size || "sha256:" + hex_of(hash) != layer.digest)
        return not_the_digest(path_ + "/" + name);
    return done;
}

} // namespace iso::jail
