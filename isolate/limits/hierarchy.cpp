#include "isolate/limits/hierarchy.hpp"

#include "common/fd.hpp"

#include <algorithm>

namespace iso::jail {

namespace {

/// Calls `take` with each piece of `text` between separators, empty ones left out.
template <typename Take>
void for_each_piece(std::string_view text, char separator, Take take) {
    while (!text.empty()) {
        std::size_t const end = std::min(text.find(separator), text.size());
        if (end != 0) take(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

std::vector<std::string_view> pieces(std::string_view text, char separator) {
    std::vector<std::string_view> result;
    for_each_piece(text, separator, [&](std::string_view piece) { result.push_back(piece); });
    return result;
}

/// Paths in mountinfo have blanks and the like as \ooo (proc_pid_mountinfo(5)).
std::string unescape(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '7'; };
        if (text[i] == '\\' && i + 3 < text.size() && digit(i + 1) && digit(i + 2) &&
            digit(i + 3)) {
            result += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                        (text[i + 3] - '0'));
            i += 3;
        } else {
            result += text[i];
        }
    }
    return result;
}

/// The caller's group as seen below a mount that shows the hierarchy from `root` on.
std::string below(std::string const& root, std::string const& path) {
    if (path.starts_with("/..")) return ""; // outside of our cgroup namespace: what we see is ours
    if (root == "/") return path == "/" ? "" : path;
    if (path == root) return "";
    return path.starts_with(root + "/") ? path.substr(root.size()) : "";
}

} // namespace

bool Hierarchy::has(std::string_view controller) const {
    return std::find(controllers.begin(), controllers.end(), controller) != controllers.end();
}

Hierarchy const* Hierarchies::with(std::string_view controller) const {
    for (Hierarchy const& hierarchy : all) {
        std::string_view wanted = controller;
        if (wanted == "io" || wanted == "blkio") wanted = hierarchy.v2 ? "io" : "blkio";
        if (hierarchy.has(wanted)) return &hierarchy;
    }
    return nullptr;
}

Hierarchy const* Hierarchies::v2() const {
    for (Hierarchy const& hierarchy : all)
        if (hierarchy.v2) return &hierarchy;
    return nullptr;
}

std::string Hierarchies::text() const {
    Hierarchy const* const unified = v2();
    if (all.empty()) return "none";
    if (unified == nullptr) return "version 1";
    if (all.size() == 1) return "version 2";
    std::string text = "hybrid (version 1, and version 2 with ";
    for (std::string const& controller : unified->controllers)
        text += controller + (controller == unified->controllers.back() ? "" : " ");
    return text + (unified->controllers.empty() ? "no controller)" : ")");
}

Hierarchies
parse_hierarchies(std::string_view mountinfo, std::string_view groups,
                  std::function<std::string(std::string const& mount)> const& controllers_of) {
    // HIERARCHY-ID:CONTROLLERS:PATH; version 2 is the one without controllers.
    struct Own {
        std::string_view controllers;
        std::string path;
    };
    std::vector<Own> own;
    for_each_piece(groups, '\n', [&](std::string_view line) {
        std::size_t const first = line.find(':');
        std::size_t const second = first == line.npos ? line.npos : line.find(':', first + 1);
        if (second == line.npos) return;
        own.push_back(
            {line.substr(first + 1, second - first - 1), std::string(line.substr(second + 1))});
    });

    Hierarchies result;
    std::vector<bool> found(own.size());
    for_each_piece(mountinfo, '\n', [&](std::string_view line) {
        // ID PARENT MAJOR:MINOR ROOT MOUNT-POINT OPTIONS [TAG...] - TYPE SOURCE SUPER-OPTIONS
        std::size_t const dash = line.find(" - cgroup");
        if (dash == line.npos) return;
        auto const left = pieces(line.substr(0, dash), ' ');
        auto const right = pieces(line.substr(dash + 3), ' ');
        if (left.size() < 6 || right.size() < 3) return;
        bool const v2 = right[0] == "cgroup2";
        if (!v2 && right[0] != "cgroup") return;
        auto const options = pieces(right[2], ',');
        std::string const root = unescape(left[3]);
        for (std::size_t i = 0; i < own.size(); ++i) {
            auto const controllers = pieces(own[i].controllers, ',');
            bool const same =
                v2 ? controllers.empty()
                   : !controllers.empty() && std::find(options.begin(), options.end(),
                                                       controllers.front()) != options.end();
            if (!same || found[i]) continue;
            found[i] = true;
            Hierarchy hierarchy;
            hierarchy.mount = unescape(left[4]);
            hierarchy.v2 = v2;
            hierarchy.own = below(root, own[i].path);
            if (v2) {
                std::string const text = controllers_of(hierarchy.mount);
                for_each_piece(
                    std::string_view(text).substr(0, text.find('\n')), ' ',
                    [&](std::string_view name) { hierarchy.controllers.emplace_back(name); });
            } else {
                for (std::string_view const name : controllers)
                    hierarchy.controllers.emplace_back(name);
            }
            result.all.push_back(std::move(hierarchy));
        }
    });
    return result;
}

Result<Hierarchies> find_hierarchies() {
    std::string const mounts = TRY(read_file("/proc/self/mountinfo"));
    std::string const groups = TRY(read_file("/proc/self/cgroup"));
    return parse_hierarchies(mounts, groups, [](std::string const& mount) {
        return read_file(mount + "/cgroup.controllers", 4096).value_or("");
    });
}

} // namespace iso::jail
