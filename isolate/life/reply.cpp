#include "isolate/life/reply.hpp"

#include "common/fd.hpp"
#include "common/json.hpp"

#include <csignal>

namespace iso::jail {

namespace {
using nlohmann::json;
}

void send_reply(int fd, Error const* error) {
    json out = {{"ok", error == nullptr}};
    if (error != nullptr)
        out = {{"ok", false},
               {"op", error->op},
               {"cause", error->cause},
               {"hint", error->hint},
               {"code", error->code},
               {"exit_status", error->exit_status},
               {"file", error->at.file_name()},
               {"line", error->at.line()}};
    // Whoever waited may be gone; that is no reason for us to go.
    sigset_t pipe_signal;
    ::sigemptyset(&pipe_signal);
    ::sigaddset(&pipe_signal, SIGPIPE);
    ::sigprocmask(SIG_BLOCK, &pipe_signal, nullptr);
    (void)write_all(fd, out.dump(-1, ' ', false, json::error_handler_t::replace));
}

Result<void> receive_reply(int fd) {
    std::string const text = TRY(read_all(fd, 1U << 20U));
    json const in = json::parse(text, nullptr, false);
    if (!in.is_object())
        return error("keeper of the jail", "ended without a word", "isolate run in the foreground");
    try {
        if (in.at("ok").get<bool>()) return {};
        return tl::unexpected<Error>(
            Error{in.at("op").get<std::string>(), in.at("cause").get<std::string>(),
                  in.at("hint").get<std::string>(), in.at("code").get<int>(),
                  in.at("exit_status").get<int>()});
    } catch (json::exception const& problem) {
        return error("keeper of the jail", problem.what());
    }
}

} // namespace iso::jail
