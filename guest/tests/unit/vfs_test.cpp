#include "guest/kernel/boot.hpp"
#include "guest/kernel/vfs.hpp"
#include "guest/tests/unit/arena.hpp"
#include "tests/support/catch.hpp"

#include <cstring>
#include <string>
#include <vector>

using namespace iso::guest;

namespace {

struct Given {
    std::string path;
    u32 kind;
    std::string content; // of a link its target
};

// Lays the modules out as an engine does.
void boot_with(std::vector<Given> const& given, Gpa data) {
    auto& boot = *linear<iso_boot_info>(ISO_BOOT_INFO_GPA);
    boot.modules = ISO_MODULE_TABLE_GPA;
    boot.module_count = static_cast<u32>(given.size());
    boot.arguments = ISO_ARGUMENTS_GPA;
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

Result find(std::string const& path, Node*& node, bool follow = true) {
    return vfs::lookup(vfs::root(), {path.data(), path.size()}, follow, node);
}

std::string name_of(Node const* node) {
    char buffer[4096];
    Result const length = vfs::path_of(node, buffer, sizeof buffer);
    return length < 0 ? "?" : std::string(buffer, static_cast<std::size_t>(length));
}

} // namespace

// One case: the tree is built once, as in the kernel.
TEST_CASE("paths lead where they lead on Linux") {
    test::need_arena();
    boot_with({{"/bin/program", ISO_MODULE_FILE, "ELF"},
               {"/data", ISO_MODULE_DIRECTORY, ""},
               {"/data/a", ISO_MODULE_FILE, "text"},
               {"/data/empty", ISO_MODULE_FILE, ""},
               {"/data/up", ISO_MODULE_SYMLINK, "../bin"},
               {"/data/abs", ISO_MODULE_SYMLINK, "/data/a"},
               {"/data/loop", ISO_MODULE_SYMLINK, "loop"},
               {"/data/gone", ISO_MODULE_SYMLINK, "nowhere"}},
              test::k_modules + (1 << 20));
    Node* node = nullptr;
    REQUIRE(find("/bin/program", node) == 0);
    CHECK(node == vfs::program_node());
    CHECK(find("bin/../bin/./program", node) == 0);
    CHECK(find("///bin//program", node) == 0);
    CHECK(find("/bin/program/", node) == -ENOTDIR);
    CHECK(find("/bin/program/x", node) == -ENOTDIR);
    CHECK(find("/bin/nothing", node) == -ENOENT);
    CHECK(find("", node) == -ENOENT);
    REQUIRE(find("/..", node) == 0);
    CHECK(name_of(node) == "/");
    REQUIRE(find("/data/up/program", node) == 0);
    CHECK(name_of(node) == "/bin/program");
    REQUIRE(find("/data/up", node, false) == 0);
    CHECK(vfs::is_link(node));
    REQUIRE(find("/data/abs", node) == 0);
    CHECK(name_of(node) == "/data/a");
    CHECK(node->size == 4);
    CHECK(find("/data/loop", node) == -ELOOP);
    CHECK(find("/data/gone", node) == -ENOENT);
    REQUIRE(find("/data/empty", node) == 0);
    CHECK(vfs::is_file(node));
    REQUIRE(find("/dev/null", node) == 0);
    CHECK(vfs::is_device(node));
    REQUIRE(find("/proc/self/exe", node) == 0);
    CHECK(node == vfs::program_node());
    CHECK(find("/" + std::string(300, 'x'), node) == -ENAMETOOLONG);
    REQUIRE(find("/tmp", node) == 0);
    CHECK((node->mode & 07777) == 01777);
    char small[3];
    REQUIRE(find("/data", node) == 0);
    CHECK(vfs::path_of(node, small, sizeof small) == -ERANGE);
}
