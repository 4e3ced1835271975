#include "common/result.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace iso {

namespace {
void (*g_error_sink)(Error const&) = nullptr;
}

void set_error_sink(void (*sink)(Error const& error)) {
    g_error_sink = sink;
}

std::string Error::message() const {
    std::string_view file = at.file_name();
    if (auto slash = file.rfind('/'); slash != std::string_view::npos)
        file.remove_prefix(slash + 1);
    std::string text = fmt::format("{}: {} [{}:{}]", op, cause, file, at.line());
    if (!hint.empty()) text += fmt::format("; try: {}", hint);
    return text;
}

void print_error(std::string_view program, Error const& error) {
    // One write(2) so that messages of several processes do not mix within a line.
    std::string const line = fmt::format("{}: {}\n", program, error.message());
    std::fwrite(line.data(), 1, line.size(), stderr);
    std::fflush(stderr);
    if (g_error_sink != nullptr) g_error_sink(error);
}

} // namespace iso
