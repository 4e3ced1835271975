#include "common/machine/modules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <map>
#include <memory>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/stat.h>

namespace iso {

namespace {

constexpr std::size_t k_max_modules = ISO_MODULE_TABLE_BYTES / sizeof(iso_module);
constexpr int k_max_depth = 64;
constexpr std::uint32_t k_mode_bits = 07777;

/// "/a//b/./c/" -> "/a/b/c": one name for one place.
std::string normal_path(std::string const& path) {
    std::vector<std::string> parts;
    for (std::size_t start = 0; start <= path.size();) {
        std::size_t const end = std::min(path.find('/', start), path.size());
        std::string part = path.substr(start, end - start);
        if (part == ".." && !parts.empty()) parts.pop_back();
        if (!part.empty() && part != "." && part != "..") parts.push_back(std::move(part));
        start = end + 1;
    }
    std::string out;
    for (std::string const& part : parts)
        out += "/" + part;
    return out.empty() ? "/" : out;
}

/// Walks the host's side and gathers modules in a stable order.
class Collector {
public:
    explicit Collector(std::vector<Module>& modules)
        : modules_(modules) {}

    /// `follow`: a symbolic link named on the command line stands for what it points to.
    Result<void> add(std::string const& host, std::string const& guest, bool follow,
                     int depth = 0) {
        struct stat info {};
        if ((follow ? ::stat(host.c_str(), &info) : ::lstat(host.c_str(), &info)) != 0)
            return sys_error("--add(" + host + ")", "the path of an existing file or directory");
        Module module;
        module.guest = guest;
        module.host = host;
        module.mode = info.st_mode & k_mode_bits;
        if (S_ISREG(info.st_mode)) {
            module.bytes = static_cast<std::uint64_t>(info.st_size);
        } else if (S_ISDIR(info.st_mode)) {
            module.kind = ISO_MODULE_DIRECTORY;
        } else if (S_ISLNK(info.st_mode)) {
            module.kind = ISO_MODULE_SYMLINK;
            TRY(read_target(module));
        } else {
            return error("--add(" + host + ")", "neither a file, a directory nor a symbolic link",
                         "a directory without devices, sockets and pipes");
        }
        bool const directory = module.kind == ISO_MODULE_DIRECTORY;
        TRY(insert(std::move(module)));
        if (!directory) return {};
        return add_children(host, guest, depth);
    }

    Result<void> insert(Module module) {
        auto const [known, fresh] = by_path_.try_emplace(module.guest, modules_.size());
        if (!fresh) {
            Module const& there = modules_[known->second];
            bool const both_directories =
                there.kind == ISO_MODULE_DIRECTORY && module.kind == ISO_MODULE_DIRECTORY;
            if (both_directories || there.host == module.host) return {};
            return error("--add(" + module.host + ")",
                         fmt::format("{} is already at {}", there.host, module.guest),
                         "another GUEST path");
        }
        if (modules_.size() >= k_max_modules)
            return error("--add(" + module.host + ")",
                         fmt::format("more than {} files and directories", k_max_modules),
                         "a smaller directory");
        modules_.push_back(std::move(module));
        return {};
    }

private:
    static Result<void> read_target(Module& module) {
        char text[4096];
        ssize_t const length = ::readlink(module.host.c_str(), text, sizeof text);
        if (length < 0) return sys_error("readlink(" + module.host + ")");
        module.target.assign(text, static_cast<std::size_t>(length));
        module.bytes = module.target.size();
        return {};
    }

    Result<void> add_children(std::string const& host, std::string const& guest, int depth) {
        if (depth >= k_max_depth)
            return error("--add(" + host + ")",
                         fmt::format("deeper than {} directories", k_max_depth));
        struct Close {
            void operator()(DIR* directory) const { ::closedir(directory); }
        };
        std::unique_ptr<DIR, Close> const directory(::opendir(host.c_str()));
        if (!directory) return sys_error("opendir(" + host + ")");
        std::vector<std::string> names;
        while (dirent const* entry = ::readdir(directory.get()))
            names.emplace_back(entry->d_name);
        std::sort(names.begin(), names.end()); // the order on disk differs between machines
        for (std::string const& name : names) {
            if (name == "." || name == "..") continue;
            TRY(add(host + "/" + name, (guest == "/" ? "" : guest) + "/" + name, false, depth + 1));
        }
        return {};
    }

    std::vector<Module>& modules_;
    std::map<std::string, std::size_t> by_path_;
};

Result<void> map_file(Module const& module, std::span<std::byte> place, Fd const& fd) {
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return sys_error("fstat(" + module.host + ")");
    if (static_cast<std::uint64_t>(info.st_size) != module.bytes)
        return error("mmap(" + module.host + ")", "the file changed while it was being added",
                     "once more");
    // Over the reserved area, which owns the address range and unmaps all of it at the end. The
    // bytes from the file's end to the page's end are zero (mmap(2)).
    void* const at =
        ::mmap(place.data(), place.size(), PROT_READ, MAP_PRIVATE | MAP_FIXED, fd.get(), 0);
    if (at == MAP_FAILED) return sys_error("mmap(" + module.host + ")");
    return {};
}

} // namespace

Result<ModuleTable> ModuleTable::collect(std::string const& program_host,
                                         std::string const& program_guest,
                                         RunOptions const& options) {
    ModuleTable table;
    Collector collector(table.modules);
    TRY(collector.add(program_host, normal_path(program_guest), true));
    if (!options.root.empty()) TRY(collector.add(options.root, "/", true));
    for (AddedPath const& added : options.added)
        TRY(collector.add(added.host, normal_path(added.guest), true));
    return table;
}

Result<void> ModuleTable::check_directory(std::string const& path) const {
    // What the guest kernel always has; through a symbolic link it looks for itself.
    for (char const* const always : {"/", "/dev", "/proc", "/tmp"})
        if (path == always) return {};
    std::string const below = path + "/";
    for (Module const& module : modules) {
        bool const is_it = module.guest == path && module.kind != ISO_MODULE_FILE;
        bool const through_link =
            module.kind == ISO_MODULE_SYMLINK && path.starts_with(module.guest + "/");
        if (is_it || through_link || module.guest.starts_with(below)) return {};
    }
    return error("chdir(" + path + ")", "No such directory inside",
                 "--add a directory that holds it, or another --workdir");
}

void ModuleTable::lay_out(GuestPhys base) {
    std::uint64_t next = base.value;
    for (Module& module : modules) {
        if (module.kind == ISO_MODULE_DIRECTORY || module.bytes == 0) continue;
        module.gpa = {next};
        next += round_up(module.bytes, k_page);
    }
    bytes = round_up(next - base.value, k_large_page);
}

Result<void> ModuleTable::map(GuestMemory const& memory, Fd const& program) const {
    std::span<std::byte> const area = memory.modules();
    std::uint64_t const base = memory.modules_base().value;
    for (Module const& module : modules) {
        if (module.gpa == GuestPhys{}) continue;
        auto const place = area.subspan(module.gpa.value - base, round_up(module.bytes, k_page));
        if (module.kind == ISO_MODULE_SYMLINK) {
            std::memcpy(place.data(), module.target.data(), module.target.size());
        } else if (&module == modules.data()) {
            TRY(map_file(module, place, program));
        } else {
            Fd const fd = TRY(Fd::open(module.host, O_RDONLY));
            TRY(map_file(module, place, fd));
        }
    }
    return {};
}

Result<void> ModuleTable::copy(GuestMemory const& memory, Fd const& program) const {
    std::span<std::byte> const area = memory.modules();
    std::uint64_t const base = memory.modules_base().value;
    for (Module const& module : modules) {
        if (module.gpa == GuestPhys{}) continue;
        auto const place = area.subspan(module.gpa.value - base, module.bytes);
        if (module.kind == ISO_MODULE_SYMLINK) {
            std::memcpy(place.data(), module.target.data(), module.target.size());
            continue;
        }
        bool const is_program = &module == modules.data();
        Fd const other = is_program ? Fd() : TRY(Fd::open(module.host, O_RDONLY));
        int const fd = is_program ? program.get() : other.get();
        for (std::uint64_t done = 0; done < module.bytes;) {
            ssize_t const n =
                ::pread(fd, place.data() + done, module.bytes - done, static_cast<off_t>(done));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return sys_error("read(" + module.host + ")");
            if (n == 0)
                return error("read(" + module.host + ")", "it shrank while it was read",
                             "run it again");
            done += static_cast<std::uint64_t>(n);
        }
    }
    return {};
}

} // namespace iso
