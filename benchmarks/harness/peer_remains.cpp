#include "benchmarks/harness/peer_remains.hpp"

#include "benchmarks/harness/processes.hpp"
#include "common/fd.hpp"
#include "common/json.hpp"
#include "common/pidfd.hpp"
#include "common/program.hpp"
#include "common/subprocess.hpp"
#include "common/temp_dir.hpp"

#include <csignal>
#include <unistd.h>

#include <sys/stat.h>

namespace iso::bench {

namespace {

using nlohmann::json;

constexpr std::uint64_t k_patience_ns = 10'000'000'000; // of one command
constexpr char const* k_note = "/when-its-owner-is-dead.json";

void run_noted(std::string const& scratch) {
    auto const text = read_file(scratch + k_note);
    if (!text) return; // it was killed before there was anything to run
    json const commands = json::parse(*text, nullptr, false);
    if (!commands.is_array()) return;
    std::vector<Words> list;
    for (json const& words : commands)
        if (words.is_array() && !words.empty()) list.push_back(words.get<Words>());
    run_quietly(list);
}

/// The name of the directory is in no other process's command line: it was drawn at random.
void end_processes_of(std::string const& scratch) {
    for (Process const& one : all_processes()) {
        if (one.pid == ::getpid()) continue;
        auto const process = Pidfd::open(one.pid); // before it is looked at: it may be another's
        auto const words = read_file("/proc/" + std::to_string(one.pid) + "/cmdline");
        if (process && words && words->find(scratch) != std::string::npos)
            (void)process->send(SIGKILL);
    }
}

} // namespace

Result<std::string> find_tool(std::string const& name) {
    auto found = find_program(name);
    for (char const* const place : {"/usr/local/sbin/", "/usr/sbin/", "/sbin/"})
        if (!found) found = find_program(place + name);
    return found;
}

void run_quietly(std::vector<Words> const& commands) {
    for (Words command : commands) {
        if (auto const tool = find_tool(command.front())) command.front() = *tool;
        static_cast<void>(run_and_capture(command, k_patience_ns));
    }
}

std::string scratch_prefix(std::string const& peer) {
    return "isobench-scratch-" + peer;
}

Result<void> note_remains(std::string const& scratch, std::vector<Words> const& commands) {
    if (commands.empty()) return {};
    std::string const path = scratch + k_note;
    Fd const fd = TRY(Fd::open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC, 0600));
    TRY(write_all(fd.get(), json(commands).dump()));
    if (::rename((path + ".new").c_str(), path.c_str()) != 0)
        return sys_error("rename(" + path + ")");
    return {};
}

void clean_after_the_dead(std::string const& peer) {
    TempDir::remove_abandoned(scratch_prefix(peer), [](std::string const& scratch) {
        run_noted(scratch);
        end_processes_of(scratch);
    });
}

} // namespace iso::bench
