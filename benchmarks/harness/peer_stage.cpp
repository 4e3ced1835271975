#include "benchmarks/harness/peer_stage.hpp"

#include "benchmarks/harness/initramfs.hpp"
#include "benchmarks/harness/peer_remains.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace iso::bench {

namespace {

namespace fs = std::filesystem;

struct Node {
    char const* path;
    unsigned major;
    unsigned minor;
};
// Numbers: Documentation/admin-guide/devices.txt.
constexpr Node k_nodes[] = {
    {"dev/null", 1, 3}, {"dev/zero", 1, 5}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
constexpr char const* k_directories[] = {"bin", "dev", "etc", "proc", "root",
                                         "run", "sys", "tmp", "usr",  "var"};

std::string name_of(std::string const& program) {
    return program.substr(program.rfind('/') + 1);
}

Result<void> write_whole(std::string const& path, std::string const& content) {
    std::error_code ignored;
    fs::create_directories(fs::path(path).parent_path(), ignored);
    Fd const fd = TRY(Fd::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
    return write_all(fd.get(), content);
}

} // namespace

Result<PeerStage> PeerStage::create(PeerFile const& peer, std::string init) {
    TempDir directory = TRY(TempDir::create_held(scratch_prefix(peer.name)));
    return PeerStage(peer, std::move(init), std::move(directory));
}

Result<PeerValues> PeerStage::stage(std::string const& program, Words const& arguments) {
    PeerValues values;
    values.args = arguments;
    values.texts["program"] = "/bin/" + name_of(program);
    values.texts["scratch"] = scratch();
    values.texts["id"] = fmt::format("isobench-{}-{}", ::getpid(), ++made_);
    if (peer_->workload == PeerWorkload::directory)
        values.texts["root"] = TRY(root_with(program));
    else
        values.texts["initramfs"] = TRY(initramfs_with(program, arguments));
    if (!peer_->files.empty()) values.texts["files"] = TRY(write_files(values));
    return values;
}

/// A root with the program and the directories that runtimes mount on. Device nodes are for those
/// that mount nothing; only root can make them, and without them a program says what it lacks.
Result<std::string> PeerStage::root_with(std::string const& program) {
    if (auto const found = roots_.find(program); found != roots_.end()) return found->second;
    std::string const root = fmt::format("{}/root-{}", scratch(), roots_.size());
    std::error_code problem;
    for (char const* const directory : k_directories)
        if (!problem) fs::create_directories(root + "/" + directory, problem);
    std::string const copy = root + "/bin/" + name_of(program);
    if (!problem) fs::copy_file(program, copy, problem);
    if (problem) return error("copy " + program + " to " + copy, problem.message());
    fs::permissions(copy, static_cast<fs::perms>(0755), problem);
    fs::permissions(root + "/tmp", static_cast<fs::perms>(01777), problem);
    for (Node const& node : k_nodes) {
        std::string const path = root + "/" + node.path;
        if (::mknod(path.c_str(), S_IFCHR | 0666U, makedev(node.major, node.minor)) == 0)
            ::chmod(path.c_str(), 0666);
    }
    return roots_[program] = root;
}

Result<std::string> PeerStage::initramfs_with(std::string const& program, Words const& arguments) {
    std::string command = "/bin/" + name_of(program);
    command += '\0';
    for (std::string const& word : arguments) {
        command += word;
        command += '\0';
    }
    std::string const key = program + '\0' + command;
    if (auto const found = archives_.find(key); found != archives_.end()) return found->second;

    Initramfs archive;
    for (char const* const directory : k_directories)
        archive.add_directory(directory);
    archive.add_directory("isolab");
    archive.add_device("dev/console", 5, 1);
    for (Node const& node : k_nodes)
        archive.add_device(node.path, node.major, node.minor);
    archive.add_file("init", TRY(read_file(init_)), 0755);
    archive.add_file("bin/" + name_of(program), TRY(read_file(program)), 0755);
    archive.add_file("isolab/command", command, 0644);
    std::string const path = fmt::format("{}/initramfs-{}.cpio", scratch(), archives_.size());
    TRY(write_whole(path, std::move(archive).finish()));
    return archives_[key] = path;
}

/// An object is written as JSON, a list as lines.
Result<std::string> PeerStage::write_files(PeerValues const& values) {
    std::string const directory = scratch() + "/files";
    PeerValues inside = values;
    inside.texts["files"] = directory;
    for (auto const& [name, content] : peer_->files) {
        nlohmann::json const filled = fill(content, inside);
        std::string text;
        if (filled.is_object()) text = filled.dump(2) + "\n";
        if (filled.is_array())
            for (nlohmann::json const& line : filled)
                text += line.get<std::string>() + "\n";
        TRY(write_whole(directory + "/" + name, text));
    }
    return directory;
}

} // namespace iso::bench
