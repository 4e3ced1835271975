#include "benchmarks/harness/peer_file.hpp"

#include "benchmarks/harness/peer_fields.hpp"
#include "benchmarks/harness/peer_words.hpp"
#include "common/fd.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <utility>

namespace iso::bench {

namespace {

constexpr char const* k_schema = "isolab.peer/1";
constexpr std::string_view k_techniques[] = {"OS-level virtualization", "paravirtualization",
                                             "virtual machine"};

/// One of a few words, and what each stands for.
template <typename T>
Result<T> choice(PeerFields& fields, std::string const& key,
                 std::vector<std::pair<std::string, T>> const& known) {
    std::string const word = TRY(fields.text(key));
    Words names;
    for (auto const& [name, value] : known) {
        if (name == word) return value;
        names.push_back(name);
    }
    return fields.wrong(key, "unknown word '" + word + "'",
                        fmt::format("one of {}", fmt::join(names, ", ")));
}

Result<void> read_description(PeerFields& fields, PeerFile& peer) {
    std::string const schema = TRY(fields.text("schema"));
    if (schema != k_schema)
        return fields.wrong("schema", "'" + schema + "' is another format", k_schema);
    peer.name = TRY(fields.text("name"));
    std::string const stem = std::filesystem::path(peer.path).stem();
    if (peer.name != stem) return fields.wrong("name", "the file is called " + stem, stem);
    if (peer.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos)
        return fields.wrong("name", "has to consist of a-z, 0-9 and '-'");
    peer.title = TRY(fields.text("title"));
    peer.technique = TRY(fields.text("technique"));
    if (std::find(std::begin(k_techniques), std::end(k_techniques), peer.technique) ==
        std::end(k_techniques))
        return fields.wrong("technique", "unknown technique '" + peer.technique + "'",
                            fmt::format("one of {}", fmt::join(k_techniques, ", ")));
    peer.isolates = TRY(fields.text("isolates"));
    peer.caveats = TRY(fields.words_or_none("caveats"));
    return {};
}

Result<void> read_needs(PeerText const& text, PeerFields& fields, PeerFile& peer) {
    nlohmann::json const needs = TRY(fields.object_or_none("needs"));
    PeerFields below(text, needs, "needs.");
    peer.programs = TRY(below.words("programs"));
    peer.needs_root = TRY(below.flag_or("root", false));
    peer.devices = TRY(below.words_or_none("devices"));
    peer.needs_kernel = TRY(below.flag_or("kernel", false));
    peer.conflicts = TRY(below.texts_or_none("absent"));
    TRY(below.finish());

    nlohmann::json const install = TRY(fields.object_or_none("install"));
    PeerFields ways(text, install, "install.");
    peer.debian = TRY(ways.words_or_none("debian"));
    peer.elsewhere = TRY(ways.text_or("else", {}));
    TRY(ways.finish());
    if (peer.debian.empty() && peer.elsewhere.empty())
        return fields.wrong("install", "has to say how: \"debian\" or \"else\"");
    return {};
}

Result<void> read_stop(PeerText const& text, PeerFields& fields, PeerFile& peer) {
    nlohmann::json const stop = TRY(fields.object_or_none("stop"));
    PeerFields below(text, stop, "stop.");
    if (below.has("signal"))
        peer.stop_signal = TRY(choice<int>(
            below, "signal",
            {{"INT", SIGINT}, {"KILL", SIGKILL}, {"QUIT", SIGQUIT}, {"TERM", SIGTERM}}));
    constexpr std::uint64_t k_longest_ms = 10'000;
    std::uint64_t const settle = TRY(below.number_or("settle_ms", 0));
    if (settle > k_longest_ms)
        return below.wrong("settle_ms", fmt::format("more than {}", k_longest_ms));
    peer.settle_ns = settle * 1'000'000;
    peer.cleanup = TRY(below.commands_or_none("cleanup"));
    peer.finally = TRY(below.commands_or_none("finally"));
    return below.finish();
}

Result<void> read_run(PeerFields& fields, PeerFile& peer) {
    peer.version = TRY(fields.words("version"));
    peer.workload = TRY(choice<PeerWorkload>(
        fields, "workload",
        {{"directory", PeerWorkload::directory}, {"initramfs", PeerWorkload::initramfs}}));
    peer.result = TRY(choice<PeerResult>(
        fields, "result", {{"stdout", PeerResult::stdout_}, {"console", PeerResult::console}}));
    peer.run = TRY(fields.words("run"));
    auto const environment = TRY(fields.texts_or_none("environment"));
    for (auto const& [name, value] : environment)
        peer.environment.push_back(name + "=" + value);
    nlohmann::json const files = TRY(fields.object_or_none("files"));
    for (auto const& [name, content] : files.items()) {
        if (name.empty() || name.front() == '/' || name.find("..") != std::string::npos)
            return fields.wrong("files." + name, "has to be a path below {files}");
        if (!content.is_object() && !content.is_array())
            return fields.wrong("files." + name, "has to be an object, or a list of lines");
        peer.files[name] = content;
    }
    peer.cannot = TRY(fields.texts_or_none("cannot"));
    return {};
}

/// Every word that is filled in later, so that a typo is found now.
Result<void> check_words(PeerFields const& fields, PeerFile const& peer) {
    auto check = [&](std::string const& field, auto const& words) -> Result<void> {
        std::string const problem = unknown_placeholder(words, peer);
        if (!problem.empty()) return fields.wrong(field, problem, k_placeholders);
        return {};
    };
    TRY(check("run", peer.run));
    TRY(check("environment", peer.environment));
    TRY(check("version", peer.version));
    for (auto const& [name, content] : peer.files)
        TRY(check("files." + name, content));
    for (Words const& command : peer.cleanup)
        TRY(check("stop.cleanup", command));
    for (Words const& command : peer.finally)
        TRY(check("stop.finally", command));
    auto used = [&](std::string_view placeholder) {
        return uses(peer.run, placeholder) ||
               std::any_of(peer.files.begin(), peer.files.end(),
                           [&](auto const& file) { return uses(file.second, placeholder); });
    };
    if (peer.workload == PeerWorkload::initramfs) {
        if (!used("{initramfs}"))
            return fields.wrong("run", "the program does not get in: {initramfs} is not used");
        return {};
    }
    for (char const* const needed : {"{root}", "{program}", "{args...}"})
        if (!used(needed))
            return fields.wrong("run",
                                fmt::format("the program does not get in: {} is not used", needed));
    return {};
}

} // namespace

std::string PeerFile::install() const {
    if (!debian.empty())
        return fmt::format("apt-get install --no-install-recommends {}", fmt::join(debian, " "));
    return elsewhere;
}

Result<PeerFile> parse_peer(std::string const& path, std::string const& content) {
    PeerText const text{path, content};
    nlohmann::json const document = TRY(text.parse());
    PeerFields fields(text, document, {});
    PeerFile peer;
    peer.path = path;
    TRY(read_description(fields, peer));
    TRY(read_needs(text, fields, peer));
    TRY(read_run(fields, peer));
    TRY(read_stop(text, fields, peer));
    TRY(fields.finish());
    TRY(check_words(fields, peer));
    return peer;
}

Result<std::vector<PeerFile>> load_peers(std::string const& directory) {
    namespace fs = std::filesystem;
    std::error_code problem;
    std::vector<std::string> paths;
    for (fs::directory_iterator at(directory, problem), end; !problem && at != end;
         at.increment(problem))
        if (at->path().extension() == ".json") paths.push_back(at->path());
    if (problem) {
        Error told{"opendir(" + directory + ")", problem.message(),
                   "./isolab build, or --peer-dir DIR"};
        told.exit_status = exit_code::usage;
        return tl::unexpected<Error>(std::move(told));
    }
    std::sort(paths.begin(), paths.end());
    std::vector<PeerFile> peers;
    for (std::string const& path : paths) {
        std::string const text = TRY(read_file(path));
        peers.push_back(TRY(parse_peer(path, text)));
    }
    return peers;
}

} // namespace iso::bench
