// Steps that make files in the root.
//
// place_* work in a root that others filled: a symbolic link in it may lie anywhere and lead
// anywhere. Each directory is opened by openat2(2) from the root before anything is made in it, so
// that nothing is ever made outside (CVE-2021-30465 is the class of attack).
#include "isolate/step_parts.hpp"

#include <climits>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include <sys/stat.h>

namespace iso::jail::steps {

namespace {

/// A path whose last component is still to be made.
struct Place {
    char parent[PATH_MAX];
    char const* name;
};

int split(char const* path, Place& place) {
    std::size_t length = std::strlen(path);
    while (length > 1 && path[length - 1] == '/')
        --length;
    if (length >= sizeof place.parent) return ENAMETOOLONG;
    std::memcpy(place.parent, path, length);
    place.parent[length] = '\0';
    char* const slash = std::strrchr(place.parent, '/');
    if (slash == nullptr || slash[1] == '\0') return EINVAL;
    place.name = slash + 1;
    *slash = '\0';
    return 0;
}

/// Opens the directory `path`, made with all that leads there where it is missing; -1 with errno.
int open_directory(char const* path, mode_t mode) {
    if (*path == '\0') return ::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int found = open_inside(path);
    if (found >= 0 || errno != ENOENT) return found;
    Place place;
    if (int const failed = split(path, place); failed != 0) {
        errno = failed;
        return -1;
    }
    int const parent = open_directory(place.parent, 0755);
    if (parent < 0) return -1;
    if (::mkdirat(parent, place.name, mode) != 0 && errno != EEXIST) {
        found = -1;
    } else {
        found = open_inside(path);
        // There and not to be found: a link to nowhere. Whatever made it did not mean this.
        if (found < 0 && errno == ENOENT) errno = ELOOP;
    }
    int const code = errno;
    ::close(parent);
    errno = code;
    return found;
}

/// Calls make(parent, name) for a path's last component.
template <typename Make>
int make_at(char const* path, Make make) {
    Place place;
    if (int const failed = split(path, place); failed != 0) return failed;
    int const parent = open_directory(place.parent, 0755);
    if (parent < 0) return errno;
    int const failed = make(parent, place.name);
    ::close(parent);
    return failed;
}

} // namespace

int place_directory(char const* path, mode_t mode) {
    int const fd = open_directory(path, mode);
    if (fd < 0) return errno;
    ::close(fd);
    return 0;
}

int place_file(char const* path) {
    if (int const found = open_inside(path); found >= 0) {
        ::close(found);
        return 0;
    }
    if (errno != ENOENT) return errno;
    return make_at(path, [](int parent, char const* name) {
        int const fd =
            ::openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0) return errno == EEXIST ? ELOOP : errno;
        ::close(fd);
        return 0;
    });
}

int place_link(char const* path, char const* target) {
    return make_at(path, [&](int parent, char const* name) {
        return result(::symlinkat(target, parent, name));
    });
}

int place_node(Step const& step) {
    return make_at(step.path.c_str(), [&](int parent, char const* name) {
        if (::mknodat(parent, name, static_cast<mode_t>(step.number), step.extra) != 0)
            return errno;
        return result(::fchownat(parent, name, static_cast<uid_t>(step.in),
                                 static_cast<gid_t>(step.out), AT_SYMLINK_NOFOLLOW));
    });
}

int make_file(char const* path) {
    int const fd = ::open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    if (fd < 0) return errno == EEXIST ? 0 : errno;
    ::close(fd);
    return 0;
}

} // namespace iso::jail::steps
