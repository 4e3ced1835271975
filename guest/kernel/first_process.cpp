// The program that the engine passed in: the first process, made of what lies in the image.
#include "guest/kernel/boot.hpp"
#include "guest/kernel/exec.hpp"
#include "guest/kernel/frame.hpp"
#include "guest/kernel/log.hpp"
#include "guest/kernel/vfs.hpp"
#include "guest/port/port.hpp"

namespace iso::guest {

namespace {

// Areas that are there without being allocated, their defaults in the image.
struct FirstAreas {
    Vma segments[ElfImage::k_segments];
    Vma stack;
};
constinit FirstAreas first_areas;

// Most engines have built the stack; then only what the program's headers say is missing.
FrameRun first_stack(iso_boot_info const& boot, ElfImage const& image, UserAddr& pointer) {
    if (boot.stack != 0) {
        auto* const pairs = linear<u64>(boot.stack_headers);
        pairs[1] = image.headers;      // AT_PHDR
        pairs[3] = image.header_count; // AT_PHNUM
        pairs[5] = image.entry;        // AT_ENTRY
        pointer = k_stack_top - boot.stack_used;
        auto const pages = static_cast<u32>(boot.stack_bytes >> k_page_bits);
        frames.adopt(pages);
        return {boot.stack, pages};
    }
    return make_stack(
        {
            .strings = {linear<char>(boot.arguments), boot.argument_bytes},
            .argument_count = boot.argument_count,
            .environment_count = boot.environment_count,
            .executable = module_path(boot_modules()[0]),
            .random = boot.random,
            .image = &image,
            .uid = boot.host_uid,
            .gid = boot.host_gid,
            .hardware_capabilities = port::hardware_capabilities(),
        },
        pointer);
}

} // namespace

void run_first_process() {
    iso_boot_info const& boot = boot_info();
    iso_module const& program = boot_modules()[0];
    Process& process = first_process;
    first_thread.stack_top = port::kernel_stack_top();
    first_thread.cycles_at_start = boot.clock_tsc;
    first_space.registers_of = &first_thread;
    port::first_space(first_space.table);
    if ((boot.flags & ISO_BOOT_STDIN_CLOSED) != 0) process.files().close(0);

    static constinit ElfImage image; // too large for comfort on the stack
    if (program.gpa == 0 || read_elf(linear(program.gpa), program.bytes, program.bytes, image) != 0)
        panic("the program is not a static x86-64 executable");
    vfs::program_file.data = program.gpa;
    vfs::program_file.holds = image.segment_count; // each area's
    UserAddr stack = 0;
    if (map_segments(first_space, image, vfs::program_file, first_areas.segments) != 0 ||
        map_stack(first_space, first_stack(boot, image, stack), first_areas.stack) != 0)
        process.kill_out_of_memory();

    static constinit TrapFrame frame{};
    set_start(frame, image.entry, stack);
    port::enter_user(frame);
}

} // namespace iso::guest
