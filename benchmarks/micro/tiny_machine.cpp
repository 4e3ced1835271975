#include "benchmarks/micro/tiny_machine.hpp"

#include <fcntl.h>

#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

namespace iso::micro {

namespace {
constexpr std::size_t k_memory_bytes = 0x10000;
constexpr std::size_t k_code = 0x1000;
} // namespace

TinyMachine::TinyMachine(unsigned instructions)
    : good_(create(instructions)) {}

TinyMachine::~TinyMachine() {
    if (run_ != nullptr) ::munmap(run_, run_bytes_);
    if (memory_ != nullptr) ::munmap(memory_, k_memory_bytes);
}

bool TinyMachine::create(unsigned instructions) {
    if (instructions > k_memory_bytes / 2) return false;
    kvm_ = Fd(::open("/dev/kvm", O_RDWR | O_CLOEXEC));
    if (!kvm_) return false;
    machine_ = Fd(::ioctl(kvm_.get(), KVM_CREATE_VM, 0UL));
    if (!machine_) return false;
    void* const memory =
        ::mmap(nullptr, k_memory_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return false;
    memory_ = static_cast<unsigned char*>(memory);

    unsigned char* code = memory_ + k_code;
    for (unsigned i = 0; i < instructions; ++i)
        *code++ = 0x40; // inc ax
    *code++ = 0xe6;     // out 0x80, al
    *code++ = 0x80;
    auto const back = static_cast<int>(memory_ + k_code - (code + 3));
    *code++ = 0xe9; // jmp to the beginning
    *code++ = static_cast<unsigned char>(back & 0xff);
    *code++ = static_cast<unsigned char>((back >> 8) & 0xff);

    kvm_userspace_memory_region region{};
    region.memory_size = k_memory_bytes;
    region.userspace_addr = reinterpret_cast<std::uintptr_t>(memory_);
    if (::ioctl(machine_.get(), KVM_SET_USER_MEMORY_REGION, &region) != 0) return false;
    processor_ = Fd(::ioctl(machine_.get(), KVM_CREATE_VCPU, 0UL));
    if (!processor_) return false;
    int const bytes = ::ioctl(kvm_.get(), KVM_GET_VCPU_MMAP_SIZE, 0);
    if (bytes <= 0) return false;
    run_bytes_ = static_cast<std::size_t>(bytes);
    void* const run =
        ::mmap(nullptr, run_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, processor_.get(), 0);
    if (run == MAP_FAILED) return false;
    run_ = static_cast<::kvm_run*>(run);

    kvm_sregs system{};
    if (::ioctl(processor_.get(), KVM_GET_SREGS, &system) != 0) return false;
    system.cs.base = 0;
    system.cs.selector = 0;
    kvm_regs registers{};
    registers.rip = k_code;
    registers.rflags = 2;
    return ::ioctl(processor_.get(), KVM_SET_SREGS, &system) == 0 &&
           ::ioctl(processor_.get(), KVM_SET_REGS, &registers) == 0;
}

bool TinyMachine::run() {
    return ::ioctl(processor_.get(), KVM_RUN, 0) == 0 && run_->exit_reason == KVM_EXIT_IO;
}

} // namespace iso::micro
