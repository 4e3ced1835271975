#include "common/machine/boot.hpp"
#include "common/machine/modules.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"

#include <cstring>
#include <map>
#include <unistd.h>

#include <linux/auxvec.h>
#include <sys/stat.h>

using namespace iso;
using namespace iso;
using Catch::Matchers::Contains;

namespace {

/// A small tree: program, tree/b.txt (5 bytes), tree/empty, tree/sub/, tree/link -> b.txt.
struct Tree {
    TempDir directory = std::move(*TempDir::create("vmm-modules"));
    std::string root = directory.path();
    std::string program = root + "/program";

    Tree() {
        ::mkdir((root + "/tree").c_str(), 0755);
        ::mkdir((root + "/tree/sub").c_str(), 0750);
        put("/program", "#!");
        put("/tree/b.txt", "hello");
        put("/tree/empty", "");
        REQUIRE(::symlink("b.txt", (root + "/tree/link").c_str()) == 0);
    }
    void put(std::string const& name, std::string const& text) const {
        Fd const fd = *Fd::open(root + name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        REQUIRE(write_all(fd.get(), text));
    }
};

std::vector<std::string> paths(ModuleTable const& table) {
    std::vector<std::string> out;
    for (Module const& module : table.modules)
        out.push_back(module.guest);
    return out;
}

} // namespace

TEST_CASE("modules: directories are expanded in a stable order, links kept, paths made plain") {
    Tree const tree;
    RunOptions options;
    options.added = {{tree.root + "/tree", "/data//x/../tree/"}};
    auto const table = ModuleTable::collect(tree.program, "/bin/program", options);
    REQUIRE(table);
    CHECK(paths(*table) == std::vector<std::string>{"/bin/program", "/data/tree",
                                                    "/data/tree/b.txt", "/data/tree/empty",
                                                    "/data/tree/link", "/data/tree/sub"});
    CHECK(table->modules[4].kind == ISO_MODULE_SYMLINK);
    CHECK(table->modules[4].target == "b.txt");
    CHECK(table->modules[5].kind == ISO_MODULE_DIRECTORY);
    CHECK(table->modules[5].mode == 0750);
}

TEST_CASE(
    "modules: files are laid out on pages and appear in guest memory with zeros behind them") {
    Tree const tree;
    RunOptions options;
    options.added = {{tree.root + "/tree", "/tree"}};
    auto table = ModuleTable::collect(tree.program, "/program", options);
    REQUIRE(table);
    constexpr std::uint64_t ram = 4 * k_large_page;
    table->lay_out({ram});
    CHECK(table->bytes == k_large_page);
    auto const memory = GuestMemory::create(ram, table->bytes);
    Fd const program = *Fd::open(tree.program, O_RDONLY);
    REQUIRE(table->map(*memory, program));
    auto const text = [&](std::size_t index) {
        auto const bytes = memory->at(table->modules[index].gpa, 8, Access::read);
        return std::string(reinterpret_cast<char const*>(bytes->data()), 8);
    };
    CHECK(text(0) == std::string("#!\0\0\0\0\0\0", 8));
    CHECK(text(2) == std::string("hello\0\0\0", 8));
    CHECK(table->modules[3].gpa == GuestPhys{}); // empty
    CHECK(text(4) == std::string("b.txt\0\0\0", 8));
    for (Module const& module : table->modules)
        CHECK(module.gpa.value % k_page == 0);
}

TEST_CASE("modules: what cannot be added is named") {
    Tree const tree;
    auto const cause = [&](std::vector<AddedPath> added) {
        RunOptions options;
        options.added = std::move(added);
        auto const table = ModuleTable::collect(tree.program, "/program", options);
        return table ? "accepted" : table.error().op + ": " + table.error().cause;
    };
    CHECK_THAT(cause({{tree.root + "/missing", "/m"}}),
               Contains("missing") && Contains("No such file"));
    CHECK_THAT(cause({{tree.root + "/tree/b.txt", "/program"}}),
               Contains("is already at /program"));
    REQUIRE(::mkfifo((tree.root + "/tree/pipe").c_str(), 0644) == 0);
    CHECK_THAT(cause({{tree.root + "/tree", "/t"}}),
               Contains("/tree/pipe") && Contains("neither a file"));
    CHECK(cause({{tree.program, "/program"}}) == "accepted"); // the same thing twice
}

TEST_CASE("modules: a file that changes between collecting and mapping is refused") {
    Tree const tree;
    RunOptions options;
    options.added = {{tree.root + "/tree/b.txt", "/b"}};
    auto table = ModuleTable::collect(tree.program, "/program", options);
    REQUIRE(table);
    table->lay_out({4 * k_large_page});
    auto const memory = GuestMemory::create(4 * k_large_page, table->bytes);
    tree.put("/tree/b.txt", "longer than before");
    Fd const program = *Fd::open(tree.program, O_RDONLY);
    auto const mapped = table->map(*memory, program);
    REQUIRE_FALSE(mapped);
    CHECK_THAT(mapped.error().cause, Contains("changed"));
}

TEST_CASE("boot information: strings, counts and places agree") {
    Tree const tree;
    RunOptions options;
    options.program = "program";
    options.arguments = {"", "two words"};
    options.environment = {"A=1"};
    options.workdir = "/tmp";
    auto table = ModuleTable::collect(tree.program, "/program", options);
    REQUIRE(table);
    table->lay_out({8 * k_large_page});
    auto const memory = GuestMemory::create(8 * k_large_page, table->bytes);
    GuestClock clock;
    clock.base_ns = 7;
    REQUIRE(write_boot_info(*memory, options, *table, clock, ISO_BOOT_TRACE, 0x12));
    auto const boot = memory->fetch<iso_boot_info>({ISO_BOOT_INFO_GPA});
    REQUIRE(boot);
    CHECK(boot->magic == ISO_ABI_MAGIC);
    CHECK(boot->version == ISO_ABI_VERSION);
    CHECK(boot->bytes == sizeof(iso_boot_info));
    CHECK(boot->flags == ISO_BOOT_TRACE);
    CHECK(boot->ram_bytes == 8 * k_large_page);
    CHECK(boot->physical_end == 9 * k_large_page);
    CHECK(boot->argument_count == 3);
    CHECK(boot->environment_count == 1);
    CHECK(boot->clock_ns == 7);
    auto const strings = memory->at({boot->arguments}, boot->argument_bytes, Access::read);
    REQUIRE(strings);
    std::string const expected("program\0\0two words\0A=1\0", 23);
    CHECK(std::string(reinterpret_cast<char const*>(strings->data()), strings->size()) == expected);
    auto const module = memory->fetch<iso_module>({boot->modules});
    CHECK(module->gpa == table->modules[0].gpa.value);
    CHECK(module->bytes == 2);
    CHECK(module->path_bytes == 8);

    // The first stack, read as a program reads it.
    REQUIRE(boot->stack + boot->stack_bytes == ISO_STACK_GPA + ISO_STACK_BYTES);
    REQUIRE(boot->stack >= ISO_STACK_GPA);
    std::uint64_t const shift = ISO_USER_HIGH - (boot->stack + boot->stack_bytes);
    std::uint64_t at = boot->stack + boot->stack_bytes - boot->stack_used;
    CHECK(at % 16 == 0);
    auto const next = [&] {
        auto const word = memory->fetch<std::uint64_t>({at});
        at += sizeof(std::uint64_t);
        return *word;
    };
    auto const text = [&](std::uint64_t address) {
        auto const bytes = memory->at({address - shift}, ISO_USER_HIGH - address, Access::read);
        return std::string(reinterpret_cast<char const*>(bytes->data()));
    };
    CHECK(next() == 3);
    for (char const* const argument : {"program", "", "two words"})
        CHECK(text(next()) == argument);
    CHECK(next() == 0);
    CHECK(text(next()) == "A=1");
    CHECK(next() == 0);
    CHECK(at == boot->stack_headers);
    std::map<std::uint64_t, std::uint64_t> auxiliary;
    for (std::uint64_t type = next(); type != AT_NULL; type = next())
        auxiliary[type] = next();
    CHECK(auxiliary.at(AT_PAGESZ) == 4096);
    CHECK(auxiliary.at(AT_HWCAP) == 0x12);
    CHECK(text(auxiliary.at(AT_EXECFN)) == "/program");
    CHECK(text(auxiliary.at(AT_PLATFORM)) == "x86_64");
    auto const random = memory->at({auxiliary.at(AT_RANDOM) - shift}, 16, Access::read);
    CHECK(std::memcmp(random->data(), boot->random, 16) == 0);

    options.arguments.assign(1, std::string(ISO_STACK_BYTES, 'x')); // the kernel builds this one
    REQUIRE(write_boot_info(*memory, options, *table, clock, 0, 0));
    CHECK(memory->fetch<iso_boot_info>({ISO_BOOT_INFO_GPA})->stack == 0);

    options.arguments.assign(1, std::string(ISO_ARGUMENTS_BYTES, 'x'));
    auto const too_long = write_boot_info(*memory, options, *table, clock, 0, 0);
    REQUIRE_FALSE(too_long);
    CHECK_THAT(too_long.error().cause, Contains("256 KiB"));
}
