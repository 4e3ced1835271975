// /dev: the devices that are made of nothing, null(4), zero(4), full(4), random(4), and links.
#include "guest/kernel/fs_device.hpp"

#include "guest/kernel/random.hpp"
#include "guest/kernel/usercopy.hpp"

namespace iso::guest {

namespace {

Result read_nothing(OpenFile&, UserAddr, u64, u64) {
    return 0;
}

Result write_all(OpenFile&, UserAddr, u64 bytes, u64) {
    return static_cast<Result>(bytes);
}

Result read_zeros(OpenFile&, UserAddr to, u64 bytes, u64) {
    return zero_out(to, bytes);
}

Result write_nothing(OpenFile&, UserAddr, u64, u64) {
    return -ENOSPC;
}

Result read_random(OpenFile&, UserAddr to, u64 bytes, u64) {
    return random_out(to, bytes);
}

Result no_terminal(OpenFile&, UserAddr, u64, u64) {
    return -ENXIO;
}

constexpr FileOperations k_null = {.read = read_nothing, .write = write_all, .seekable = true};
constexpr FileOperations k_zero = {.read = read_zeros, .write = write_all, .seekable = true};
constexpr FileOperations k_full = {.read = read_zeros, .write = write_nothing, .seekable = true};
constexpr FileOperations k_random = {.read = read_random, .write = write_all};
constexpr FileOperations k_terminal = {.read = no_terminal, .write = no_terminal};

struct Device {
    Text name;
    u64 number;
    FileOperations const* operations;
};

constexpr u64 number(u64 major, u64 minor) {
    return major << 8 | minor;
}

constexpr Device k_devices[] = {
    {"null", number(1, 3), &k_null},      {"zero", number(1, 5), &k_zero},
    {"full", number(1, 7), &k_full},      {"random", number(1, 8), &k_random},
    {"urandom", number(1, 9), &k_random}, {"tty", k_terminal_number, &k_terminal},
};

struct Link {
    Text name;
    Text target;
};

constexpr Link k_links[] = {
    {"stdin", "/proc/self/fd/0"},
    {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"},
    {"fd", "/proc/self/fd"},
};

bool asked_for(Node const& directory, Text wanted, Text name) {
    return (wanted.empty() || wanted == name) && vfs::child(&directory, name) == nullptr;
}

// When memory ends, entries are missing.
void refresh(Node& directory, Text wanted) {
    for (Device const& device : k_devices) {
        if (!asked_for(directory, wanted, device.name)) continue;
        Node* const node = vfs::make_static(&directory, device.name, k_type_device | 0666);
        if (node == nullptr) return;
        node->device = device.number;
        node->operations = device.operations;
    }
    for (Link const& link : k_links) {
        if (!asked_for(directory, wanted, link.name)) continue;
        Node* const node = vfs::make_static(&directory, link.name, k_type_link | 0777);
        if (node == nullptr) return;
        node->data = gpa_of(link.target.data);
        node->size = link.target.size;
    }
    if (asked_for(directory, wanted, "shm")) {
        Node* const node = vfs::make_static(&directory, "shm", k_type_directory | 01777);
        if (node != nullptr) node->filesystem = FileSystem::shared;
    }
}

} // namespace

Special const device_directory = {.refresh = refresh};

} // namespace iso::guest
