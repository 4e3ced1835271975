#include "isolate/image/archive.hpp"

#include <fmt/format.h>

#include <archive.h>
#include <archive_entry.h>
#include <vector>

#include <sys/stat.h>

namespace iso::jail {

namespace {

constexpr std::size_t k_chunk = 65536;

} // namespace

struct ArchiveReader::State {
    struct FreeArchive {
        void operator()(archive* raw) const { ::archive_read_free(raw); }
    };
    std::string shown;
    Source source;
    std::uint64_t most_bytes = 0;
    std::vector<char> chunk = std::vector<char>(k_chunk);
    std::optional<Error> failed; ///< of the source: says more than libarchive can
    std::unique_ptr<archive, FreeArchive> reader;

    Error too_large() const {
        return Error{"unpack(" + shown + ")",
                     fmt::format("it is more than {} bytes uncompressed", most_bytes),
                     "--unpack-limit, if it is to be trusted", 0, exit_code::engine_failed};
    }

    tl::unexpected<Error> failure() const {
        if (failed) return tl::unexpected<Error>(*failed);
        char const* const text = ::archive_error_string(reader.get());
        return error("unpack(" + shown + ")",
                     text != nullptr ? printable(text) : std::string("it is damaged"),
                     "a tar archive, plain or compressed by gzip, that tar -t can read");
    }

    /// archive_read_callback. What is skipped passes here as well, so this is where a small file
    /// that becomes endless is noticed.
    static la_ssize_t give(archive* reader, void* context, void const** buffer) {
        auto& state = *static_cast<State*>(context);
        auto const so_far = ::archive_filter_bytes(reader, 0);
        if (so_far > 0 && static_cast<std::uint64_t>(so_far) > state.most_bytes) {
            state.failed = state.too_large();
            return ARCHIVE_FATAL;
        }
        auto got = state.source(state.chunk);
        if (!got) {
            state.failed = std::move(got.error());
            ::archive_set_error(reader, EIO, "cannot be read");
            return ARCHIVE_FATAL;
        }
        *buffer = state.chunk.data();
        return static_cast<la_ssize_t>(*got);
    }
};

std::string printable(std::string_view name) {
    constexpr std::size_t k_most = 200;
    std::string text(name.substr(0, k_most));
    for (char& c : text)
        if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
    if (name.size() > k_most) text += "...";
    return text;
}

ArchiveReader::ArchiveReader(std::unique_ptr<State> state)
    : state_(std::move(state)) {}
ArchiveReader::ArchiveReader(ArchiveReader&&) noexcept = default;
ArchiveReader& ArchiveReader::operator=(ArchiveReader&&) noexcept = default;
ArchiveReader::~ArchiveReader() = default;

std::string const& ArchiveReader::shown() const {
    return state_->shown;
}

Result<ArchiveReader> ArchiveReader::open(Source source, std::string shown,
                                          std::uint64_t most_bytes) {
    auto state = std::make_unique<State>();
    state->shown = std::move(shown);
    state->source = std::move(source);
    // Headers and padding are no contents: room for them, and for as much again.
    state->most_bytes =
        most_bytes > ~std::uint64_t{0} / 4 ? most_bytes : 2 * most_bytes + (1U << 20U);
    state->reader.reset(::archive_read_new());
    archive* const reader = state->reader.get();
    if (reader == nullptr) return error("archive_read_new", "no memory");
    if (::archive_read_support_format_tar(reader) != ARCHIVE_OK ||
        ::archive_read_support_filter_gzip(reader) != ARCHIVE_OK)
        return state->failure();
    if (::archive_read_open(reader, state.get(), nullptr, State::give, nullptr) != ARCHIVE_OK)
        return state->failure();
    return ArchiveReader(std::move(state));
}

Result<std::optional<ArchiveEntry>> ArchiveReader::next() {
    archive_entry* raw = nullptr;
    int const status = ::archive_read_next_header(state_->reader.get(), &raw);
    if (state_->failed) return state_->failure();
    if (status == ARCHIVE_EOF) return std::optional<ArchiveEntry>();
    // A warning is about a name that is no UTF-8: it is a name all the same.
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return state_->failure();

    ArchiveEntry entry;
    char const* const name = ::archive_entry_pathname(raw);
    if (name == nullptr) return error("unpack(" + shown() + ")", "an entry has no name");
    entry.name = name;
    std::string const op = "unpack(" + shown() + ": " + printable(entry.name) + ")";
    char const* target = ::archive_entry_hardlink(raw);
    if (target != nullptr) {
        entry.kind = ArchiveEntry::Kind::hard_link;
    } else {
        switch (::archive_entry_filetype(raw)) {
        case AE_IFREG:
            entry.kind = ArchiveEntry::Kind::file;
            break;
        case AE_IFDIR:
            entry.kind = ArchiveEntry::Kind::directory;
            break;
        case AE_IFLNK:
            entry.kind = ArchiveEntry::Kind::symbolic_link;
            target = ::archive_entry_symlink(raw);
            if (target == nullptr || *target == '\0') return error(op, "a link that leads nowhere");
            break;
        case AE_IFIFO:
            entry.kind = ArchiveEntry::Kind::fifo;
            break;
        case AE_IFCHR:
        case AE_IFBLK:
            entry.kind = ArchiveEntry::Kind::device;
            break;
        default:
            return error(op, "it is no kind of file that isolate knows");
        }
    }
    if (target != nullptr) entry.target = target;
    auto const size = ::archive_entry_size(raw);
    auto const uid = ::archive_entry_uid(raw);
    auto const gid = ::archive_entry_gid(raw);
    if (size < 0) return error(op, "its size is negative");
    constexpr std::int64_t k_last_id = 0xfffffffe;
    if (uid < 0 || uid > k_last_id || gid < 0 || gid > k_last_id)
        return error(op, fmt::format("its owner {}:{} is no id", uid, gid));
    entry.size = static_cast<std::uint64_t>(size);
    entry.mode = ::archive_entry_perm(raw) & 07777U;
    entry.uid = static_cast<std::uint32_t>(uid);
    entry.gid = static_cast<std::uint32_t>(gid);
    if (::archive_entry_mtime_is_set(raw) != 0) entry.modified = ::archive_entry_mtime(raw);
    return entry;
}

Result<void> ArchiveReader::contents(Take const& take) {
    for (;;) {
        void const* data = nullptr;
        std::size_t size = 0;
        la_int64_t offset = 0;
        int const status = ::archive_read_data_block(state_->reader.get(), &data, &size, &offset);
        if (state_->failed) return state_->failure();
        if (status == ARCHIVE_EOF) return {};
        if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return state_->failure();
        if (offset < 0) return error("unpack(" + shown() + ")", "a piece lies before its file");
        TRY(take({static_cast<char const*>(data), size}, static_cast<std::uint64_t>(offset)));
    }
}

} // namespace iso::jail
