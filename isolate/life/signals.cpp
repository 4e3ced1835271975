#include "isolate/life/signals.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstring>

namespace iso::jail {

Result<int> parse_signal(std::string const& text) {
    std::string name = text;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    if (name.starts_with("SIG")) name.erase(0, 3);
    int number = 0;
    auto const [end, problem] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (problem == std::errc{} && end == name.data() + name.size() && number > 0 && number <= 64)
        return number;
    for (int signal = 1; signal < 32; ++signal)
        if (char const* known = ::sigabbrev_np(signal); known != nullptr && name == known)
            return signal;
    for (bool const from_first : {true, false}) {
        char const* const base = from_first ? "RTMIN" : "RTMAX";
        if (!name.starts_with(base)) continue;
        std::string const rest = name.substr(5);
        int const start = from_first ? SIGRTMIN : SIGRTMAX;
        if (rest.empty()) return start;
        char const sign = from_first ? '+' : '-';
        int offset = 0;
        auto const [stop, wrong] =
            std::from_chars(rest.data() + 1, rest.data() + rest.size(), offset);
        if (rest.front() == sign && wrong == std::errc{} && stop == rest.data() + rest.size() &&
            offset >= 0 && offset <= SIGRTMAX - SIGRTMIN)
            return from_first ? start + offset : start - offset;
    }
    return refused("signal '" + text + "'", "there is none of this name or number",
                   "kill -l shows them");
}

bool ends_by_default(int signal) {
    for (int const harmless :
         {SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH})
        if (signal == harmless) return false;
    return true;
}

} // namespace iso::jail
