#include "common/machine/initial_stack.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include <linux/auxvec.h>

namespace iso {

namespace {

constexpr std::uint64_t k_room = 3 * k_page; // what a program uses of its stack before long
constexpr std::uint64_t k_end = ISO_STACK_GPA + ISO_STACK_BYTES;

/// The strings at the stack's end, each with the program's address of it.
class Strings {
public:
    std::uint64_t add(std::string_view text) {
        std::uint64_t const offset = bytes_.size();
        bytes_.append(text);
        bytes_ += '\0';
        return offset;
    }
    /// A zero word ends the stack, as on Linux; before the strings no alignment is asked for.
    [[nodiscard]] std::uint64_t size() const { return bytes_.size() + sizeof(std::uint64_t); }
    [[nodiscard]] std::uint64_t address(std::uint64_t offset) const {
        return ISO_USER_HIGH - size() + offset;
    }
    [[nodiscard]] std::string const& bytes() const { return bytes_; }

private:
    std::string bytes_;
};

} // namespace

void build_stack(GuestMemory const& memory, RunOptions const& options,
                 std::string const& executable, std::uint32_t hardware_capabilities,
                 iso_boot_info& boot) {
    Strings strings;
    std::vector<std::uint64_t> arguments{strings.add(options.program)};
    for (std::string const& argument : options.arguments)
        arguments.push_back(strings.add(argument));
    std::vector<std::uint64_t> environment;
    for (std::string const& variable : options.environment)
        environment.push_back(strings.add(variable));
    std::uint64_t const path = strings.add(executable);
    std::uint64_t const platform = strings.add("x86_64");
    std::uint64_t const random = strings.add({reinterpret_cast<char const*>(boot.random), 16});

    std::vector<std::uint64_t> words{arguments.size()};
    auto const pointers = [&](std::vector<std::uint64_t> const& offsets) {
        for (std::uint64_t const offset : offsets)
            words.push_back(strings.address(offset));
        words.push_back(0);
    };
    pointers(arguments);
    pointers(environment);
    std::uint64_t const headers = words.size();
    for (std::uint64_t const word : std::initializer_list<std::uint64_t>{
             AT_PHDR,        0,
             AT_PHNUM,       0,
             AT_ENTRY,       0,
             AT_PHENT,       56, // sizeof(Elf64_Phdr): the kernel refuses any other
             AT_HWCAP,       hardware_capabilities,
             AT_PAGESZ,      k_page,
             AT_CLKTCK,      100,
             AT_BASE,        0,
             AT_FLAGS,       0,
             AT_UID,         boot.host_uid,
             AT_EUID,        boot.host_uid,
             AT_GID,         boot.host_gid,
             AT_EGID,        boot.host_gid,
             AT_SECURE,      0,
             AT_RANDOM,      strings.address(random),
             AT_EXECFN,      strings.address(path),
             AT_PLATFORM,    strings.address(platform),
             AT_MINSIGSTKSZ, 2048,
             AT_NULL,        0})
        words.push_back(word);

    std::uint64_t const word_bytes = words.size() * sizeof words[0];
    // ISO_USER_HIGH is a multiple of 16, and so must the stack pointer be.
    std::uint64_t const used = (strings.size() + word_bytes + 15) & ~std::uint64_t{15};
    std::uint64_t const bytes = round_up(used, k_page) + k_room;
    if (bytes > ISO_STACK_BYTES) return;
    auto const place = memory.at({k_end - used}, used, Access::write);
    if (!place) return;
    std::memcpy(place->data(), words.data(), word_bytes);
    std::memcpy(place->data() + (used - strings.size()), strings.bytes().data(),
                strings.bytes().size());
    boot.stack = k_end - bytes;
    boot.stack_bytes = bytes;
    boot.stack_used = used;
    boot.stack_headers = k_end - used + headers * sizeof words[0];
}

} // namespace iso
