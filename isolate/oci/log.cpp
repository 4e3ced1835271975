#include "isolate/oci/log.hpp"

#include "common/fd.hpp"
#include "common/json.hpp"

#include <fmt/format.h>

#include <ctime>
#include <unistd.h>

namespace iso::jail {

namespace {

Fd g_engine_log;
bool g_log_json = false;
bool g_log_debug = false;

std::string now_text() {
    std::time_t const now = ::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

/// One line, as Podman, conmon and containerd read it (logrus's forms).
void append_line(std::string_view level, std::string const& message) {
    using nlohmann::json;
    auto const quoted = [](std::string const& text) {
        return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
    };
    std::string const line =
        g_log_json
            ? fmt::format("{{\"level\":\"{}\",\"msg\":{},\"time\":\"{}\"}}\n", level,
                          quoted(message), now_text())
            : fmt::format("time=\"{}\" level={} msg={}\n", now_text(), level, quoted(message));
    (void)write_all(g_engine_log.get(), line); // where it is full there is nobody to tell
}

void append_error(Error const& error) {
    append_line("error", error.message());
}

} // namespace

Result<void> open_engine_log(LogLine const& log) {
    if (log.file.empty()) return {};
    g_engine_log = TRY(Fd::open(log.file, O_WRONLY | O_CREAT | O_APPEND, 0644));
    g_log_json = log.json;
    g_log_debug = log.debug;
    set_error_sink(append_error);
    return {};
}

void log_line(std::string_view level, std::string const& message) {
    bool const debug = level == "debug";
    if (g_engine_log) {
        if (!debug || g_log_debug) append_line(level, message);
    } else if (!debug) {
        std::string const line = fmt::format("isolate: {}: {}\n", level, message);
        (void)write_all(STDERR_FILENO, line);
    }
}

} // namespace iso::jail
