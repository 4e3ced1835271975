#include "common/machine/crash.hpp"

#include "common/exit.hpp"

#include <array>
#include <csignal>
#include <cstddef>
#include <string>
#include <string_view>
#include <unistd.h>

namespace iso {

namespace {

constexpr std::string_view k_placeholder = "signal ##";
constexpr int k_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};

/// A text made beforehand, in which only the signal's two digits are filled in later.
struct Prepared {
    std::string text;
    std::size_t digits = 0;

    void set(std::string value) {
        text = std::move(value);
        digits = text.find(k_placeholder) + k_placeholder.size() - 2;
    }
    void write(int fd, int signal) {
        text[digits] = static_cast<char>('0' + signal / 10);
        text[digits + 1] = static_cast<char>('0' + signal % 10);
        for (std::size_t done = 0; done < text.size();) {
            ssize_t const n = ::write(fd, text.data() + done, text.size() - done);
            if (n <= 0) return;
            done += static_cast<std::size_t>(n);
        }
    }
};

int g_report_fd = -1;
alignas(16) std::array<std::byte, 32768> g_stack;

Prepared& message() {
    static Prepared* const prepared = new Prepared; // outlives every destructor, on purpose
    return *prepared;
}
Prepared& report() {
    static Prepared* const prepared = new Prepared;
    return *prepared;
}
// Resolved before the handler can run: a function's static is not safe to initialise there.
Prepared* g_message = nullptr;
Prepared* g_report = nullptr;

extern "C" void on_crash(int signal) {
    g_message->write(STDERR_FILENO, signal);
    if (g_report_fd >= 0) g_report->write(g_report_fd, signal);
    ::_exit(exit_code::engine_failed);
}

} // namespace

void arm_crash_report(int report_fd, RunReport const& so_far) {
    RunReport crashed = so_far;
    crashed.ended = Ended::engine_failed;
    crashed.failure = Error{so_far.engine,
                            "it crashed with " + std::string(k_placeholder) +
                                ": a bug in it, or a file that shrank while a guest had it",
                            so_far.engine + " run --explain, and a report of what it prints"};
    message().set(so_far.engine + ": " + crashed.failure->message() + "\n");
    g_message = &message();
    if (report_fd >= 0) report().set(to_json(crashed));
    g_report = &report();
    g_report_fd = report_fd;

    stack_t stack{};
    stack.ss_sp = g_stack.data();
    stack.ss_size = g_stack.size();
    ::sigaltstack(&stack, nullptr); // the crash may be a stack that ran out
    struct sigaction action {};
    action.sa_handler = on_crash;
    action.sa_flags = SA_ONSTACK | SA_RESETHAND | SA_NODEFER;
    for (int const signal : k_signals)
        ::sigaction(signal, &action, nullptr);
}

} // namespace iso
