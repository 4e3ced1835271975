// stdin, stdout and stderr as open files.
#include "guest/kernel/console.hpp"
#include "guest/kernel/file.hpp"
#include "guest/kernel/poll.hpp"

#include <linux/fcntl.h>

namespace iso::guest {

namespace {

Result read(OpenFile& file, UserAddr to, u64 bytes, u64) {
    if (file.descriptor != 0) return -EBADF;
    HeldFile const held(file);
    for (;;) {
        Result const result = console::read(to, bytes);
        if (result != -EAGAIN || (file.flags & O_NONBLOCK) != 0) return result;
        if (block(console::input_queue) == Woken::signal) return -k_restart;
    }
}

Result write(OpenFile& file, UserAddr from, u64 bytes, u64) {
    return file.descriptor != 0 ? console::write(file.descriptor, from, bytes) : -EBADF;
}

u32 poll(OpenFile& file, Poller& poller) {
    if (file.descriptor != 0) return k_poll_out;
    poller.wait_on(file, console::input_queue);
    return console::has_input() ? k_poll_in : 0;
}

} // namespace

FileOperations const console_operations = {.read = read, .write = write, .poll = poll};

constinit OpenFile console_files[3] = {
    {.operations = &console_operations, .flags = O_RDONLY, .references = 1, .descriptor = 0},
    {.operations = &console_operations, .flags = O_WRONLY, .references = 1, .descriptor = 1},
    {.operations = &console_operations, .flags = O_WRONLY, .references = 1, .descriptor = 2},
};

} // namespace iso::guest
