// Pipes that nobody sleeps on: what goes in comes out, and the ends say what is going on. (That
// readers and writers wait for each other is seen where there are processes.)
#include "guest/kernel/pipe.hpp"
#include "guest/kernel/poll.hpp"
#include "guest/kernel/process.hpp"
#include "guest/tests/unit/tree.hpp"
#include "tests/support/catch.hpp"

#include <deque>
#include <fcntl.h>
#include <random>

using namespace iso::guest;

namespace {

constexpr UserAddr k_buffer = 0x70000000;
constexpr u64 k_bytes = 1 << 20;

// Memory of the program that the ends read into and write from.
void need_memory() {
    static bool ready = false;
    if (ready) return;
    ready = true;
    test::boot();
    AddressSpace& space = current().memory();
    space.table.root = frames.take_zeroed(1).first;
    Vma area;
    area.start = k_buffer;
    area.end = k_buffer + k_bytes;
    area.protection = k_prot_read | k_prot_write;
    REQUIRE(space.add(area) == 0);
}

u8& byte_at(UserAddr address) {
    AddressSpace& space = current().memory();
    if (space.table.entry(address) == 0)
        REQUIRE(space.fault(address, Access::write) == FaultResult::served);
    return *linear<u8>(pte_frame(space.table.entry(address)) + address % k_page);
}

struct Ends {
    OpenFile* reader = nullptr;
    OpenFile* writer = nullptr;
    Ends() {
        need_memory();
        REQUIRE(make_pipe(reader, writer, O_NONBLOCK) == 0);
    }
    Result read(UserAddr to, u64 bytes) const {
        return reader->operations->read(*reader, to, bytes, 0);
    }
    Result write(UserAddr from, u64 bytes) const {
        return writer->operations->write(*writer, from, bytes, 0);
    }
    u32 ready(OpenFile* end) const {
        Poller nobody(nullptr, nullptr, 0);
        return poll_file(*end, nobody);
    }
};

} // namespace

TEST_CASE("a pipe is a queue of bytes") {
    Ends const pipe;
    std::deque<u8> model;
    std::mt19937 random(9);
    for (int step = 0; step < 3000; ++step) {
        u64 const bytes = 1 + random() % (random() % 4 == 0 ? 20000 : 300);
        u64 const offset = random() % 5000;
        if (random() % 2 == 0) {
            for (u64 i = 0; i < bytes; ++i)
                byte_at(k_buffer + offset + i) = static_cast<u8>(random());
            Result const result = pipe.write(k_buffer + offset, bytes);
            if (result < 0) {
                REQUIRE(result == -EAGAIN);
                REQUIRE(65536 - model.size() < (bytes <= 4096 ? bytes : 1));
                continue;
            }
            // Small writes are all or nothing.
            REQUIRE(static_cast<u64>(result) == smaller<u64>(bytes, 65536 - model.size()));
            for (u64 i = 0; i < static_cast<u64>(result); ++i)
                model.push_back(byte_at(k_buffer + offset + i));
        } else {
            Result const result = pipe.read(k_buffer + offset, bytes);
            if (model.empty()) {
                REQUIRE(result == -EAGAIN);
                continue;
            }
            REQUIRE(static_cast<u64>(result) == smaller<u64>(bytes, model.size()));
            for (u64 i = 0; i < static_cast<u64>(result); ++i) {
                REQUIRE(byte_at(k_buffer + offset + i) == model.front());
                model.pop_front();
            }
        }
    }
    drop_file(pipe.reader);
    drop_file(pipe.writer);
}

TEST_CASE("the ends of a pipe say what can be done, and that the other is gone") {
    Ends const pipe;
    CHECK(pipe.ready(pipe.reader) == 0);
    CHECK(pipe.ready(pipe.writer) == k_poll_out);
    REQUIRE(pipe.write(k_buffer, 5) == 5);
    CHECK(pipe.ready(pipe.reader) == k_poll_in);
    SECTION("the writer goes: what is there can be read, then it ends") {
        drop_file(pipe.writer);
        CHECK(pipe.ready(pipe.reader) == (k_poll_in | k_poll_hangup));
        CHECK(pipe.read(k_buffer, 100) == 5);
        CHECK(pipe.read(k_buffer, 100) == 0);
        drop_file(pipe.reader);
    }
    SECTION("the reader goes: nothing can be written") {
        drop_file(pipe.reader);
        CHECK(pipe.ready(pipe.writer) == (k_poll_out | k_poll_error));
        CHECK(pipe.write(k_buffer, 1) == -EPIPE);
        drop_file(pipe.writer);
    }
}

TEST_CASE("bad memory ends a transfer where it begins to be bad") {
    Ends const pipe;
    UserAddr const edge = k_buffer + k_bytes - 10;
    CHECK(pipe.write(edge, 100) == 10);
    CHECK(pipe.write(k_buffer + k_bytes, 100) == -EFAULT);
    CHECK(pipe.read(edge + 6, 100) == 4);
    CHECK(pipe.read(0, 100) == -EFAULT);
    CHECK(pipe.read(k_buffer, 100) == 6);
    drop_file(pipe.reader);
    drop_file(pipe.writer);
}

TEST_CASE("a pipe gives its frames back") {
    (void)Ends(); // pools take their frames once
    u64 const before = frames.used();
    Ends const pipe;
    REQUIRE(pipe.write(k_buffer, 65536) == 65536);
    CHECK(frames.used() >= before + 16);
    drop_file(pipe.writer);
    drop_file(pipe.reader);
    CHECK(frames.used() <= before + 16); // the program's own pages
    u64 const again = frames.used();
    Ends const second;
    REQUIRE(second.write(k_buffer, 65536) == 65536);
    drop_file(second.reader);
    drop_file(second.writer);
    CHECK(frames.used() == again);
}
