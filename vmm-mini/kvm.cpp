#include "vmm-mini/kvm.hpp"

#include "vmm-mini/kvm_arrays.hpp"

#include <fmt/format.h>

#include <cerrno>

namespace iso::vmm {

namespace {

constexpr int k_api_version = 12; // the only one since Linux 2.6.22 (api.rst 4.1)

Error opening_failed(std::string const& path, int code) {
    Error failure{"open(" + path + ")", std::strerror(code), {}, code};
    switch (code) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
        failure.cause += "; vmm-mini needs KVM and has no software CPU to fall back on";
        failure.hint =
            "modprobe kvm_intel (or kvm_amd), switch virtualization on in the firmware, or "
            "nested virtualization in the cloud; in a container, pass " +
            path + " in";
        break;
    case EACCES:
    case EPERM:
        failure.hint = "adduser $USER kvm and log in again, or run as root";
        break;
    default:
        failure.hint = "vmm-mini probe";
    }
    return failure;
}

} // namespace

Result<Kvm> Kvm::open(std::string const& path) {
    Kvm kvm;
    auto fd = Fd::open(path, O_RDWR);
    if (!fd) return tl::unexpected<Error>(opening_failed(path, fd.error().code));
    kvm.fd_ = std::move(*fd);
    auto const version = ISO_KVM(kvm.fd_, KVM_GET_API_VERSION, 0);
    if (!version) return error("open(" + path + ")", "not a KVM device", "ls -l " + path);
    if (*version != k_api_version)
        return error("ioctl(KVM_GET_API_VERSION)",
                     fmt::format("this kernel speaks KVM API {}, vmm-mini speaks {}", *version,
                                 k_api_version),
                     "a kernel newer than Linux 2.6.22");
    return kvm;
}

int Kvm::extension(int capability) const {
    int const answer = ::ioctl(fd_.get(), KVM_CHECK_EXTENSION, capability);
    return answer < 0 ? 0 : answer;
}

Result<Vm> Kvm::create_vm() const {
    for (;;) {
        int const fd = ::ioctl(fd_.get(), KVM_CREATE_VM, 0);
        if (fd >= 0) return Vm{Fd(fd)};
        if (errno == EINTR) continue; // the kernel gives up when a signal is pending
        return sys_error("ioctl(KVM_CREATE_VM)",
                         errno == EBUSY
                             ? "stopping the other hypervisor that holds the CPU's virtualization"
                             : "dmesg | grep -i kvm");
    }
}

Result<void> Vm::map(std::uint32_t slot, GuestPhys gpa, std::span<std::byte> host,
                     bool read_only) const {
    kvm_userspace_memory_region region{};
    region.slot = slot;
    region.flags = read_only ? KVM_MEM_READONLY : 0;
    region.guest_phys_addr = gpa.value;
    region.memory_size = host.size();
    region.userspace_addr = reinterpret_cast<std::uint64_t>(host.data());
    TRY(ISO_KVM(fd, KVM_SET_USER_MEMORY_REGION, &region));
    return {};
}

std::optional<std::uint64_t> read_msr(Vcpu const& vcpu, std::uint32_t index) {
    struct {
        MsrsHeader header;
        kvm_msr_entry entry;
    } request{};
    request.header.count = 1;
    request.entry.index = index;
    // The result is the number of registers read (api.rst 4.18).
    if (::ioctl(vcpu.fd.get(), k_get_msrs, &request) != 1) return std::nullopt;
    return request.entry.data;
}

Result<Vcpu> Kvm::create_vcpu(Vm const& vm, unsigned id) const {
    int const size = TRY(ISO_KVM(fd_, KVM_GET_VCPU_MMAP_SIZE, 0));
    Vcpu vcpu;
    vcpu.fd = Fd(TRY(ISO_KVM(vm.fd, KVM_CREATE_VCPU, id)));
    vcpu.shared = TRY(Mapping::create(static_cast<std::size_t>(size), PROT_READ | PROT_WRITE,
                                      MAP_SHARED, vcpu.fd.get()));
    return vcpu;
}

} // namespace iso::vmm
