// The verbs that show jails.
#include "common/json.hpp"
#include "isolate/life/inside.hpp"
#include "isolate/life/log.hpp"
#include "isolate/life/verbs.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <unistd.h>

namespace iso::jail {

namespace {

using nlohmann::json;

/// Of the runtime specification whose forms are printed.
constexpr char const* k_oci_version = "1.0.2";

bool has_process(Seen const& seen) {
    return seen.record.status != Status::stopped && seen.record.init.known();
}

std::string time_text(std::uint64_t seconds) {
    auto const time = static_cast<std::time_t>(seconds);
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

std::string age(std::uint64_t since) {
    auto const now = static_cast<std::uint64_t>(std::time(nullptr));
    std::uint64_t const seconds = now > since ? now - since : 0;
    if (seconds < 120) return fmt::format("{} s", seconds);
    if (seconds < 7200) return fmt::format("{} min", seconds / 60);
    if (seconds < 172800) return fmt::format("{} h", seconds / 3600);
    return fmt::format("{} days", seconds / 86400);
}

std::string bytes_text(std::uint64_t bytes) {
    if (bytes < 1024 * 1024) return fmt::format("{} KiB", bytes / 1024);
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1024 * 1024));
}

std::string words_text(std::vector<std::string> const& words, std::size_t most) {
    std::string text;
    for (std::string const& word : words)
        text += (text.empty() ? "" : " ") + word;
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    if (text.size() > most) text = text.substr(0, most - 3) + "...";
    return text;
}

std::string status_text(Seen const& seen) {
    if (seen.abandoned) return "stopped (killed)";
    if (seen.ending && seen.record.status == Status::stopped)
        return fmt::format("stopped ({})", seen.ending->exit_status);
    return to_string(seen.record.status);
}

/// The state of a container in the form of OCI's runtime specification (runtime.md, "State").
json oci_state(Store const& store, Seen const& seen) {
    Record const& record = seen.record;
    json out = {
        {"ociVersion", k_oci_version},
        {"id", record.name},
        {"status", to_string(record.status)},
        {"pid", has_process(seen) ? record.init.pid : 0},
        {"bundle", record.bundle.empty() ? store.path() + "/" + record.name : record.bundle},
        {"rootfs", record.root},
        {"created", time_text(record.created_at)},
        {"annotations", record.annotations}};
    if (record.status == Status::stopped && seen.ending) {
        out["exitStatus"] = seen.ending->exit_status;
        out["exited"] = time_text(seen.ending->at);
    }
    return out;
}

std::string json_text(json const& value) {
    return value.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

void print_json(json const& value) {
    std::string const text = json_text(value);
    std::fwrite(text.data(), 1, text.size(), stdout);
}

} // namespace

std::string state_json(Store const& store, Seen const& seen) {
    return json_text(oci_state(store, seen));
}

Result<void> print_state(Store const& store, std::string const& name) {
    print_json(oci_state(store, TRY(store.look(name))));
    return {};
}

Result<void> print_list(Store const& store, ListFormat format) {
    std::vector<Seen> jails;
    for (std::string const& name : TRY(store.names())) {
        auto seen = store.look(name);
        if (!seen && seen.error().code == ENOENT) continue; // deleted meanwhile
        if (!seen) {
            print_error("isolate", seen.error());
            continue;
        }
        jails.push_back(std::move(*seen));
    }
    if (format == ListFormat::names) {
        for (Seen const& seen : jails)
            fmt::print("{}\n", seen.record.name);
        return {};
    }
    if (format == ListFormat::json) {
        json all = json::array();
        for (Seen const& seen : jails) {
            all.push_back(oci_state(store, seen));
            all.back()["owner"] = std::to_string(seen.record.uid);
        }
        print_json(all);
        return {};
    }
    if (jails.empty()) {
        fmt::print("no jails\n");
        return {};
    }
    std::size_t wide = 4;
    for (Seen const& seen : jails)
        wide = std::max(wide, seen.record.name.size());
    fmt::print("{:<{}}  {:<16} {:>8}  {:<9}  {}\n", "NAME", wide, "STATUS", "PID", "CREATED",
               "COMMAND");
    for (Seen const& seen : jails)
        fmt::print("{:<{}}  {:<16} {:>8}  {:<9}  {}\n", seen.record.name, wide, status_text(seen),
                   has_process(seen) ? std::to_string(seen.record.init.pid) : "-",
                   age(seen.record.created_at), words_text(seen.record.command, 48));
    return {};
}

Result<void> print_processes(Store const& store, std::string const& name, bool as_json) {
    Seen const seen = TRY(store.look(name));
    auto const processes = TRY(processes_inside(seen.record.init));
    if (as_json) { // as runc has it: the numbers on the host
        json numbers = json::array();
        for (InsideProcess const& process : processes)
            numbers.push_back(process.pid);
        print_json(numbers);
        return {};
    }
    fmt::print("{:>8} {:>8}  {:<5} {:>9} {:>11}  {}\n", "HOST PID", "INSIDE", "STATE", "CPU",
               "MEMORY", "COMMAND");
    for (InsideProcess const& process : processes)
        fmt::print("{:>8} {:>8}  {:<5} {:>7.2f} s {:>11}  {}\n", process.pid, process.inside,
                   process.state, static_cast<double>(process.cpu_ns) / 1e9,
                   bytes_text(process.resident_bytes), process.command.substr(0, 60));
    return {};
}

Result<void> print_stats(Store const& store, std::string const& name, bool as_json) {
    Seen const seen = TRY(store.look(name));
    std::uint64_t cpu = 0;
    std::uint64_t memory = 0;
    auto const processes = TRY(processes_inside(seen.record.init));
    for (InsideProcess const& process : processes) {
        cpu += process.cpu_ns;
        memory += process.resident_bytes;
    }
    if (as_json) {
        print_json({{"id", name},
                    {"type", "stats"},
                    {"data",
                     {{"cpu", {{"usage", {{"total", cpu}}}}},
                      {"memory", {{"usage", {{"usage", memory}}}}},
                      {"pids", {{"current", processes.size()}}}}}});
        return {};
    }
    fmt::print("{:<12} {}\n{:<12} {:.2f} s\n{:<12} {}\n", "processes", processes.size(), "cpu",
               static_cast<double>(cpu) / 1e9, "memory", bytes_text(memory));
    return {};
}

namespace {
struct Followed {
    Store const& store;
    std::string const& name;
};
bool has_ended(void* context) {
    auto const& followed = *static_cast<Followed const*>(context);
    auto const seen = followed.store.look(followed.name);
    return !seen || (seen->record.status == Status::stopped && !is_alive(seen->record.keeper));
}
} // namespace

Result<void> print_logs(Store const& store, std::string const& name, bool follow) {
    Seen const seen = TRY(store.look(name));
    if (!seen.record.detached)
        return error("logs of '" + name + "'", "it runs in the foreground and keeps none",
                     "isolate run --detach");
    Fd const directory = TRY(Fd::open(store.path() + "/" + name, O_RDONLY | O_DIRECTORY));
    if (!follow) return print_log(directory.get(), STDOUT_FILENO);
    Followed followed{store, name};
    return follow_log(directory.get(), STDOUT_FILENO, has_ended, &followed);
}

} // namespace iso::jail
