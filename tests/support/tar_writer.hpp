#pragma once

#include "common/sha256.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>
#include <zlib.h>

namespace iso::test {

/// One header of a tar archive, with whatever in it: hostile ones, too.
struct TarEntry {
    std::string name;
    char type = '0'; ///< 0 file, 1 hard link, 2 symbolic link, 3 and 4 device, 5 directory, 6 fifo
    std::string contents;
    std::string target;
    unsigned mode = 0644;
    unsigned uid = 0, gid = 0;
    std::uint64_t modified = 1'600'000'000;
    std::string size_field; ///< in place of the octal length of `contents`
};

/// Writes tar archives byte by byte (POSIX.1-2017, pax, "ustar Interchange Format").
class TarWriter {
public:
    TarWriter& add(TarEntry const& entry) {
        if (entry.name.size() > 100 || entry.target.size() > 100) {
            std::string records;
            if (entry.name.size() > 100) records += pax_record("path", entry.name);
            if (entry.target.size() > 100) records += pax_record("linkpath", entry.target);
            pax(records);
        }
        std::string header(512, '\0');
        auto put = [&](std::size_t at, std::string const& text, std::size_t room) {
            std::copy_n(text.begin(), std::min(text.size(), room),
                        header.begin() + static_cast<std::ptrdiff_t>(at));
        };
        put(0, entry.name, 100);
        put(100, octal(entry.mode, 7), 8);
        put(108, octal(entry.uid, 7), 8);
        put(116, octal(entry.gid, 7), 8);
        put(124, entry.size_field.empty() ? octal(entry.contents.size(), 11) : entry.size_field,
            12);
        put(136, octal(entry.modified, 11), 12);
        put(148, "        ", 8);
        header[156] = entry.type;
        put(157, entry.target, 100);
        put(257, std::string("ustar\00000", 8), 8);
        put(329, octal(1, 7), 8);
        put(337, octal(3, 7), 8);
        unsigned sum = 0;
        for (char const c : header)
            sum += static_cast<unsigned char>(c);
        put(148, octal(sum, 6) + std::string("\0 ", 2), 8);
        text_ += header + entry.contents;
        text_.resize((text_.size() + 511) / 512 * 512);
        return *this;
    }
    TarWriter& file(std::string const& name, std::string const& contents, unsigned mode = 0644) {
        return add(
            {.name = name, .contents = contents, .target = {}, .mode = mode, .size_field = {}});
    }
    TarWriter& directory(std::string const& name, unsigned mode = 0755) {
        return add({.name = name,
                    .type = '5',
                    .contents = {},
                    .target = {},
                    .mode = mode,
                    .size_field = {}});
    }
    TarWriter& link(std::string const& name, std::string const& target, char type = '2') {
        return add({.name = name,
                    .type = type,
                    .contents = {},
                    .target = target,
                    .mode = 0777,
                    .size_field = {}});
    }
    TarWriter& pax(std::string const& records) {
        return add({.name = "PaxHeaders/x",
                    .type = 'x',
                    .contents = records,
                    .target = {},
                    .size_field = {}});
    }
    /// "27 path=some/name\n", where 27 is the length of all that.
    static std::string pax_record(std::string const& key, std::string const& value) {
        std::size_t length = key.size() + value.size() + 3;
        while (std::to_string(length).size() + key.size() + value.size() + 3 != length)
            length = std::to_string(length).size() + key.size() + value.size() + 3;
        return std::to_string(length) + " " + key + "=" + value + "\n";
    }
    /// With the two blocks of zeros that end an archive.
    [[nodiscard]] std::string text() const { return text_ + std::string(1024, '\0'); }

private:
    static std::string octal(std::uint64_t value, int digits) {
        char text[32];
        std::snprintf(text, sizeof text, "%0*llo", digits, static_cast<unsigned long long>(value));
        return text;
    }
    std::string text_;
};

inline std::string gzip(std::string const& plain) {
    z_stream stream{};
    if (::deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return {};
    std::string packed(::deflateBound(&stream, plain.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
    stream.avail_in = static_cast<uInt>(plain.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    ::deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    ::deflateEnd(&stream);
    return packed;
}

inline std::string sha256_digest(std::string const& text) {
    Sha256 hash;
    hash.update(text.data(), text.size());
    char hex[2 * Sha256::digest_size + 1];
    hash.finish_hex(hex);
    return std::string("sha256:") + hex;
}

/// The files of an OCI image layout, by name; a test writes them out, changed or not.
class LayoutWriter {
public:
    using Files = std::vector<std::pair<std::string, std::string>>;

    LayoutWriter& layer(std::string const& tar, bool packed = true) {
        std::string const blob = packed ? gzip(tar) : tar;
        std::string const type = "application/vnd.oci.image.layer.v1.tar";
        layers_ += (layers_.empty() ? "" : ",") + descriptor(type + (packed ? "+gzip" : ""), blob);
        return *this;
    }
    /// `process`: the inside of "config". Makes an image of the layers so far.
    LayoutWriter& image(std::string const& name, std::string const& process = {},
                        std::string const& architecture = "amd64") {
        std::string const config = descriptor("application/vnd.oci.image.config.v1+json",
                                              R"({"architecture":")" + architecture +
                                                  R"(","os":"linux","config":{)" + process + "}}");
        std::string const manifest =
            R"({"schemaVersion":2,"config":)" + config + R"(,"layers":[)" + layers_ + "]}";
        std::string entry = descriptor("application/vnd.oci.image.manifest.v1+json", manifest);
        if (!name.empty())
            entry.insert(entry.size() - 1,
                         R"(,"annotations":{"org.opencontainers.image.ref.name":")" + name + "\"}");
        images_ += (images_.empty() ? "" : ",") + entry;
        layers_.clear();
        return *this;
    }
    [[nodiscard]] Files files() const {
        Files all = blobs_;
        all.emplace_back("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
        all.emplace_back("index.json", R"({"schemaVersion":2,"manifests":[)" + images_ + "]}");
        return all;
    }

private:
    std::string descriptor(std::string const& type, std::string const& blob) {
        std::string const digest = sha256_digest(blob);
        blobs_.emplace_back("blobs/sha256/" + digest.substr(7), blob);
        return R"({"mediaType":")" + type + R"(","digest":")" + digest + R"(","size":)" +
               std::to_string(blob.size()) + "}";
    }
    Files blobs_;
    std::string layers_, images_;
};

} // namespace iso::test
