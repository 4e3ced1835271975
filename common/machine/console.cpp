#include "common/machine/console.hpp"

#include "common/abi/guest_abi.h"
#include "common/clock.hpp"
#include "common/machine/stop.hpp"

#include <cerrno>
#include <cstddef>
#include <poll.h>
#include <unistd.h>

namespace iso {

static_assert(offsetof(iso_console, data) + ISO_CONSOLE_DATA_BYTES <= ISO_CONSOLE_BYTES);

namespace {

/// How long a reader that is slow may hold up the end of the engine.
constexpr std::uint64_t k_last_words_ns = 200'000'000;

} // namespace

std::int64_t write_parts(int fd, std::span<iovec> parts, bool last_words) {
    std::int64_t written = 0;
    std::uint64_t const deadline = last_words ? monotonic_ns() + k_last_words_ns : 0;
    auto const give_up = [&] { return last_words ? monotonic_ns() > deadline : stopping(); };
    while (true) {
        while (!parts.empty() && parts.front().iov_len == 0)
            parts = parts.subspan(1);
        if (parts.empty()) return written;
        if (give_up()) return written != 0 ? written : -EINTR;
        ssize_t const n = ::writev(fd, parts.data(), static_cast<int>(parts.size()));
        if (n < 0) {
            int const code = errno;
            if (code == EINTR) continue;
            if (code == EAGAIN) {
                pollfd ready{fd, POLLOUT, 0};
                ::poll(&ready, 1, last_words ? 10 : -1);
                continue;
            }
            return written != 0 ? written : -code;
        }
        written += n;
        auto rest = static_cast<std::size_t>(n);
        while (rest != 0) {
            iovec& part = parts.front();
            std::size_t const done = rest < part.iov_len ? rest : part.iov_len;
            part.iov_base = static_cast<std::byte*>(part.iov_base) + done;
            part.iov_len -= done;
            rest -= done;
            if (part.iov_len == 0) parts = parts.subspan(1);
        }
    }
}

std::int64_t Console::drain(bool last_words) {
    constexpr GuestPhys ring{ISO_CONSOLE_GPA};
    constexpr std::uint32_t size = ISO_CONSOLE_DATA_BYTES;
    struct Indices { // the part before the data, fetched once
        std::uint32_t head, tail, descriptor;
    };
    static_assert(offsetof(iso_console, tail) == 4 && offsetof(iso_console, descriptor) == 8);
    auto const indices = memory_.fetch<Indices>(ring);
    auto const data = memory_.at({ring.value + offsetof(iso_console, data)}, size, Access::read);
    if (!indices || !data) return -EFAULT;

    std::uint32_t const waiting = indices->tail - head_; // both wrap at 2^32, on purpose
    if (waiting == 0) return 0;
    if (waiting > size) return -EINVAL;
    std::uint32_t const start = head_ % size;
    std::uint32_t const first = waiting < size - start ? waiting : size - start;
    iovec parts[2] = {{data->data() + start, first}, {data->data(), waiting - first}};
    bool const known = indices->descriptor == 1 || indices->descriptor == 2;
    std::int64_t const result =
        known ? write_parts(static_cast<int>(indices->descriptor), parts, last_words) : -EBADF;
    head_ = indices->tail;
    (void)memory_.store(ring, head_);
    return result < 0 ? result : 0;
}

} // namespace iso
