#include "isolate/limits/group_path.hpp"

#include <algorithm>

namespace iso::jail {

namespace {

constexpr std::size_t k_longest = 1024;

/// "a-b.slice" lies in "a.slice" (systemd.slice(5)); "-.slice" is the top.
Result<std::string> slice_directory(std::string const& slice) {
    constexpr std::string_view k_suffix = ".slice";
    if (!slice.ends_with(k_suffix))
        return refused("cgroupsPath", "'" + slice + "' is not the name of a slice",
                       "a name that ends with .slice, as in system.slice:isolate:NAME");
    std::string const name = slice.substr(0, slice.size() - k_suffix.size());
    if (name == "-") return std::string();
    if (name.empty() || name.front() == '-' || name.back() == '-' ||
        name.find("--") != std::string::npos)
        return refused("cgroupsPath", "'" + slice + "' is not the name of a slice",
                       "parts with one dash between them, as in machine-jails.slice");
    std::string directory;
    for (std::size_t dash = name.find('-');; dash = name.find('-', dash + 1)) {
        directory += "/" + name.substr(0, dash) + std::string(k_suffix);
        if (dash == std::string::npos) return directory;
    }
}

Result<GroupPath> from_systemd(std::string const& text) {
    std::size_t const first = text.find(':');
    std::size_t const second = text.find(':', first + 1);
    std::string const slice = text.substr(0, first);
    std::string const prefix = text.substr(first + 1, second - first - 1);
    std::string const name = text.substr(second + 1);
    if (name.empty() || text.find('/') != std::string::npos)
        return refused("cgroupsPath", "'" + text + "' is not slice:prefix:name",
                       "a name without slashes after the second colon");
    std::string const directory = TRY(slice_directory(slice.empty() ? "system.slice" : slice));
    if (name.ends_with(".slice")) return GroupPath{true, directory + "/" + name};
    return GroupPath{true,
                     directory + "/" + (prefix.empty() ? "" : prefix + "-") + name + ".scope"};
}

} // namespace

Result<GroupPath> read_group_path(std::string const& text) {
    if (text.empty()) return GroupPath{};
    if (text.size() > k_longest ||
        std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 127; }))
        return refused("cgroupsPath", "too long, or with control characters", "a plain path");
    if (std::count(text.begin(), text.end(), ':') == 2) return from_systemd(text);

    GroupPath result{text.front() == '/', {}};
    for (std::size_t at = 0; at < text.size();) {
        std::size_t const end = std::min(text.find('/', at), text.size());
        std::string const part = text.substr(at, end - at);
        if (part == ".." || part.size() > 255)
            return refused("cgroupsPath", "'" + text + "' has '" + part + "' in it",
                           "a path that only goes down");
        if (!part.empty() && part != ".") result.path += "/" + part;
        at = end + 1;
    }
    if (result.path.empty())
        return refused("cgroupsPath", "'" + text + "' names the top of the tree",
                       "a group below it");
    return result;
}

} // namespace iso::jail
