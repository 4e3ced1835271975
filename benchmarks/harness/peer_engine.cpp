#include "benchmarks/harness/peer_engine.hpp"

#include "benchmarks/harness/peer_remains.hpp"
#include "benchmarks/harness/peer_stage.hpp"
#include "common/subprocess.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <unistd.h>
#include <utility>

namespace iso::bench {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t k_question_ns = 10'000'000'000; // of one question to a peer's program

/// The first thing in a text that looks like a version: "6.1.176", "0.8.0".
std::string version_in(std::string const& text) {
    constexpr char const* digits = "0123456789";
    for (std::size_t at = text.find_first_of(digits); at != std::string::npos;
         at = text.find_first_of(digits, at)) {
        std::size_t const end = std::min(text.find_first_not_of("0123456789.", at), text.size());
        std::string const number = text.substr(at, end - at);
        bool const inside_word = at != 0 &&
                                 std::isalpha(static_cast<unsigned char>(text[at - 1])) &&
                                 text[at - 1] != 'v';
        if (!inside_word)
            return number.back() == '.' ? number.substr(0, number.size() - 1) : number;
        at = end;
    }
    return {};
}

} // namespace

std::string find_kernel(std::string const& directory) {
    if (char const* const chosen = std::getenv("ISOLAB_KERNEL"); chosen != nullptr) return chosen;
    std::vector<std::string> found;
    for (std::string const& place : {directory, std::string("/boot")}) {
        std::error_code problem;
        for (fs::directory_iterator at(place, problem), end; !problem && at != end;
             at.increment(problem))
            if (at->path().filename().string().starts_with("vmlinuz") &&
                ::access(at->path().c_str(), R_OK) == 0)
                found.push_back(at->path());
        if (!found.empty()) return *std::max_element(found.begin(), found.end());
    }
    return {};
}

PeerEngine::PeerEngine(PeerFile file, PeerSupport support)
    : file_(std::move(file))
    , support_(std::move(support)) {}

PeerEngine::~PeerEngine() {
    run_quietly(finally_);
}

std::string PeerEngine::absent_program() const {
    for (std::string const& tool : file_.programs)
        if (!find_tool(tool)) return tool;
    return {};
}

std::string PeerEngine::program() const {
    return file_.programs.empty() ? std::string() : find_tool(file_.programs.front()).value_or("");
}

/// What the machine lacks, in words; nothing when it has all that can be asked for.
std::string PeerEngine::missing() const {
    if (file_.needs_root && ::geteuid() != 0) return "needs root";
    for (std::string const& device : file_.devices)
        if (::access(device.c_str(), R_OK | W_OK) != 0) return device + ": " + std::strerror(errno);
    for (auto const& [path, why] : file_.conflicts)
        if (::access(path.c_str(), F_OK) == 0) return why;
    if (file_.needs_kernel && find_kernel(support_.kernels).empty())
        return "there is no Linux kernel to boot in it";
    return {};
}

std::string PeerEngine::version() const {
    PeerValues values;
    for (std::string const& tool : file_.programs)
        values.texts["tool:" + tool] = find_tool(tool).value_or(tool);
    Words words = fill(file_.version, values);
    words.front() = find_tool(words.front()).value_or(words.front());
    auto const ran = run_and_capture(words, k_question_ns);
    if (!ran) return {};
    std::string found = version_in(ran->out);
    return found.empty() ? version_in(ran->err) : found;
}

EngineProbe PeerEngine::probe() const {
    if (std::string const tool = absent_program(); !tool.empty())
        return {false, {}, fmt::format("{} is not installed", tool), file_.install()};
    std::string const backend = version();
    std::string const reason = missing();
    if (reason.empty()) return {true, backend.empty() ? "unknown version" : backend, {}, {}};
    std::string next = "another host: isobench probe says what this one has";
    if (file_.needs_root && ::geteuid() != 0) next = "sudo isobench";
    if (reason.find("kernel to boot") != std::string::npos)
        next = "./isolab compare --peers fetches one; or ISOLAB_KERNEL=/path/to/vmlinuz";
    return {false, backend, reason, next};
}

Result<std::vector<std::string>> PeerEngine::command(RunOptions const& options) const {
    if (!stage_) stage_ = std::make_unique<PeerStage>(TRY(PeerStage::create(file_, support_.init)));
    PeerValues values = TRY(stage_->stage(options.program, options.arguments));
    for (std::string const& tool : file_.programs)
        values.texts["tool:" + tool] = TRY(find_tool(tool));
    if (file_.needs_kernel) values.texts["kernel"] = find_kernel(support_.kernels);
    Words words = fill(file_.run, values);
    words.front() = TRY(find_tool(words.front()));
    environment_ = fill(file_.environment, values);
    cleanup_.emplace_back();
    for (Words const& command : file_.cleanup)
        cleanup_.back().push_back(fill(command, values));
    finally_.clear();
    for (Words const& command : file_.finally)
        finally_.push_back(fill(command, values));
    std::vector<Words> remains;
    for (auto const& commands : cleanup_)
        remains.insert(remains.end(), commands.begin(), commands.end());
    remains.insert(remains.end(), finally_.begin(), finally_.end());
    TRY(note_remains(stage_->scratch(), remains));
    return words;
}

RunManner PeerEngine::manner() const {
    RunManner manner;
    manner.console = file_.result == PeerResult::console;
    manner.environment = environment_;
    manner.stop_signal = file_.stop_signal;
    manner.settle_ns = file_.settle_ns;
    return manner;
}

void PeerEngine::clean_up() const {
    for (auto const& commands : std::exchange(cleanup_, {}))
        run_quietly(commands);
}

void PeerEngine::ended_well() const {
    if (!cleanup_.empty()) cleanup_.pop_back();
}

std::string PeerEngine::cannot(std::string_view workload) const {
    auto const found = file_.cannot.find(std::string(workload));
    return found == file_.cannot.end() ? std::string() : found->second;
}

} // namespace iso::bench
