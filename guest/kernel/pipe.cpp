// Pipes (pipe(7)): a ring of page frames between those who write and those who read.
#include "guest/kernel/pipe.hpp"

#include "guest/kernel/frame.hpp"
#include "guest/kernel/poll.hpp"
#include "guest/kernel/pool.hpp"
#include "guest/kernel/signal.hpp"
#include "guest/kernel/usercopy.hpp"
#include "guest/kernel/vfs.hpp"

#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/fcntl.h>

namespace iso::guest {

namespace {

constexpr u32 k_ring_pages = 16;
constexpr u32 k_ring_bytes = k_ring_pages * k_page;
constexpr u32 k_atomic = 4096; // PIPE_BUF

struct Pipe {
    u32 head = 0; // both only grow, until the pipe is empty
    u32 tail = 0;
    u32 readers = 0;
    u32 writers = 0;
    u32 reader_opens = 0; // of a named pipe: how often somebody came
    u32 writer_opens = 0;
    u64 number = 0;
    WaitQueue readable; // something came, or the last writer went
    WaitQueue writable; // something was taken, or the last reader went
    Gpa frame[k_ring_pages] = {};

    u32 used() const { return tail - head; }
    u32 room() const { return k_ring_bytes - used(); }
};

constinit Pool<Pipe> pipes("pipe");
u64 next_number = 1;

Pipe& pipe_of(OpenFile const& file) {
    return *static_cast<Pipe*>(file.object);
}

// How far the ring goes on in the same frame.
u64 piece_at(u32 position, u64 most) {
    return smaller<u64>(most, k_page - position % k_page);
}
Gpa& frame_at(Pipe& pipe, u32 position) {
    return pipe.frame[position / k_page % k_ring_pages];
}

// Takes what there is, which is something.
Result take(Pipe& pipe, UserAddr to, u64 bytes) {
    u64 done = 0;
    Result result = 0;
    do {
        u64 const length = piece_at(pipe.head, smaller<u64>(bytes - done, pipe.used()));
        result = fill_out(to + done, frame_at(pipe, pipe.head) + pipe.head % k_page, length);
        if (result < 0) break;
        pipe.head += static_cast<u32>(result);
        done += static_cast<u64>(result);
        if (static_cast<u64>(result) < length) break;
    } while (done < bytes && pipe.used() != 0);
    // Starting over keeps little conversations in the first frame.
    if (pipe.used() == 0) pipe.head = pipe.tail = 0;
    pipe.writable.wake_all();
    return done != 0 ? static_cast<Result>(done) : result;
}

Result read(OpenFile& file, UserAddr to, u64 bytes, u64) {
    if (bytes == 0) return 0;
    Pipe& pipe = pipe_of(file);
    if (pipe.used() != 0) return take(pipe, to, bytes);
    HeldFile const held(file);
    while (pipe.used() == 0) {
        if (pipe.writers == 0) return 0;
        if ((file.flags & O_NONBLOCK) != 0) return -EAGAIN;
        if (block(pipe.readable) == Woken::signal) return -k_restart;
    }
    return take(pipe, to, bytes);
}

// Puts what there is room for; bytes, or an error when it is none at all.
Result put(Pipe& pipe, UserAddr from, u64 bytes) {
    u64 done = 0;
    while (done < bytes && pipe.room() != 0) {
        u64 const length = piece_at(pipe.tail, smaller<u64>(bytes - done, pipe.room()));
        Gpa& frame = frame_at(pipe, pipe.tail);
        if (frame == 0) frame = frames.take(1).first;
        if (frame == 0) return done != 0 ? static_cast<Result>(done) : -ENOMEM;
        Result const result = fetch_in(frame + pipe.tail % k_page, from + done, length);
        if (result < 0) return done != 0 ? static_cast<Result>(done) : result;
        pipe.tail += static_cast<u32>(result);
        done += static_cast<u64>(result);
        if (static_cast<u64>(result) < length) break;
    }
    return static_cast<Result>(done);
}

// For writes that have to wait, or may have to.
Result write_slowly(OpenFile& file, UserAddr from, u64 bytes) {
    Pipe& pipe = pipe_of(file);
    u64 const needed = bytes <= k_atomic ? bytes : 1; // all of a small write at once
    HeldFile const held(file);
    u64 done = 0;
    do {
        Result result = 0;
        if (pipe.readers == 0) {
            result = -EPIPE;
        } else if (pipe.room() < needed) {
            if ((file.flags & O_NONBLOCK) != 0)
                result = -EAGAIN;
            else if (block(pipe.writable) == Woken::signal)
                result = -k_restart;
            else
                continue;
        } else {
            result = put(pipe, from + done, bytes - done);
        }
        // The reader is gone: whoever writes is told so even if a part went through.
        if (result == -EPIPE && done != 0) raise_signal(SIGPIPE);
        if (result < 0) return done != 0 ? static_cast<Result>(done) : result;
        pipe.readable.wake_all();
        done += static_cast<u64>(result);
    } while (done < bytes);
    return static_cast<Result>(done);
}

Result write(OpenFile& file, UserAddr from, u64 bytes, u64) {
    Pipe& pipe = pipe_of(file);
    if (bytes == 0) return 0;
    if (pipe.readers == 0 || pipe.room() < bytes) return write_slowly(file, from, bytes);
    Result const result = put(pipe, from, bytes);
    pipe.readable.wake_all();
    return result;
}

u32 poll_reader(OpenFile& file, Poller& poller) {
    Pipe& pipe = pipe_of(file);
    poller.wait_on(file, pipe.readable);
    return (pipe.used() != 0 ? k_poll_in : 0) | (pipe.writers == 0 ? k_poll_hangup : 0);
}

u32 poll_writer(OpenFile& file, Poller& poller) {
    Pipe& pipe = pipe_of(file);
    poller.wait_on(file, pipe.writable);
    return (pipe.room() >= k_atomic ? k_poll_out : 0) | (pipe.readers == 0 ? k_poll_error : 0);
}

u32 poll_both(OpenFile& file, Poller& poller) {
    return poll_reader(file, poller) | poll_writer(file, poller);
}

Result control(OpenFile& file, u64 request, u64 argument) {
    if (request != FIONREAD) return -ENOTTY;
    return put_user(argument, static_cast<int>(pipe_of(file).used()));
}

void free_pipe(Pipe& pipe) {
    for (Gpa const frame : pipe.frame)
        if (frame != 0) frames.release(frame, 1);
    pipes.drop(&pipe);
}

void release(OpenFile& file) {
    Pipe& pipe = pipe_of(file);
    u32 const access = file.flags & O_ACCMODE;
    if (access != O_WRONLY && --pipe.readers == 0) pipe.writable.wake_all();
    if (access != O_RDONLY && --pipe.writers == 0) pipe.readable.wake_all();
    if (pipe.readers != 0 || pipe.writers != 0) return;
    if (file.node != nullptr) file.node->object = nullptr;
    free_pipe(pipe);
}

constexpr FileOperations k_reader = {
    .read = read, .poll = poll_reader, .ioctl = control, .release = release};
constexpr FileOperations k_writer = {
    .write = write, .poll = poll_writer, .ioctl = control, .release = release};
constexpr FileOperations k_both = {
    .read = read, .write = write, .poll = poll_both, .ioctl = control, .release = release};

Pipe* make_ring() {
    Pipe* const pipe = pipes.make();
    if (pipe != nullptr) pipe->number = next_number++;
    return pipe;
}

// Waits for the first of the other side, or for one that came and went again.
Result meet(u32 const& others, u32 const& opens, WaitQueue& queue) {
    u32 const before = opens;
    while (others == 0 && opens == before)
        if (block(queue) == Woken::signal) return -k_restart;
    return 0;
}

} // namespace

Result make_pipe(OpenFile*& reader, OpenFile*& writer, u32 flags) {
    Pipe* const pipe = make_ring();
    if (pipe == nullptr) return -ENOMEM;
    pipe->readers = pipe->writers = 1;
    reader = make_nameless(pipe, &k_reader, O_RDONLY | flags);
    writer = make_nameless(pipe, &k_writer, O_WRONLY | flags);
    if (reader != nullptr && writer != nullptr) return 0;
    if (reader != nullptr) {
        pipe->writers = 0;
        drop_file(reader);
    } else {
        free_pipe(*pipe);
    }
    return -ENOMEM;
}

Result open_fifo(Node& node, u32 flags, OpenFile*& file) {
    u32 const access = flags & O_ACCMODE;
    bool const waits = (flags & O_NONBLOCK) == 0;
    auto* pipe = static_cast<Pipe*>(node.object);
    if (access == O_WRONLY && !waits && (pipe == nullptr || pipe->readers == 0)) return -ENXIO;
    if (pipe == nullptr) node.object = pipe = make_ring();
    if (pipe == nullptr) return -ENOMEM;
    file = make_file(&node,
                     access == O_RDONLY   ? &k_reader
                     : access == O_WRONLY ? &k_writer
                                          : &k_both,
                     flags);
    if (file == nullptr) return -ENOMEM;
    file->object = pipe;
    if (access != O_WRONLY) {
        ++pipe->readers;
        ++pipe->reader_opens;
        pipe->writable.wake_all();
    }
    if (access != O_RDONLY) {
        ++pipe->writers;
        ++pipe->writer_opens;
        pipe->readable.wake_all();
    }
    Result result = 0;
    if (access == O_RDONLY && waits)
        result = meet(pipe->writers, pipe->writer_opens, pipe->readable);
    if (access == O_WRONLY) result = meet(pipe->readers, pipe->reader_opens, pipe->writable);
    if (result != 0) drop_file(file);
    return result;
}

void forget_fifo(Node& node) {
    if (node.object != nullptr) free_pipe(*static_cast<Pipe*>(node.object));
}

bool is_pipe(OpenFile const& file) {
    return file.operations == &k_reader || file.operations == &k_writer ||
           file.operations == &k_both;
}

u64 pipe_number(OpenFile const& file) {
    return file.node == nullptr && is_pipe(file) ? pipe_of(file).number : 0;
}

} // namespace iso::guest
