#include "common/file_sha256.hpp"

#include "common/fd.hpp"
#include "common/sha256.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace iso {

// Flat, so that this file's own, optimised code is what runs in every kind of build
// (CMakeLists.txt): isobench hashes its programs, which have a hundred megabytes under the
// sanitizers.
[[gnu::flatten]] Result<std::string> file_sha256(std::string const& path) {
    Fd const fd = TRY(Fd::open(path, O_RDONLY));
    Sha256 hash;
    char chunk[65536];
    for (;;) {
        ssize_t const n = ::read(fd.get(), chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return sys_error("read(" + path + ")");
        if (n == 0) break;
        hash.update(chunk, static_cast<std::size_t>(n));
    }
    char digest[2 * Sha256::digest_size + 1];
    hash.finish_hex(digest);
    return std::string(digest);
}

} // namespace iso
