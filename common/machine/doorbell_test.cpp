#include "common/fd.hpp"
#include "common/machine/doorbell.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <random>
#include <unistd.h>

#include <sys/mman.h>

using namespace iso;

namespace {

constexpr std::uint64_t k_ram = 4 * k_large_page;
constexpr std::uint64_t k_modules = k_large_page;

/// Stands in for a guest: fills the page, rings, reads the answer. Descriptors 1 and 2 are a file
/// while it lives, descriptor 0 is /dev/null.
struct Guest {
    GuestMemory memory = std::move(*GuestMemory::create(k_ram, k_modules));
    Doorbell doorbell{memory, false};
    iso_doorbell request{};
    int out = ::memfd_create("out", MFD_CLOEXEC);
    int saved[3] = {::dup(0), ::dup(1), ::dup(2)};

    Guest() {
        iso::Fd const null = *iso::Fd::open("/dev/null", O_RDONLY);
        ::dup2(null.get(), 0);
        ::dup2(out, 1);
        ::dup2(out, 2);
    }
    ~Guest() { restore(); }
    Guest(Guest const&) = delete;
    Guest& operator=(Guest const&) = delete;

    std::int64_t ring(std::uint32_t operation) {
        request.operation = operation;
        return ring_as_is(operation);
    }
    std::int64_t ring_as_is(std::uint32_t value) {
        REQUIRE(memory.store({ISO_DOORBELL_GPA}, request));
        doorbell.ring(value);
        return memory.fetch<iso_doorbell>({ISO_DOORBELL_GPA})->result;
    }
    void range(std::uint64_t gpa, std::uint64_t bytes) {
        request.ranges[request.range_count++] = {gpa, bytes};
    }
    void put(std::uint64_t gpa, std::string const& text) {
        std::memcpy(memory.at({gpa}, text.size(), Access::write)->data(), text.data(), text.size());
    }
    void restore() { // before Catch prints anything
        for (int fd = 0; fd < 3; ++fd)
            if (saved[fd] >= 0) {
                ::dup2(saved[fd], fd);
                ::close(std::exchange(saved[fd], -1));
            }
    }
    std::string written() {
        restore();
        std::string text(static_cast<std::size_t>(::lseek(out, 0, SEEK_END)), '\0');
        (void)!::pread(out, text.data(), text.size(), 0);
        return text;
    }
    iso_console* ring_page() {
        return reinterpret_cast<iso_console*>(
            memory.at({ISO_CONSOLE_GPA}, sizeof(iso_console), Access::write)->data());
    }
};

} // namespace

TEST_CASE(
    "doorbell: console bytes come out in order, over the end of the ring, before a large write") {
    Guest guest;
    iso_console& ring = *guest.ring_page();
    ring.descriptor = 1;
    std::string expected;
    std::int64_t failures = 0;
    for (int round = 0; round < 10; ++round) { // more than the ring holds
        for (int i = 0; i < 9000; ++i) {
            char const c = static_cast<char>('a' + (round + i) % 26);
            ring.data[ring.tail++ % ISO_CONSOLE_DATA_BYTES] = static_cast<std::uint8_t>(c);
            expected += c;
        }
        failures += guest.ring(ISO_OP_FLUSH) != 0;
    }
    ring.data[ring.tail++ % ISO_CONSOLE_DATA_BYTES] = '<';
    guest.put(0x300000, "large");
    guest.put(0x310000, "write");
    guest.request.argument[0] = 1;
    guest.range(0x300000, 5);
    guest.range(0x310000, 5);
    std::int64_t const result = guest.ring(ISO_OP_WRITE);
    std::uint32_t const head = ring.head, tail = ring.tail;
    CHECK(guest.written() == expected + "<largewrite");
    CHECK(failures == 0);
    CHECK(result == 10);
    CHECK(head == tail);
}

TEST_CASE("doorbell: a guest's ring indices are its own problem") {
    Guest guest;
    iso_console& ring = *guest.ring_page();
    ring.descriptor = 1;
    ring.tail = ISO_CONSOLE_DATA_BYTES + 1;
    std::int64_t const too_much = guest.ring(ISO_OP_FLUSH);
    ring.tail = 0xffffffff;
    std::int64_t const wild = guest.ring(ISO_OP_FLUSH);
    ring.head = 12345; // ours is what counts
    ring.tail = 3;
    std::int64_t const fine = guest.ring(ISO_OP_FLUSH);
    ring.tail = 5;
    ring.descriptor = 7;
    std::int64_t const descriptor = guest.ring(ISO_OP_FLUSH);
    CHECK(guest.written().size() == 3);
    CHECK(too_much == -EINVAL);
    CHECK(wild == -EINVAL);
    CHECK(fine == 0);
    CHECK(descriptor == -EBADF);
}

TEST_CASE("doorbell: ranges outside of memory fail with EFAULT and touch nothing") {
    std::uint64_t const max = ~std::uint64_t{0};
    iso_range const bad[] = {
        {k_ram + k_modules, 1}, {k_ram - 1, 2}, {max, 2}, {0x1000, max}, {max - 4, 8}};
    for (iso_range const& range : bad) {
        Guest guest;
        guest.request.argument[0] = 1;
        guest.range(0x300000, 16); // a good one before it
        guest.range(range.gpa, range.bytes);
        std::int64_t const results[] = {guest.ring(ISO_OP_WRITE), guest.ring(ISO_OP_READ),
                                        guest.ring(ISO_OP_ZERO), guest.ring(ISO_OP_RANDOM),
                                        guest.ring(ISO_OP_POPULATE)};
        CHECK(guest.written().empty());
        for (std::int64_t const result : results)
            CHECK(result == -EFAULT);
    }
}

TEST_CASE("doorbell: modules can be read and never written") {
    Guest guest;
    guest.request.argument[0] = 1;
    guest.memory.modules()[0] = std::byte{'m'};
    guest.range(k_ram, 1);
    std::int64_t const write = guest.ring(ISO_OP_WRITE);
    std::int64_t const read = guest.ring(ISO_OP_READ);
    std::int64_t const zero = guest.ring(ISO_OP_ZERO);
    guest.request.range_count = 0;
    guest.range(0x300000, 1);
    guest.range(k_ram, 1);
    std::int64_t const into = guest.ring(ISO_OP_COPY);
    guest.request.range_count = 0;
    guest.range(k_ram, 1);
    guest.range(0x300000, 1);
    std::int64_t const from = guest.ring(ISO_OP_COPY);
    CHECK(guest.written() == "m");
    CHECK(write == 1);
    CHECK(read == -EFAULT);
    CHECK(zero == -EFAULT);
    CHECK(into == -EFAULT);
    CHECK(from == 0);
    CHECK(guest.memory.ram()[0x300000] == std::byte{'m'});
}

TEST_CASE("doorbell: requests that contradict themselves") {
    Guest guest;
    auto const with_ranges = [&](std::uint32_t count, std::uint32_t operation) {
        guest.request.range_count = count;
        return guest.ring(operation);
    };
    std::int64_t const many = with_ranges(ISO_DOORBELL_RANGES + 1, ISO_OP_WRITE);
    std::int64_t const odd = with_ranges(1, ISO_OP_COPY);
    std::int64_t const unknown = with_ranges(0, 4711);
    guest.request.operation = ISO_OP_FLUSH;
    std::int64_t const mismatch = guest.ring_as_is(ISO_OP_WRITE);
    guest.request.argument[0] = 0;
    std::int64_t const descriptor = with_ranges(0, ISO_OP_WRITE);
    guest.request.ranges[0] = {0x300000, 4096};
    guest.request.ranges[1] = {0x300800, 4096};
    std::int64_t const overlapping = with_ranges(2, ISO_OP_COPY);
    guest.request.ranges[1] = {0x310000, 4095};
    std::int64_t const lengths = with_ranges(2, ISO_OP_COPY);
    guest.restore();
    CHECK(many == -EINVAL);
    CHECK(odd == -EINVAL);
    CHECK(unknown == -ENOSYS);
    CHECK(mismatch == -EINVAL);
    CHECK(descriptor == -EBADF);
    CHECK(overlapping == -EINVAL);
    CHECK(lengths == -EINVAL);
    CHECK_FALSE(guest.doorbell.end());
}

TEST_CASE("doorbell: every operation that has a name is served") {
    for (std::uint32_t operation = 1; operation < k_operations; ++operation) {
        Guest guest;
        guest.doorbell.set_timer_device([](std::uint64_t) { return std::int64_t{0}; });
        std::int64_t const result = guest.ring(operation);
        bool const named = Doorbell::name(operation) != nullptr;
        guest.restore();
        INFO(operation);
        CHECK(named);
        CHECK(result != -ENOSYS);
    }
}

TEST_CASE("doorbell: reading and sleeping look at stdin without waiting for it") {
    Guest guest;
    auto pipe = iso::Pipe::create();
    REQUIRE(pipe);
    ::dup2(pipe->read.get(), 0);
    std::uint64_t const long_past = 1, never = ~std::uint64_t{0};
    guest.range(0x300000, 16);
    guest.request.argument[0] = 1;
    std::int64_t const nothing = guest.ring(ISO_OP_READ);
    guest.request.argument[0] = long_past;
    guest.request.argument[1] = 1;
    std::int64_t const late = guest.ring(ISO_OP_SLEEP);
    (void)!::write(pipe->write.get(), "abc", 3);
    guest.request.argument[0] = never;
    std::int64_t const ready = guest.ring(ISO_OP_SLEEP);
    guest.request.argument[0] = long_past;
    std::int64_t const both = guest.ring(ISO_OP_SLEEP);
    guest.request.argument[1] = 0;
    std::int64_t const only_time = guest.ring(ISO_OP_SLEEP);
    guest.request.argument[0] = 1;
    std::int64_t const three = guest.ring(ISO_OP_READ);
    pipe->write.reset();
    std::int64_t const end = guest.ring(ISO_OP_READ);
    guest.request.argument[0] = never;
    guest.request.argument[1] = 1;
    std::int64_t const hung_up = guest.ring(ISO_OP_SLEEP);
    ::close(0);
    std::int64_t const closed = guest.ring(ISO_OP_SLEEP);
    guest.restore();
    CHECK(nothing == -EAGAIN);
    CHECK(late == 0);
    CHECK(ready == 1);
    CHECK(both == 1);
    CHECK(only_time == 0);
    CHECK(three == 3);
    CHECK(end == 0);
    CHECK(hung_up == 1);
    CHECK(closed == 1);
}

TEST_CASE("doorbell: a timer is the engine's; without one the guest is told") {
    Guest guest;
    guest.request.argument[0] = 4711;
    std::int64_t const without = guest.ring(ISO_OP_TIMER);
    std::uint64_t asked = 0;
    guest.doorbell.set_timer_device([&](std::uint64_t deadline) {
        asked = deadline;
        return std::int64_t{-EINVAL};
    });
    std::int64_t const with = guest.ring(ISO_OP_TIMER);
    guest.restore();
    CHECK(without == -ENOSYS);
    CHECK(with == -EINVAL);
    CHECK(asked == 4711);
}

TEST_CASE("doorbell: how a guest may end") {
    auto const end = [](std::uint64_t kind, std::uint64_t value) {
        Guest guest;
        guest.request.argument[0] = kind;
        guest.request.argument[1] = value;
        guest.ring(ISO_OP_EXIT);
        guest.restore();
        REQUIRE(guest.doorbell.end());
        return *guest.doorbell.end();
    };
    CHECK(end(0, 255).kind == GuestEnd::Kind::exited);
    CHECK(end(0, 255).value == 255);
    CHECK(end(1, 11).kind == GuestEnd::Kind::signalled);
    CHECK(end(0, 256).kind == GuestEnd::Kind::panicked);
    CHECK(end(1, 0).kind == GuestEnd::Kind::panicked);
    CHECK(end(1, 65).kind == GuestEnd::Kind::panicked);
    CHECK(end(2, 0).kind == GuestEnd::Kind::panicked);
}

TEST_CASE("doorbell: a panic's message is bounded and cannot drive a terminal") {
    Guest guest;
    guest.put(0x300000, std::string("bad\033[2J") + std::string(5000, 'x'));
    guest.range(0x300000, 5007);
    guest.ring(ISO_OP_PANIC);
    guest.restore();
    REQUIRE(guest.doorbell.end());
    std::string const& message = guest.doorbell.end()->message;
    CHECK(message.substr(0, 8) == "bad.[2Jx");
    CHECK(message.size() == 1024);
}

TEST_CASE("doorbell: a write to a reader that has gone comes back as EPIPE") {
    Guest guest;
    auto pipe = iso::Pipe::create();
    REQUIRE(pipe);
    auto const before = std::signal(SIGPIPE, SIG_IGN);
    ::dup2(pipe->write.get(), 1);
    pipe->read.reset();
    guest.request.argument[0] = 1;
    guest.range(0x300000, 10);
    std::int64_t const result = guest.ring(ISO_OP_WRITE);
    guest.restore();
    std::signal(SIGPIPE, before);
    CHECK(result == -EPIPE);
}

TEST_CASE("doorbell: random requests end, and never reach outside of memory") {
    Guest guest;
    std::mt19937_64 random(3);
    std::uint64_t const edges[] = {0, k_ram, k_ram + k_modules, ~std::uint64_t{0}};
    for (int round = 0; round < 20000; ++round) {
        guest.request.range_count =
            static_cast<std::uint32_t>(random() % (ISO_DOORBELL_RANGES + 8));
        for (std::uint32_t i = 0; i < 6; ++i)
            guest.request.ranges[i] = {edges[random() % 4] + random() % 65 - 32,
                                       random() % 3 == 0 ? random() : random() % 64};
        for (std::uint64_t& argument : guest.request.argument)
            argument = random() % 4;
        iso_console& ring = *guest.ring_page();
        ring.tail =
            static_cast<std::uint32_t>(random() % 2 == 0 ? random() : ring.head + random() % 8);
        ring.descriptor = static_cast<std::uint32_t>(random() % 4);
        auto const operation = static_cast<std::uint32_t>(random() % 13);
        guest.ring(operation); // AddressSanitizer and guard pages say the rest
        if (::lseek(guest.out, 0, SEEK_CUR) > (1 << 24)) (void)!::ftruncate(guest.out, 0);
    }
    guest.restore();
    auto const modules = guest.memory.modules();
    CHECK(
        std::all_of(modules.begin(), modules.end(), [](std::byte b) { return b == std::byte{0}; }));
    CHECK(guest.doorbell.counts()[ISO_OP_WRITE] > 0);
}
