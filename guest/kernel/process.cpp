#include "guest/kernel/process.hpp"

#include "guest/kernel/console.hpp"
#include "guest/port/port.hpp"

namespace iso::guest {

namespace {

constinit Process first_process;

[[noreturn]] void end_machine(u64 by_signal, u64 value) {
    iso_doorbell& page = port::request();
    page.range_count = 0;
    page.argument[0] = by_signal;
    page.argument[1] = value;
    port::ring(ISO_OP_EXIT); // the engine writes out what the console ring holds
    port::halt();
}

} // namespace

constinit Process* current_process = &first_process;

void Process::exit(int status) {
    end_machine(0, static_cast<u64>(status & 0xff));
}

void Process::kill(int signal) {
    end_machine(1, static_cast<u64>(signal));
}

} // namespace iso::guest
