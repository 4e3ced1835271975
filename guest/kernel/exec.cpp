// execve(2): one program takes another's place in a process.
#include "guest/kernel/exec.hpp"

#include "guest/kernel/boot.hpp"
#include "guest/kernel/frame.hpp"
#include "guest/kernel/memory.hpp"
#include "guest/kernel/ramfs.hpp"
#include "guest/kernel/random.hpp"
#include "guest/kernel/syscall_path.hpp"
#include "guest/kernel/usercopy.hpp"
#include "guest/kernel/vfs.hpp"
#include "guest/port/port.hpp"

#include <asm/signal.h>

namespace iso::guest {

namespace {

constexpr u32 k_arguments_max = 65536;      // of argv, and of envp
constexpr u64 k_string_bytes_max = 2 << 20; // of both together: a quarter of the stack, as Linux
constexpr u32 k_interpreters_max = 4;       // scripts that name scripts

/// Memory of the kernel's own, while it is needed.
class Scratch {
public:
    Scratch() = default;
    Scratch(Scratch const&) = delete;
    Scratch& operator=(Scratch const&) = delete;
    ~Scratch() {
        if (pages_ != 0) frames.release(first_, pages_);
    }
    void swap(Scratch& other) {
        Gpa const first = first_;
        u32 const pages = pages_;
        first_ = other.first_;
        pages_ = other.pages_;
        other.first_ = first;
        other.pages_ = pages;
    }
    bool take(u64 bytes) {
        auto const pages = static_cast<u32>(page_up(bytes) >> k_page_bits);
        first_ = frames.take_contiguous(pages);
        if (first_ != 0) pages_ = pages;
        return first_ != 0;
    }
    char* data() const { return linear<char>(first_); }
    u64 size() const { return pages_ * k_page; }

private:
    Gpa first_ = 0;
    u32 pages_ = 0;
};

/// argv's and envp's strings, one behind the other.
struct Strings {
    Scratch memory;
    u64 bytes = 0;
    u64 argument_bytes = 0;
    u32 argument_count = 0;
    u32 environment_count = 0;

    Result push(Text text) {
        if (bytes + text.size + 1 > memory.size()) return -E2BIG;
        copy_small(memory.data() + bytes, text.data, text.size);
        bytes += text.size;
        memory.data()[bytes++] = 0;
        return 0;
    }
};

// How many pointers there are, and how long their strings. The program may change them before they
// are copied: then the copy ends where the memory does.
Result measure(UserAddr list, u32& count, u64& bytes) {
    count = 0;
    if (list == 0) return 0; // Linux takes it for an empty list
    for (;; ++count) {
        UserAddr text = 0;
        if (Result const result = get_user(text, list + count * 8); result != 0) return result;
        if (text == 0) return 0;
        if (count == k_arguments_max) return -E2BIG;
        for (bool more = true; more;) {
            Gpa const gpa = user_page(text, Access::read);
            if (gpa == 0) return bad_pointer();
            u64 const room = k_page - (text & (k_page - 1));
            u64 const length = text_length(linear<char>(gpa), room);
            more = length == room;
            text += length;
            bytes += length;
            if (bytes > k_string_bytes_max) return -E2BIG;
        }
        ++bytes;
    }
}

Result copy_strings(Strings& strings, UserAddr list, u32 count) {
    for (u32 i = 0; i < count; ++i) {
        UserAddr text = 0;
        if (Result const result = get_user(text, list + i * 8); result != 0) return result;
        u64 const room = strings.memory.size() - strings.bytes;
        if (room == 0) return -E2BIG;
        Result const length = copy_string(strings.memory.data() + strings.bytes, text, room);
        if (length < 0) return length == -ENAMETOOLONG ? -E2BIG : length;
        strings.bytes += static_cast<u64>(length) + 1;
    }
    return 0;
}

/// What is to be run, found before anything of the old program goes.
struct Program {
    Scratch path; // one page; the strings below point into it
    Text name;    // as AT_EXECFN shows it
    Node* file = nullptr;
    ElfImage image;
};

// What the headers of a file lie in: all of a file that the engine passed in, of others the first
// page.
u8 const* first_bytes(Node& file, u64& bytes) {
    if (!is_paged(file)) {
        bytes = file.size;
        return bytes != 0 ? linear(file.data) : nullptr;
    }
    Gpa const gpa = file_page(file, 0, false);
    bytes = smaller(file.size, k_page);
    return gpa != 0 && gpa != k_no_page ? linear(gpa) : nullptr;
}

Result find_program(Program& program) {
    if (Result const result =
            vfs::lookup(paths::working_directory(), program.name, true, program.file);
        result != 0)
        return result;
    Node& file = *program.file;
    if (!vfs::is_file(&file)) return -EACCES;
    return (file.mode & 0111) != 0 ? vfs::permits(&file, 1) : -EACCES;
}

// "#! INTERPRETER [ARGUMENT]": the interpreter takes the script's place, and gets its name
// (execve(2)).
Result take_interpreter(Program& program, Strings& strings, char const* line, u64 bytes) {
    constexpr u64 k_line_max = 256;
    bytes = smaller(bytes, k_line_max);
    u64 at = 2;
    auto const word = [&](bool to_end) {
        while (at < bytes && (line[at] == ' ' || line[at] == '\t'))
            ++at;
        u64 const start = at;
        while (at < bytes && line[at] != '\n' && (to_end || (line[at] != ' ' && line[at] != '\t')))
            ++at;
        u64 end = at;
        while (end > start && (line[end - 1] == ' ' || line[end - 1] == '\t'))
            --end;
        return Text(line + start, end - start);
    };
    Text const interpreter = word(false);
    Text const argument = word(true);
    if (interpreter.empty() || at == bytes) return -ENOEXEC;

    // argv[0] makes way for the interpreter, its argument, and the script's name.
    Strings changed;
    if (!changed.memory.take(strings.bytes + interpreter.size + argument.size + program.name.size +
                             3))
        return -ENOMEM;
    changed.push(interpreter);
    if (!argument.empty()) changed.push(argument);
    changed.push(program.name);
    changed.argument_count = (argument.empty() ? 2 : 3);
    u64 const first =
        strings.argument_count == 0 ? 0 : text_length(strings.memory.data(), strings.bytes) + 1;
    if (strings.argument_count != 0) changed.argument_count += strings.argument_count - 1;
    copy_small(changed.memory.data() + changed.bytes, strings.memory.data() + first,
               strings.bytes - first);
    changed.argument_bytes = changed.bytes + strings.argument_bytes - first;
    changed.bytes += strings.bytes - first;
    char* const name = program.path.data();
    copy_small(name, interpreter.data, interpreter.size);
    program.name = {name, interpreter.size};

    strings.memory.swap(changed.memory);
    strings.bytes = changed.bytes;
    strings.argument_bytes = changed.argument_bytes;
    strings.argument_count = changed.argument_count;
    return 0;
}

Result read_program(Program& program, Strings& strings) {
    for (u32 i = 0; i <= k_interpreters_max; ++i) {
        if (Result const result = find_program(program); result != 0) return result;
        u64 bytes = 0;
        u8 const* const data = first_bytes(*program.file, bytes);
        if (data == nullptr || bytes < 4) return -ENOEXEC;
        if (data[0] != '#' || data[1] != '!')
            return read_elf(data, bytes, program.file->size, program.image);
        if (Result const result =
                take_interpreter(program, strings, reinterpret_cast<char const*>(data), bytes);
            result != 0)
            return result;
    }
    return -ELOOP;
}

// From here on there is no way back: the old program is gone.
Result replace_memory(Program& program, Strings const& strings, UserAddr& stack) {
    Process& process = current();
    AddressSpace& memory = process.memory();
    static u8 random[16];
    random_bytes(random, sizeof random);
    Vma* const area = copy_area({});
    if (area == nullptr) return -ENOMEM;
    if (Result const result = map_segments(memory, program.image, *program.file, nullptr);
        result != 0)
        return result;
    FrameRun const run = make_stack(
        {
            .strings = {strings.memory.data(), strings.bytes},
            .argument_count = strings.argument_count,
            .environment_count = strings.environment_count,
            .executable = program.name,
            .random = random,
            .image = &program.image,
            .uid = boot_info().host_uid,
            .gid = boot_info().host_gid,
            .hardware_capabilities = port::hardware_capabilities(),
        },
        stack);
    process.arguments =
        k_stack_top - 9 - program.name.size - strings.bytes; // as build_stack puts it
    process.arguments_bytes = strings.argument_bytes;
    process.environment_bytes = strings.bytes - strings.argument_bytes;
    return map_stack(memory, run, *area);
}

// An empty space of its own: the old one emptied, unless others go on in it.
Result take_empty_space(Process& process) {
    Thread& thread = this_thread();
    if (process.space->users == 1) {
        process.space->clear();
    } else {
        AddressSpace* const fresh = make_space();
        if (fresh == nullptr) return -ENOMEM;
        if (port::k_fpu_per_space) process.space->registers_of = nullptr;
        port::switch_space(fresh->table);
        this_cpu.space = fresh;
        AddressSpace* const old = process.space;
        process.space = thread.space = fresh;
        drop_space(old);
    }
    process.tell_vfork_parent();
    (port::k_fpu_per_space ? process.space->registers_of : this_cpu.registers_of) = &thread;
    port::fpu_reset();
    return 0;
}

void forget_old_program(Process& process, Program const& program) {
    Thread& thread = this_thread();
    process.files().close_for_exec();
    for (SignalAction& action : process.actions->of)
        if (action.handler > 1) action = {};
    thread.signals.stack = {};
    thread.clear_on_exit = thread.robust_list = 0;
    vfs::hold(program.file);
    if (process.executable != nullptr) vfs::unhold(process.executable);
    process.executable = program.file;
    u64 start = program.name.size;
    while (start > 0 && program.name[start - 1] != '/')
        --start;
    Text const name = program.name.from(start);
    process.set_name(name);
}

Result read_arguments(Program& program, Strings& strings, u64 const* argument) {
    if (!program.path.take(k_page)) return -ENOMEM;
    Result const length = copy_string(program.path.data(), argument[0], k_page);
    if (length < 0) return length;
    program.name = {program.path.data(), static_cast<u64>(length)};
    u64 bytes = 0;
    Result result = measure(argument[1], strings.argument_count, bytes);
    if (result == 0) result = measure(argument[2], strings.environment_count, bytes);
    if (result == 0 && !strings.memory.take(bytes + 1)) result = -ENOMEM;
    if (result == 0) result = copy_strings(strings, argument[1], strings.argument_count);
    strings.argument_bytes = strings.bytes;
    if (result == 0) result = copy_strings(strings, argument[2], strings.environment_count);
    return result;
}

// `doomed` when the old program is gone and the new one cannot be: there is no memory for it.
Result take_place(TrapFrame& frame, bool& doomed) {
    Process& process = current();
    Program program;
    Strings strings;
    Result result = read_arguments(program, strings, this_thread().argument);
    if (result == 0) result = read_program(program, strings);
    if (result == 0) result = process.own_actions();
    if (result == 0) result = process.own_files();
    if (result != 0) return result;
    if (!process.end_other_threads()) return -EINTR; // nobody sees it
    // Whoever executes a program becomes the process's first thread (execve(2)).
    this_thread().tid = process.pid;
    process.exit_signal = SIGCHLD;

    doomed = true;
    if (Result const failed = take_empty_space(process); failed != 0) return failed;
    forget_old_program(process, program);
    UserAddr stack = 0;
    if (Result const failed = replace_memory(program, strings, stack); failed != 0) return failed;
    doomed = false;
    set_start(frame, program.image.entry, stack);
    return 0;
}

} // namespace

// Nothing that has to be given back may live where a process ends: that does not return.
Result execute(TrapFrame& frame) {
    bool doomed = false;
    Result const result = take_place(frame, doomed);
    if (doomed) current().kill_out_of_memory();
    return result;
}

} // namespace iso::guest
