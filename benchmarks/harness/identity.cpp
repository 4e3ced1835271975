#include "benchmarks/harness/identity.hpp"

#include "common/elf.hpp"
#include "common/fd.hpp"
#include "common/file_sha256.hpp"

#include <span>

namespace iso::bench {

Result<FileIdentity> identify(std::string const& path) {
    std::string const bytes = TRY(read_file(path, std::size_t{1} << 30U));
    auto const image = std::as_bytes(std::span(bytes.data(), bytes.size()));
    ElfImage const elf = TRY(ElfImage::parse(image, path));
    return FileIdentity{TRY(file_sha256(path)), elf.mapped_sha256(image)};
}

} // namespace iso::bench
