#include "benchmarks/workloads/runtime/workload.hpp"

#include "benchmarks/workloads/runtime/text.hpp"
#include "common/sha256.hpp"

#include <elf.h>

extern "C" Elf64_Ehdr const __ehdr_start; // defined by the linker: the mapped ELF header

namespace iso::workload {

namespace {

constexpr int k_stdout = 1;
constexpr int k_stderr = 2;
constexpr int k_status_usage = 2;
constexpr int k_status_failed = 3;
constexpr int k_status_not_available = 4;
constexpr char const* k_identity = "identity=1";

/// Writes one line and ends. A result that cannot be delivered is a failure.
[[noreturn]] void finish(Text const& line, int status = 0) {
    long const written = linux_call::write_all(k_stdout, line.data(), line.size());
    if (written != 0) fail("cannot write the result, errno", static_cast<uint64_t>(-written));
    linux_call::exit_with(status);
}

/// SHA-256 over the mapped file bytes of every PT_LOAD segment, in order: the same as
/// ElfImage::mapped_sha256 over the file.
void take_identity(char (&hex)[2 * Sha256::digest_size + 1]) {
    Elf64_Ehdr const* const header = &__ehdr_start;
    auto const base = reinterpret_cast<uintptr_t>(header);
    auto const* const table = reinterpret_cast<Elf64_Phdr const*>(base + header->e_phoff);
    Sha256 hash;
    for (unsigned i = 0; i < header->e_phnum; ++i)
        if (table[i].p_type == PT_LOAD)
            hash.update(reinterpret_cast<void const*>(table[i].p_vaddr), table[i].p_filesz);
    hash.finish_hex(hex);
}

bool parse_number(char const* text, uint64_t& value) {
    uint64_t number = 0;
    if (*text < '0' || *text > '9') return false;
    for (; *text >= '0' && *text <= '9'; ++text)
        if (__builtin_mul_overflow(number, uint64_t{10}, &number) ||
            __builtin_add_overflow(number, static_cast<uint64_t>(*text - '0'), &number))
            return false;
    unsigned shift = 0;
    if (*text == 'K') shift = 10;
    if (*text == 'M') shift = 20;
    if (*text == 'G') shift = 30;
    if (shift != 0) ++text;
    value = number << shift;
    return *text == '\0' && value >> shift == number;
}

/// Sets the parameter that an argument names.
void take_argument(char const* argument) {
    for (size_t i = 0; i < k_parameter_count; ++i) {
        Parameter& parameter = *k_parameters[i];
        size_t const length = text_length(parameter.name);
        size_t matched = 0;
        while (matched < length && argument[matched] == parameter.name[matched])
            ++matched;
        if (matched != length || argument[length] != '=') continue;
        if (parameter.text != nullptr) {
            parameter.text = argument + length + 1;
            return;
        }
        if (!parse_number(argument + length + 1, parameter.value)) refuse("not a number", argument);
        return;
    }
    refuse("unknown argument", argument);
}

} // namespace

bool equal(char const* a, char const* b) {
    while (*a != '\0' && *a == *b) {
        ++a;
        ++b;
    }
    return *a == *b;
}

void refuse(char const* what, char const* argument) {
    Text line;
    line.add(k_name).add(": ").add(what).add(": '").add(argument).add("'; it takes");
    for (size_t i = 0; i < k_parameter_count; ++i) {
        line.add(" ").add(k_parameters[i]->name).add("=");
        if (k_parameters[i]->text != nullptr)
            line.add(k_parameters[i]->text);
        else
            line.add_decimal(k_parameters[i]->value);
    }
    line.add(" ").add(k_identity).add("\n");
    (void)linux_call::write_all(k_stderr, line.data(), line.size());
    linux_call::exit_with(k_status_usage);
}

void fail(char const* what, uint64_t value) {
    Text line;
    line.add(k_name).add(": ").add(what).add(": ").add_decimal(value).add("\n");
    (void)linux_call::write_all(k_stderr, line.data(), line.size());
    linux_call::exit_with(k_status_failed);
}

void not_available(char const* what, uint64_t error) {
    Text line;
    line.add("{\"workload\":\"").add(k_name).add("\",\"not_available\":\"").add(what);
    finish(line.add("\",\"errno\":").add_decimal(error).add("}\n"), k_status_not_available);
}

long need(char const* what, long result) {
    if (!linux_call::failed(result)) return result;
    switch (result) {
    case -38: // ENOSYS
    case -93: // EPROTONOSUPPORT
    case -95: // EOPNOTSUPP
    case -97: // EAFNOSUPPORT
        not_available(what, static_cast<uint64_t>(-result));
    default:
        break;
    }
    Text line;
    line.add(what).add(" failed, errno\0", 15);
    fail(line.data(), static_cast<uint64_t>(-result));
}

namespace {

[[noreturn]] void print_identity(char const* hex) {
    Text line;
    finish(
        line.add("{\"workload\":\"").add(k_name).add("\",\"identity\":\"").add(hex).add("\"}\n"));
}

[[noreturn]] void print_outcome(Outcome const& outcome, uint64_t entry_ns) {
    Text line;
    line.add("{\"workload\":\"").add(k_name).add("\"");
    if (outcome.measured)
        line.add(",\"ops\":")
            .add_decimal(outcome.ops)
            .add(",\"ns\":")
            .add_decimal(outcome.ns)
            .add(",\"checksum\":\"")
            .add_hex16(outcome.checksum)
            .add("\"");
    if (outcome.bytes != 0) line.add(",\"bytes\":").add_decimal(outcome.bytes);
    finish(line.add(",\"entry_ns\":").add_decimal(entry_ns).add("}\n"));
}

} // namespace

} // namespace iso::workload

/// The whole life of a workload. `stack` holds argc, then the argument pointers.
extern "C" [[noreturn]] void iso_entry(char const* const* stack) {
    using namespace iso::workload;
    // The first act. Nothing but the stack is written before the identity has been taken.
    uint64_t const entry_ns = iso::linux_call::monotonic_ns();
    auto const count = static_cast<size_t>(reinterpret_cast<uintptr_t>(stack[0]));
    char const* const* const arguments = stack + 1;

    bool identity = false;
    for (size_t i = 1; i < count; ++i)
        identity = identity || equal(arguments[i], k_identity);
    char hex[2 * iso::Sha256::digest_size + 1] = {};
    if (identity) take_identity(hex);

    for (size_t i = 1; i < count; ++i)
        if (!equal(arguments[i], k_identity)) take_argument(arguments[i]);
    if (identity) print_identity(hex);
    print_outcome(run(), entry_ns);
}
