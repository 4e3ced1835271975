// What processes do to each other through files: pipes that fill and drain, locks, offsets, events.
#include "sys.hpp"

namespace {

char buffer[100000];

long fork() {
    return sys(__NR_fork);
}

[[noreturn]] void leave(long status) {
    sys(__NR_exit_group, static_cast<u64>(status));
    __builtin_unreachable();
}

// Exit status, or 1000 + the signal that ended it.
long wait_for(long pid) {
    int status = 0;
    sys(__NR_wait4, static_cast<u64>(pid), at(&status), 0, 0);
    return (status & 0x7f) != 0 ? 1000 + (status & 0x7f) : status >> 8 & 0xff;
}

void pause_ms(long ms) {
    long time[2] = {0, ms * 1'000'000};
    sys(__NR_nanosleep, at(time), 0);
}

long close(long fd) {
    return sys(__NR_close, static_cast<u64>(fd));
}

struct Pipe {
    int ends[2];
    Pipe() { sys(__NR_pipe, at(ends)); }
    long read(u64 bytes) { return sys(__NR_read, static_cast<u64>(ends[0]), at(buffer), bytes); }
    long write(u64 bytes) { return sys(__NR_write, static_cast<u64>(ends[1]), at(buffer), bytes); }
};

void streams() {
    Pipe pipe;
    long const child = fork();
    if (child == 0) {
        close(pipe.ends[0]);
        for (int i = 0; i < 10; ++i) {
            for (char& c : buffer)
                c = static_cast<char>(i);
            if (pipe.write(sizeof buffer) != sizeof buffer) leave(1);
        }
        leave(7);
    }
    close(pipe.ends[1]);
    long total = 0, sum = 0;
    for (long got = pipe.read(30000); got > 0; got = pipe.read(30000)) {
        total += got;
        for (long i = 0; i < got; ++i)
            sum += buffer[i];
    }
    line("streamed", total);
    line("sum", sum);
    line("writer", wait_for(child));
    close(pipe.ends[0]);
}

// Each of several writers' small writes arrives in one piece.
void atomic_writes() {
    Pipe pipe;
    long children[4];
    for (int i = 0; i < 4; ++i) {
        children[i] = fork();
        if (children[i] != 0) continue;
        for (char& c : buffer)
            c = static_cast<char>('a' + i);
        for (int k = 0; k < 50; ++k)
            pipe.write(4000);
        leave(0);
    }
    close(pipe.ends[1]);
    long mixed = 0, pieces = 0;
    for (;;) {
        u64 have = 0;
        while (have < 4000) {
            long const got =
                sys(__NR_read, static_cast<u64>(pipe.ends[0]), at(buffer + have), 4000 - have);
            if (got <= 0) break;
            have += static_cast<u64>(got);
        }
        if (have == 0) break;
        ++pieces;
        for (u64 i = 1; i < have; ++i)
            mixed += buffer[i] != buffer[0] ? 1 : 0;
    }
    for (long const child : children)
        wait_for(child);
    line("pieces", pieces);
    line("mixed", mixed);
    close(pipe.ends[0]);
}

void broken_pipe() {
    Pipe pipe;
    close(pipe.ends[0]);
    long const child = fork();
    if (child == 0) leave(pipe.write(1));
    line("writer ends by", wait_for(child));
    close(pipe.ends[1]);

    // The reader goes while the writer waits.
    Pipe second;
    long const writer = fork();
    if (writer == 0) {
        close(second.ends[0]);
        second.write(sizeof buffer);
        leave(0);
    }
    pause_ms(20);
    close(second.ends[0]);
    close(second.ends[1]);
    line("waiting writer ends by", wait_for(writer));
}

void waiting_for_many() {
    Pipe pipe;
    Pipe quiet;
    struct {
        int fd;
        short events, revents;
    } polled[2] = {{quiet.ends[0], 1, 0}, {pipe.ends[0], 1, 0}};
    line("poll times out", sys(__NR_poll, at(polled), 2, 10));
    long child = fork();
    if (child == 0) {
        pause_ms(20);
        pipe.write(5);
        leave(0);
    }
    line("poll", sys(__NR_poll, at(polled), 2, -1ul));
    line("which", polled[0].revents * 10 + polled[1].revents);
    wait_for(child);
    pipe.read(100);

    u64 set[16] = {1ul << pipe.ends[0] | 1ul << quiet.ends[0]};
    child = fork();
    if (child == 0) {
        pause_ms(20);
        pipe.write(5);
        leave(0);
    }
    line("select", sys(__NR_select, 64, at(set), 0, 0, 0));
    line("which", set[0] == 1ul << pipe.ends[0] ? 1 : 0);
    wait_for(child);
    pipe.read(100);

    struct __attribute__((packed)) {
        unsigned events;
        u64 data;
    } event = {1, 42}, got[4] = {};
    long const poller = sys(__NR_epoll_create1, 0);
    line("epoll add", sys(__NR_epoll_ctl, static_cast<u64>(poller), 1,
                          static_cast<u64>(pipe.ends[0]), at(&event)));
    line("epoll again", sys(__NR_epoll_ctl, static_cast<u64>(poller), 1,
                            static_cast<u64>(pipe.ends[0]), at(&event)));
    line("epoll nothing", sys(__NR_epoll_wait, static_cast<u64>(poller), at(got), 4, 10));
    child = fork();
    if (child == 0) {
        pause_ms(20);
        pipe.write(5);
        leave(0);
    }
    line("epoll", sys(__NR_epoll_wait, static_cast<u64>(poller), at(got), 4, -1ul));
    line("which", static_cast<long>(got[0].data));
    wait_for(child);
    close(pipe.ends[0]);
    line("closed files leave", sys(__NR_epoll_wait, static_cast<u64>(poller), at(got), 4, 0));
    close(poller);
    close(pipe.ends[1]);
    close(quiet.ends[0]);
    close(quiet.ends[1]);

    long const counter = sys(__NR_eventfd2, 0, 0);
    child = fork();
    if (child == 0) {
        pause_ms(20);
        u64 const three = 3;
        leave(sys(__NR_write, static_cast<u64>(counter), at(&three), 8));
    }
    u64 value = 0;
    line("event", sys(__NR_read, static_cast<u64>(counter), at(&value), 8));
    line("value", static_cast<long>(value));
    wait_for(child);
    close(counter);
}

struct Lock {
    short type, whence;
    long start, length;
    int pid;
};

long control(long fd, u64 command, Lock& lock) {
    return sys(__NR_fcntl, static_cast<u64>(fd), command, at(&lock));
}

void locks(char const* path) {
    constexpr u64 k_get = 5, k_set = 6, k_set_and_wait = 7;
    long const fd = sys(__NR_open, at(path), 0102, 0644);
    Pipe ready;
    Pipe go;
    long const child = fork();
    if (child == 0) {
        Lock lock = {1, 0, 10, 10, 0};
        control(fd, k_set, lock);
        ready.write(1);
        go.read(1);
        pause_ms(20);
        leave(0); // the lock ends with the process
    }
    ready.read(1);
    Lock lock = {1, 0, 0, 0, 0};
    line("ask", control(fd, k_get, lock));
    line("its range", lock.start * 100 + lock.length);
    line("its owner", lock.pid == child ? 1 : 0);
    lock = {0, 0, 15, 1, 0};
    line("held", control(fd, k_set, lock));
    lock = {1, 0, 0, 10, 0};
    line("beside it", control(fd, k_set, lock));
    go.write(1);
    lock = {1, 0, 0, 0, 0};
    line("after waiting", control(fd, k_set_and_wait, lock));
    line("child", wait_for(child));
    close(ready.ends[0]);
    close(ready.ends[1]);
    close(go.ends[0]);
    close(go.ends[1]);
    close(fd);
}

void offsets(char const* path) {
    long const fd = sys(__NR_open, at(path), 01102, 0644);
    for (int i = 0; i < 3; ++i) {
        long const child = fork();
        if (child == 0) leave(sys(__NR_write, static_cast<u64>(fd), at("child"), 5));
        wait_for(child);
        sys(__NR_write, static_cast<u64>(fd), at("me"), 2);
    }
    line("one offset", sys(__NR_lseek, static_cast<u64>(fd), 0, 1));
    sys(__NR_lseek, static_cast<u64>(fd), 0, 0);
    long const got = sys(__NR_read, static_cast<u64>(fd), at(buffer), 100);
    buffer[got > 0 ? got : 0] = 0;
    say(buffer);
    say("\n");
    close(fd);
    line("unlink", sys(__NR_unlink, at(path)));
}

void fifo(char const* path) {
    line("mkfifo", sys(__NR_mknod, at(path), 0010600, 0));
    long const child = fork();
    if (child == 0) {
        long const fd = sys(__NR_open, at(path), 1);
        leave(sys(__NR_write, static_cast<u64>(fd), at("fifo"), 4));
    }
    long const fd = sys(__NR_open, at(path), 0);
    line("through", sys(__NR_read, static_cast<u64>(fd), at(buffer), 100));
    line("writer", wait_for(child));
    line("end", sys(__NR_read, static_cast<u64>(fd), at(buffer), 100));
    close(fd);
    line("unlink", sys(__NR_unlink, at(path)));
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    sys(__NR_umask, 022);
    streams();
    atomic_writes();
    broken_pipe();
    waiting_for_many();
    locks(argv[1]);
    offsets(argv[1]);
    fifo(argv[1]);
    return 0;
}
