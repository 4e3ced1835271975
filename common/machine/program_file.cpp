#include "common/machine/program_file.hpp"

#include "common/abi/guest_abi.h"
#include "common/mapping.hpp"
#include "common/program.hpp"

#include <climits>

#include <cerrno>
#include <cstdlib>
#include <unistd.h>

#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace iso {

namespace {

tl::unexpected<Error> refuse(std::string const& name, std::string cause, std::string hint,
                             int status) {
    return tl::unexpected<Error>(
        Error{"exec(" + name + ")", std::move(cause), std::move(hint), 0, status});
}

Result<void> open_on_host(ProgramFile& program, std::string const& name) {
    program.host = program.guest = TRY(find_program(name));
    auto fd = Fd::open(program.host, O_RDONLY);
    if (!fd)
        return tl::unexpected<Error>(std::move(fd).error().with_exit(exit_code::cannot_execute));
    program.fd = std::move(*fd);
    return {};
}

/// Opens a path as if `root` were the root directory: no link leads out of it (openat2(2)).
Result<void> open_inside(ProgramFile& program, std::string const& root, std::string const& name) {
    if (name.front() != '/')
        return refuse(name, "with --root, PROGRAM is a path inside of it", "/" + name,
                      exit_code::not_found);
    Fd const directory = TRY(Fd::open(root, O_PATH | O_DIRECTORY));
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    program.fd = Fd(
        static_cast<int>(::syscall(SYS_openat2, directory.get(), name.c_str(), &how, sizeof how)));
    if (!program.fd) {
        int const status =
            errno == ENOENT || errno == ENOTDIR ? exit_code::not_found : exit_code::cannot_execute;
        return refuse(name, std::string(std::strerror(errno)) + " in " + root,
                      "ls -l " + root + name, status);
    }
    struct stat info {};
    if (::fstat(program.fd.get(), &info) != 0) return sys_error("fstat(" + name + ")");
    if (!S_ISREG(info.st_mode))
        return refuse(name, "not a regular file", "the path of a program",
                      exit_code::cannot_execute);
    if ((info.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
        return refuse(name, "Permission denied", "chmod +x " + root + name,
                      exit_code::cannot_execute);

    char resolved_root[PATH_MAX];
    char resolved[PATH_MAX];
    std::string const link = "/proc/self/fd/" + std::to_string(program.fd.get());
    if (::realpath(root.c_str(), resolved_root) == nullptr ||
        ::realpath(link.c_str(), resolved) == nullptr)
        return sys_error("realpath(" + root + name + ")", "mount /proc");
    program.host = resolved;
    std::string const prefix = std::string(resolved_root) == "/" ? "" : resolved_root;
    program.guest = program.host.substr(prefix.size());
    return {};
}

} // namespace

Result<ProgramFile> ProgramFile::open(RunOptions const& options) {
    ProgramFile program;
    if (options.root.empty())
        TRY(open_on_host(program, options.program));
    else
        TRY(open_inside(program, options.root, options.program));

    struct stat info {};
    if (::fstat(program.fd.get(), &info) != 0) return sys_error("fstat(" + program.host + ")");
    Mapping image; // an empty file cannot be mapped, and the reader refuses it by name
    if (info.st_size > 0)
        image = TRY(Mapping::create(static_cast<std::size_t>(info.st_size), PROT_READ, MAP_PRIVATE,
                                    program.fd.get()));
    program.elf = TRY(ElfImage::parse(image.bytes(), options.program));
    if (program.elf.high > ISO_USER_HIGH)
        return refuse(options.program, "linked above the guest's user addresses (0x5ffffffff000)",
                      "the default link address", exit_code::cannot_execute);
    return program;
}

} // namespace iso
