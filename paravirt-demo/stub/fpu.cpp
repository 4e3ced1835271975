#include "paravirt-demo/stub/fpu.hpp"

#include "paravirt-demo/stub/host_frame.hpp"

namespace iso::pv {

namespace {

// Intel SDM volume 1, 13.4: the legacy region is FXSAVE's, the header follows, then the components
// at offsets that CPUID leaf 0xd gives.
struct alignas(64) XsaveArea {
    uint16_t control;
    uint16_t status;
    uint8_t tags;
    uint8_t reserved;
    uint16_t opcode;
    uint64_t instruction;
    uint64_t operand;
    uint32_t mxcsr;
    uint32_t mxcsr_mask;
    uint64_t registers[54]; ///< x87 and XMM; the last six words below are software's
    uint64_t software[6];
    uint64_t present; ///< XSTATE_BV: components that are not in their initial state
    uint64_t compact; ///< XCOMP_BV: 0 in the format of signal frames
    uint64_t header_reserved[6];
};
static_assert(sizeof(XsaveArea) == 512 + 64 && offsetof(XsaveArea, software) == 464);

struct Bases {
    uint64_t fs, gs;
};

constexpr uint16_t k_initial_control = 0x37f; // as FNINIT leaves it
constexpr uint32_t k_initial_mxcsr = 0x1f80;  // all exceptions masked
constexpr uint64_t k_user_half = 0x7fff'ffff'ffff;

/// What no program here has: the host grants the tiles of AMX to those who ask (arch_prctl(2)), and
/// its frames have no room for them otherwise.
constexpr uint64_t k_tiles = uint64_t{3} << 17U;

/// What of the host's processor a frame holds. The host's word, not U's.
struct Layout {
    uint64_t components = 3; ///< x87 and SSE: always there
    uint32_t bytes = sizeof(XsaveArea);
    uint32_t mxcsr_bits = 0;
};

struct Cpuid {
    uint32_t eax, ebx, ecx, edx;
};
Cpuid cpuid(uint32_t leaf, uint32_t subleaf) {
    Cpuid r;
    asm volatile("cpuid"
                 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                 : "a"(leaf), "c"(subleaf));
    return r;
}

Layout measure() {
    Layout layout;
    uint32_t low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    layout.components = (uint64_t{high} << 32U | low) & ~k_tiles;
    for (uint32_t i = 2; i < 63; ++i) {
        if ((layout.components >> i & 1U) == 0) continue;
        Cpuid const component = cpuid(0xd, i);
        uint32_t const end = component.ebx + component.eax; // offset and size
        if (end > layout.bytes) layout.bytes = end;
    }
    layout.bytes = (layout.bytes + 7) & ~7U; // no more: what follows a frame is not its own
    XsaveArea now;
    asm volatile("fxsave64 %0" : "=m"(now));
    layout.mxcsr_bits = now.mxcsr_mask != 0 ? now.mxcsr_mask : 0xffbf;
    return layout;
}

/// Asked for once, and late: under a hypervisor each CPUID costs microseconds, and most programs
/// have one thread and no signal handlers.
Layout const& layout() {
    static Layout known;
    if (known.mxcsr_bits == 0) known = measure();
    return known;
}

XsaveArea& frame_area(Space& space) {
    return *static_cast<XsaveArea*>(fpu_of_frame(space, layout().bytes));
}

void copy(void* to, void const* from, uint64_t bytes) { // a multiple of 8
    uint64_t words = bytes / 8;
    asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

Bases& bases_of(void* state) {
    return *reinterpret_cast<Bases*>(static_cast<char*>(state) + layout().bytes);
}
Bases const& bases_of(void const* state) {
    return *reinterpret_cast<Bases const*>(static_cast<char const*>(state) + layout().bytes);
}

} // namespace

uint32_t fpu_bytes() {
    return layout().bytes + static_cast<uint32_t>(sizeof(Bases));
}

void save_fpu(Space& space, void* to) {
    copy(to, &frame_area(space), layout().bytes);
    bases_of(to) = {space.command().fs_base, space.command().gs_base};
    ++control().fpu_copies;
}

void restore_fpu(Space& space, void const* from) {
    copy(&frame_area(space), from, layout().bytes);
    Bases const& bases = bases_of(from);
    space.command().fs_base = bases.fs & k_user_half; // another one would fault in the stub
    space.command().gs_base = bases.gs & k_user_half;
    ++control().fpu_copies;
}

void reset_fpu(Space& space) {
    XsaveArea& area = frame_area(space);
    area.control = k_initial_control;
    area.status = 0;
    area.tags = 0;
    area.opcode = 0;
    area.instruction = 0;
    area.operand = 0;
    area.mxcsr = k_initial_mxcsr; // loaded whatever XSTATE_BV says
    for (uint64_t& word : area.registers)
        word = 0;
    area.present = 0;
    area.compact = 0;
    for (uint64_t& word : area.header_reserved)
        word = 0;
    // What is not present is not loaded, but it would be seen in a signal frame.
    uint64_t const rest = layout().bytes - sizeof(XsaveArea);
    auto* const components = reinterpret_cast<uint64_t*>(&area + 1);
    for (uint64_t i = 0; i < rest / sizeof(uint64_t); ++i)
        components[i] = 0;
    space.command().fs_base = 0;
    space.command().gs_base = 0;
}

bool sanitize_fpu(Space& space, void* state) {
    XsaveArea& area = *static_cast<XsaveArea*>(state);
    if (area.compact != 0) return false; // no frame of ours: where things lie would be another
    area.mxcsr &= layout().mxcsr_bits;
    area.present &= layout().components;
    for (uint64_t& word : area.header_reserved)
        word = 0;
    bases_of(state) = {space.command().fs_base, space.command().gs_base};
    return true;
}

} // namespace iso::pv
