// What a small Unix does with files; says what comes of each step. Takes the directory to work in,
// which may be there already and is gone at the end.
#include "sys.hpp"

namespace {

constexpr u64 k_here = static_cast<u64>(-100);
constexpr u64 k_read = 0, k_write = 1, k_both = 2, k_create = 0100, k_exclusive = 0200;
constexpr u64 k_truncate = 01000, k_append = 02000, k_nonblock = 04000, k_directory = 0200000;
constexpr u64 k_no_follow = 0400000;

char buffer[20000];

struct Status {
    u64 device, number, links;
    unsigned mode, uid, gid, pad;
    u64 rdev;
    long size, block_size, blocks;
    u64 times[6];
    long unused[3];
};

long open_at(char const* path, u64 flags, u64 mode = 0644) {
    return sys(__NR_open, at(path), flags, mode);
}

long close(long fd) {
    return sys(__NR_close, static_cast<u64>(fd));
}

long write(long fd, char const* text) {
    u64 length = 0;
    while (text[length] != 0)
        ++length;
    return sys(__NR_write, static_cast<u64>(fd), at(text), length);
}

long read(long fd, u64 bytes = sizeof buffer) {
    return sys(__NR_read, static_cast<u64>(fd), at(buffer), bytes);
}

long seek(long fd, long offset, u64 whence) {
    return sys(__NR_lseek, static_cast<u64>(fd), static_cast<u64>(offset), whence);
}

Status status_of(char const* path) {
    Status status = {};
    long const result = sys(__NR_lstat, at(path), at(&status));
    if (result != 0) status.size = result;
    return status;
}

// A descriptor, or an error: which number it has is not the point.
void opened(char const* name, char const* path, u64 flags, u64 mode = 0644) {
    long const fd = open_at(path, flags, mode);
    line(name, fd >= 0 ? 0 : fd);
    if (fd >= 0) close(fd);
}

// What is in the file: its length and a sum over its bytes.
void content(char const* name, char const* path) {
    long const fd = open_at(path, k_read);
    long length = fd, sum = 0;
    if (fd >= 0) {
        length = 0;
        for (long got = read(fd); got > 0; got = read(fd)) {
            for (long i = 0; i < got; ++i)
                sum = sum * 31 % 1000003 + static_cast<unsigned char>(buffer[i]);
            length += got;
        }
        close(fd);
    }
    line(name, length);
    line("  sum", sum);
}

void make(char const* path, char const* text) {
    long const fd = open_at(path, k_create | k_truncate | k_write);
    write(fd, text);
    close(fd);
}

// How many names a directory has, and a sum that does not depend on their order.
void names(char const* name, char const* path) {
    long const fd = open_at(path, k_read | k_directory);
    long count = 0, sum = 0;
    for (;;) {
        long const got = sys(__NR_getdents64, static_cast<u64>(fd), at(buffer), 256);
        if (got <= 0) break;
        for (long i = 0; i < got;) {
            auto const bytes =
                static_cast<long>(*reinterpret_cast<unsigned short*>(buffer + i + 16));
            ++count;
            long text = buffer[i + 18];
            for (char const* p = buffer + i + 19; *p != 0; ++p)
                text = text * 7 + *p;
            sum += text;
            i += bytes;
        }
    }
    close(fd);
    line(name, count);
    line("  sum", sum);
}

void creating() {
    opened("open missing", "a", k_read);
    opened("create", "a", k_create | k_write);
    opened("create again", "a", k_create | k_write);
    opened("create exclusive", "a", k_create | k_exclusive | k_write);
    opened("create with slash", "b/", k_create | k_write);
    opened("create below file", "a/b", k_create | k_write);
    opened("create below nothing", "no/b", k_create | k_write);
    opened("directory wanted", "a", k_read | k_directory);
    opened("open with slash", "a/", k_read);
    line("mkdir", sys(__NR_mkdir, at("d"), 0755));
    line("mkdir again", sys(__NR_mkdir, at("d"), 0755));
    line("mkdir slash", sys(__NR_mkdir, at("e/"), 0700));
    line("mkdir dot", sys(__NR_mkdir, at("."), 0700));
    line("mkdir below file", sys(__NR_mkdir, at("a/x"), 0700));
    opened("write directory", "d", k_write);
    opened("create directory", "d", k_create | k_read);
    line("read directory", [] {
        long const fd = open_at("d", k_read);
        long const result = read(fd);
        close(fd);
        return result;
    }());
    line("mode", static_cast<long>(status_of("a").mode));
    line("mode of directory", static_cast<long>(status_of("e").mode));
    line("umask", sys(__NR_umask, 077));
    opened("create under umask", "m", k_create | k_write, 0666);
    line("mode under umask", static_cast<long>(status_of("m").mode));
    line("umask back", sys(__NR_umask, 022));
    char name[300];
    for (char& c : name)
        c = 'n';
    name[256] = 0;
    opened("name too long", name, k_create | k_write);
    name[255] = 0;
    opened("name of 255", name, k_create | k_write);
    line("unlink of 255", sys(__NR_unlink, at(name)));
}

void reading_and_writing() {
    long const fd = open_at("f", k_create | k_both);
    line("write", write(fd, "0123456789"));
    line("seek", seek(fd, 3, 0));
    line("read", read(fd, 4));
    line("byte", buffer[0]);
    line("seek from here", seek(fd, -2, 1));
    line("seek from end", seek(fd, 5, 2));
    line("write behind the end", write(fd, "x"));
    line("size", status_of("f").size);
    line("seek before start", seek(fd, -1, 0));
    line("pwrite far", sys(__NR_pwrite64, static_cast<u64>(fd), at("y"), 1, 3'000'000));
    line("pread hole", sys(__NR_pread64, static_cast<u64>(fd), at(buffer), 10, 1'000'000));
    line("hole", buffer[0] + buffer[9]);
    line("size far", status_of("f").size);
    line("ftruncate", sys(__NR_ftruncate, static_cast<u64>(fd), 12));
    line("ftruncate longer", sys(__NR_ftruncate, static_cast<u64>(fd), 5000));
    line("ftruncate negative", sys(__NR_ftruncate, static_cast<u64>(fd), ~0ul));
    close(fd);
    content("cut file", "f");
    line("truncate", sys(__NR_truncate, at("f"), 4));
    content("cut again", "f");
    line("truncate directory", sys(__NR_truncate, at("d"), 4));

    long const append = open_at("f", k_write | k_append);
    line("append", write(append, "end"));
    line("append seeks", seek(append, 0, 0));
    line("append again", write(append, "END"));
    line("read of writer", read(append));
    close(append);
    content("appended", "f");
    opened("truncate on open", "f", k_write | k_truncate);
    line("size", status_of("f").size);

    // Larger than any single table, with a pattern.
    long const large = open_at("large", k_create | k_both);
    for (long i = 0; i < 160; ++i) {
        for (long j = 0; j < 20000; ++j)
            buffer[j] = static_cast<char>((i * 20000 + j) % 251);
        if (sys(__NR_write, static_cast<u64>(large), at(buffer), 20000) != 20000) say("short\n");
    }
    close(large);
    content("large", "large");
    line("fallocate", [] {
        long const f = open_at("room", k_create | k_write);
        long const result = sys(__NR_fallocate, static_cast<u64>(f), 0, 0, 10000);
        close(f);
        return result;
    }());
    line("size of room", status_of("room").size);
}

void names_come_and_go() {
    make("one", "one");
    line("link", sys(__NR_link, at("one"), at("two")));
    line("links", static_cast<long>(status_of("one").links));
    line("same file", status_of("one").number == status_of("two").number ? 1 : 0);
    line("link again", sys(__NR_link, at("one"), at("two")));
    line("link directory", sys(__NR_link, at("d"), at("d2")));
    line("unlink", sys(__NR_unlink, at("one")));
    content("other name", "two");
    line("unlink missing", sys(__NR_unlink, at("one")));
    line("unlink directory", sys(__NR_unlink, at("d")));
    line("rmdir file", sys(__NR_rmdir, at("two")));

    long const fd = open_at("two", k_both);
    line("unlink open", sys(__NR_unlink, at("two")));
    line("still readable", read(fd));
    line("still writable", write(fd, "more"));
    Status status = {};
    line("fstat", sys(__NR_fstat, static_cast<u64>(fd), at(&status)));
    line("no links", static_cast<long>(status.links));
    line("its size", status.size);
    close(fd);

    line("symlink", sys(__NR_symlink, at("target"), at("s")));
    line("symlink again", sys(__NR_symlink, at("target"), at("s")));
    line("readlink", sys(__NR_readlink, at("s"), at(buffer), 100));
    line("readlink short", sys(__NR_readlink, at("s"), at(buffer), 3));
    line("readlink of file", sys(__NR_readlink, at("a"), at(buffer), 100));
    opened("open dangling", "s", k_read);
    opened("open no follow", "s", k_read | k_no_follow);
    opened("create exclusive through", "s", k_create | k_exclusive | k_write);
    opened("create through", "s", k_create | k_write);
    line("target is there", sys(__NR_access, at("target"), 0));
    line("loop", sys(__NR_symlink, at("l2"), at("l1")) | sys(__NR_symlink, at("l1"), at("l2")));
    opened("open loop", "l1", k_read);
    line("size of link", status_of("s").size);
    line("mode of link", static_cast<long>(status_of("s").mode >> 12));
    line("through directory link", sys(__NR_symlink, at("d/"), at("sd")));
    make("sd/inside", "inside");
    content("inside", "d/inside");
    line("dots", sys(__NR_access, at("sd/../a"), 0));
}

void renaming() {
    make("x", "xx");
    make("y", "yyy");
    line("rename", sys(__NR_rename, at("x"), at("z")));
    line("old gone", sys(__NR_access, at("x"), 0));
    line("rename over", sys(__NR_rename, at("z"), at("y")));
    content("replaced", "y");
    line("rename missing", sys(__NR_rename, at("x"), at("q")));
    line("rename file over directory", sys(__NR_rename, at("y"), at("d")));
    line("rename directory over file", sys(__NR_rename, at("d"), at("y")));
    line("mkdir", sys(__NR_mkdir, at("d/sub"), 0755));
    line("into itself", sys(__NR_rename, at("d"), at("d/sub/d")));
    line("over full", sys(__NR_rename, at("e"), at("d")));
    line("over empty", sys(__NR_rename, at("d"), at("e")));
    line("moved along", sys(__NR_access, at("e/inside"), 0));
    line("to itself", sys(__NR_rename, at("y"), at("y")));
    line("dot", sys(__NR_rename, at("e/."), at("f2")));
    line("no replace", sys(__NR_renameat2, k_here, at("y"), k_here, at("f"), 1));
    line("with slash", sys(__NR_rename, at("y"), at("w/")));
    make("h1", "h");
    line("hard link", sys(__NR_link, at("h1"), at("h2")));
    line("onto itself", sys(__NR_rename, at("h1"), at("h2")));
    line("both stay", sys(__NR_access, at("h1"), 0));
    line("up", sys(__NR_rename, at("e/sub"), at("sub")));
    line("parent", sys(__NR_access, at("sub/../y"), 0));
}

void directories() {
    char name[] = "e/n00";
    for (int i = 0; i < 60; ++i) {
        name[3] = static_cast<char>('0' + i / 10);
        name[4] = static_cast<char>('0' + i % 10);
        make(name, "");
    }
    names("listed", "e");
    // What rm -r does: remove while listing.
    long const fd = open_at("e", k_read | k_directory);
    long removed = 0;
    for (;;) {
        long const got = sys(__NR_getdents64, static_cast<u64>(fd), at(buffer), 200);
        if (got <= 0) break;
        for (long i = 0; i < got;) {
            auto const bytes =
                static_cast<long>(*reinterpret_cast<unsigned short*>(buffer + i + 16));
            if (sys(__NR_unlinkat, static_cast<u64>(fd), at(buffer + i + 19), 0) == 0) ++removed;
            i += bytes;
        }
    }
    close(fd);
    line("removed", removed);
    names("left", "e");
    line("rmdir dot", sys(__NR_rmdir, at("e/.")));
    line("rmdir", sys(__NR_rmdir, at("e")));
    line("rmdir again", sys(__NR_rmdir, at("e")));
    line("mkdir", sys(__NR_mkdir, at("cwd"), 0755));
    line("chdir", sys(__NR_chdir, at("cwd")));
    line("rmdir of here", sys(__NR_rmdir, at("../cwd")));
    opened("create in removed", "x", k_create | k_write);
    line("getcwd", sys(__NR_getcwd, at(buffer), 100));
    line("list removed", sys(__NR_access, at("."), 0));
}

void attributes(char const* home) {
    line("back", sys(__NR_chdir, at(home)));
    line("chmod", sys(__NR_chmod, at("y"), 0640));
    line("mode", static_cast<long>(status_of("y").mode));
    line("chmod missing", sys(__NR_chmod, at("nothing"), 0640));
    long times[4] = {1000, 5, 2000, 7};
    line("utimensat", sys(__NR_utimensat, k_here, at("y"), at(times), 0));
    Status const status = status_of("y");
    line("accessed", static_cast<long>(status.times[0]));
    line("modified", static_cast<long>(status.times[2]));
    line("nanoseconds", static_cast<long>(status.times[3]));
    times[1] = (1l << 30) - 2; // UTIME_OMIT
    times[2] = 3000;
    line("omit", sys(__NR_utimensat, k_here, at("y"), at(times), 0));
    line("accessed", static_cast<long>(status_of("y").times[0]));
    line("modified", static_cast<long>(status_of("y").times[2]));
    times[1] = -1;
    line("bad time", sys(__NR_utimensat, k_here, at("y"), at(times), 0));
    line("chown to itself", sys(__NR_chown, at("y"), ~0ul, ~0ul));
    line("access", sys(__NR_access, at("y"), 6));
    line("not executable", sys(__NR_access, at("y"), 1));
}

void pipes() {
    int ends[2];
    line("pipe", sys(__NR_pipe, at(ends)));
    line("to pipe", write(ends[1], "hello"));
    line("from pipe", read(ends[0], 3));
    line("rest", read(ends[0]));
    line("seek", seek(ends[0], 0, 0));
    line("wrong end", write(ends[0], "x"));
    line("F_SETFL", sys(__NR_fcntl, static_cast<u64>(ends[0]), 4, k_nonblock));
    line("empty", read(ends[0]));
    line("F_SETFL", sys(__NR_fcntl, static_cast<u64>(ends[1]), 4, k_nonblock));
    long total = 0;
    for (;;) {
        long const put = sys(__NR_write, static_cast<u64>(ends[1]), at(buffer), 4096);
        if (put < 0) {
            line("full", put);
            break;
        }
        total += put;
    }
    line("capacity", total);
    struct {
        int fd;
        short events, revents;
    } polled[2] = {{ends[0], 1, 0}, {ends[1], 4, 0}};
    line("poll", sys(__NR_poll, at(polled), 2, 0));
    line("readable", polled[0].revents);
    line("writable", polled[1].revents);
    for (long got = read(ends[0]); got > 0; got = read(ends[0]))
        total -= got;
    line("all read", total);
    close(ends[1]);
    line("end", read(ends[0]));
    line("poll", sys(__NR_poll, at(polled), 1, -1ul));
    line("hangup", polled[0].revents);
    close(ends[0]);
    line("fifo", sys(__NR_mknod, at("fifo"), 0010644, 0));
    line("nobody reads", open_at("fifo", k_write | k_nonblock));
    long const fifo = open_at("fifo", k_both);
    line("to fifo", write(fifo, "abc"));
    line("from fifo", read(fifo));
    close(fifo);
}

void locks() {
    struct {
        short type, whence;
        long start, length;
        int pid;
    } lock = {1, 0, 10, 20, 0};
    long const fd = open_at("y", k_both);
    line("lock", sys(__NR_fcntl, static_cast<u64>(fd), 6, at(&lock)));
    lock.start = 15;
    line("ask", sys(__NR_fcntl, static_cast<u64>(fd), 5, at(&lock)));
    line("own locks do not count", lock.type);
    lock = {2, 0, 15, 5, 0};
    line("unlock", sys(__NR_fcntl, static_cast<u64>(fd), 6, at(&lock)));
    lock = {1, 0, -5, 5, 0};
    line("bad range", sys(__NR_fcntl, static_cast<u64>(fd), 6, at(&lock)));
    line("flock", sys(__NR_flock, static_cast<u64>(fd), 2));
    long const other = open_at("y", k_both);
    line("flock held", sys(__NR_flock, static_cast<u64>(other), 2 | 4));
    close(fd);
    line("flock free", sys(__NR_flock, static_cast<u64>(other), 2 | 4));
    close(other);
}

void descriptors() {
    long const fd = open_at("y", k_read);
    long const far = sys(__NR_fcntl, static_cast<u64>(fd), 0, 700);
    line("far", far);
    line("dup2", sys(__NR_dup2, static_cast<u64>(fd), 699));
    line("shared offset", seek(699, 1, 0) + seek(far, 0, 1));
    line("close range", sys(__NR_close_range, 699, 700, 0));
    line("closed", sys(__NR_fcntl, 700, 1));
    line("eventfd", [] {
        long const event = sys(__NR_eventfd2, 3, k_nonblock);
        long const got = read(event, 8);
        long const again = read(event, 8);
        close(event);
        return got * 1000 + buffer[0] * 100 + again;
    }());
    close(fd);
}

// Everything that was made: the directory is gone at the end.
void clean(char const* home) {
    char const* const files[] = {"a",  "m",  "f",  "large", "room", "s",  "target",
                                 "l1", "l2", "sd", "y",     "h1",   "h2", "fifo"};
    long failures = 0;
    for (char const* name : files)
        failures += sys(__NR_unlink, at(name)) != 0 ? 1 : 0;
    line("not removed", failures);
    line("rmdir", sys(__NR_rmdir, at("sub")));
    names("nothing left", ".");
    line("chdir", sys(__NR_chdir, at("/")));
    line("home", sys(__NR_rmdir, at(home)));
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    sys(__NR_umask, 022);
    sys(__NR_mkdir, at(argv[1]), 0755);
    if (sys(__NR_chdir, at(argv[1])) != 0) return 3;
    creating();
    reading_and_writing();
    names_come_and_go();
    renaming();
    directories();
    attributes(argv[1]);
    pipes();
    locks();
    descriptors();
    clean(argv[1]);
    return 0;
}
