// Programs that cannot be run: the message names the cause, the status is the shell's.
#include "common/temp_dir.hpp"
#include "tests/cli/cli.hpp"

#include <cstring>
#include <elf.h>
#include <filesystem>
#include <fstream>
#include <functional>

namespace {

using namespace iso::test;

/// Writes an executable file and returns its path.
std::string put(iso::TempDir const& dir, std::string const& name, std::string const& bytes) {
    std::string const path = dir.path() + "/" + name;
    std::ofstream(path, std::ios::binary) << bytes;
    std::filesystem::permissions(path, std::filesystem::perms(0755));
    return path;
}

iso::TempDir public_directory() {
    auto dir = iso::TempDir::create("isolab-cli").value();
    std::filesystem::permissions(dir.path(), std::filesystem::perms(0755));
    return dir;
}

/// hello with its headers spoilt.
std::string spoilt(std::function<void(Elf64_Ehdr&, Elf64_Phdr*)> const& spoil) {
    std::string bytes = iso::read_file(workload_path("hello")).value();
    Elf64_Ehdr header;
    Elf64_Phdr segments[4];
    std::memcpy(&header, bytes.data(), sizeof header);
    std::memcpy(segments, bytes.data() + header.e_phoff, sizeof segments);
    auto const where = header.e_phoff;
    spoil(header, segments);
    std::memcpy(bytes.data(), &header, sizeof header);
    std::memcpy(bytes.data() + where, segments, sizeof segments);
    return bytes;
}

void check_refused(std::string const& program, std::string const& path, int status,
                   std::string const& cause) {
    Ran const ran = call(program, {"run", "--", path});
    INFO("expected cause: " << cause);
    check_told(program, ran, status);
    CHECK_THAT(ran.err, Catch::Contains(cause));
    CHECK_THAT(ran.err, Catch::Contains(path.substr(path.rfind('/') + 1)));
}

} // namespace

ISO_CLI_ENGINES("a program that is not there ends with 127") {
    check_refused(program, "/no/such/program", 127, "No such file");
    check_refused(program, "no-such-program-in-path", 127, "not found");
    check_refused(program, workload_path("hello") + "/below", 127, "Not a directory");
}

ISO_CLI_ENGINES("a program that may not be executed ends with 126") {
    auto const dir = public_directory();
    std::string const plain = put(dir, "plain", iso::read_file(workload_path("hello")).value());
    std::filesystem::permissions(plain, std::filesystem::perms(0644));
    check_refused(program, plain, 126, "Permission denied");
    check_refused(program, dir.path(), 126, "not a regular file");
    check_refused(program, "/dev/null", 126, "not a regular file");
}

ISO_CLI_ENGINES("a file that is no static x86-64 executable ends with 126 and its cause") {
    auto const dir = public_directory();
    std::string const hello = iso::read_file(workload_path("hello")).value();
    check_refused(program, put(dir, "empty", ""), 126, "not an ELF file");
    check_refused(program, put(dir, "text", "just some text\n"), 126, "not an ELF file");
    check_refused(program, put(dir, "script", "#!/bin/sh\nexit 0\n"), 126, "not an ELF file");
    check_refused(program, put(dir, "header-only", hello.substr(0, 40)), 126, "truncated");
    check_refused(program, put(dir, "cut", hello.substr(0, 0x1800)), 126, "truncated");
    check_refused(
        program,
        put(dir, "narrow", spoilt([](auto& h, auto*) { h.e_ident[EI_CLASS] = ELFCLASS32; })), 126,
        "32-bit");
    check_refused(program,
                  put(dir, "arm", spoilt([](auto& h, auto*) { h.e_machine = EM_AARCH64; })), 126,
                  "another machine");
    check_refused(program, put(dir, "object", spoilt([](auto& h, auto*) { h.e_type = ET_REL; })),
                  126, "not an executable");
}

ISO_CLI_ENGINES("a dynamically linked program ends with 126 and says what to do") {
    std::string const path = "/usr/bin/env";
    Ran const ran = call(program, {"run", "--", path});
    check_told(program, ran, 126);
    CHECK_THAT(ran.err, Catch::Contains("dynamically linked") && Catch::Contains("-static"));
}

ISO_CLI_ENGINES("a hostile ELF is refused, not obeyed") {
    auto const dir = public_directory();
    struct Case {
        char const* name;
        char const* cause;
        std::function<void(Elf64_Ehdr&, Elf64_Phdr*)> spoil;
    };
    std::vector<Case> const cases = {
        {"kernel-address", "outside the user address space",
         [](auto&, auto* p) { p[1].p_vaddr = 0xffff'ffff'8000'1000; }},
        {"wrapping", "outside the user address space",
         [](auto&, auto* p) { p[2].p_memsz = ~std::uint64_t{0} - 0x1000; }},
        {"huge-offset", "outside the file",
         [](auto&, auto* p) { p[1].p_offset = ~std::uint64_t{0xfff}; }},
        {"overlap", "overlaps", [](auto&, auto* p) { p[2].p_vaddr = p[1].p_vaddr; }},
        {"backwards", "larger in the file than in memory",
         [](auto&, auto* p) { p[1].p_memsz = 1; }},
        {"no-entry", "entry point", [](auto& h, auto*) { h.e_entry = 0x7777'0000; }},
        {"entry-in-data", "entry point", [](auto& h, auto* p) { h.e_entry = p[2].p_vaddr; }},
        {"low", "below 64 KiB",
         [](auto& h, auto* p) {
             h.e_entry = 0x1000;
             p[0].p_vaddr = 0;
             p[1].p_vaddr = 0x1000;
         }},
        {"many-headers", "program headers", [](auto& h, auto*) { h.e_phnum = 0xffff; }},
        {"no-headers", "no program headers", [](auto& h, auto*) { h.e_phnum = 0; }},
        {"nothing", "nothing to load",
         [](auto&, auto* p) { p[0].p_type = p[1].p_type = p[2].p_type = PT_NOTE; }},
    };
    for (Case const& c : cases)
        check_refused(program, put(dir, c.name, spoilt(c.spoil)), 126, c.cause);
}

ISO_CLI_ENGINES("more memory than there is ends clearly") {
    auto const dir = public_directory();
    // A segment of 32 TiB: a well-formed wish.
    std::string const path =
        put(dir, "greedy", spoilt([](auto&, auto* p) { p[2].p_memsz = std::uint64_t{32} << 40U; }));
    Ran const ran = call(program, {"run", "--memory=64M", "--", path});
    INFO(ran.err);
    // Native Linux maps it lazily, or refuses with SIGKILL during exec; an engine may refuse as
    // well.
    CHECK((ran.status == 0 || ran.status == 125 || ran.status == 126 || ran.status == 137 ||
           ran.status == 139));
}
