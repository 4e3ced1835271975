#pragma once

#include "guest/kernel/boot.hpp"
#include "guest/kernel/vfs.hpp"
#include "guest/tests/unit/arena.hpp"

#include <cstring>
#include <string>
#include <vector>

namespace iso::guest::test {

struct Given {
    std::string path;
    u32 kind;
    std::string content; // of a link its target
};

/// Lays modules out as an engine does, once for the whole process: the tree is built once, too, as
/// in the kernel.
inline void boot() {
    static bool booted = false;
    if (booted) return;
    booted = true;
    need_arena();
    std::vector<Given> const given = {
        {"/bin/program", ISO_MODULE_FILE, "ELF"},   {"/data", ISO_MODULE_DIRECTORY, ""},
        {"/data/a", ISO_MODULE_FILE, "text"},       {"/data/empty", ISO_MODULE_FILE, ""},
        {"/data/up", ISO_MODULE_SYMLINK, "../bin"}, {"/data/abs", ISO_MODULE_SYMLINK, "/data/a"},
        {"/data/loop", ISO_MODULE_SYMLINK, "loop"}, {"/data/gone", ISO_MODULE_SYMLINK, "nowhere"}};
    Gpa data = k_modules + (1 << 20);
    auto& info = *linear<iso_boot_info>(ISO_BOOT_INFO_GPA);
    info.modules = ISO_MODULE_TABLE_GPA;
    info.module_count = static_cast<u32>(given.size());
    info.arguments = ISO_ARGUMENTS_GPA;
    u32 text = 0;
    for (u64 i = 0; i < given.size(); ++i) {
        Given const& each = given[i];
        auto& module = linear<iso_module>(ISO_MODULE_TABLE_GPA)[i];
        module = {each.content.empty() ? 0 : data,   each.content.size(), each.kind, 0755, text,
                  static_cast<u32>(each.path.size())};
        std::memcpy(linear(ISO_ARGUMENTS_GPA + text), each.path.c_str(), each.path.size() + 1);
        text += static_cast<u32>(each.path.size()) + 1;
        std::memcpy(linear(data), each.content.data(), each.content.size());
        data += k_page;
    }
}

inline Result find(std::string const& path, Node*& node, bool follow = true) {
    return vfs::lookup(vfs::root(), {path.data(), path.size()}, follow, node);
}

inline Node* directory(char const* path) {
    Node* node = nullptr;
    REQUIRE(find(path, node) == 0);
    return node;
}

inline std::string name_of(Node const* node) {
    char buffer[4096];
    Text path;
    Result const result = vfs::path_of(node, buffer, sizeof buffer, path);
    return result != 0 ? "?" : std::string(path.data, path.size);
}

} // namespace iso::guest::test
