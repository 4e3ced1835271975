# shellcheck shell=bash
# The verb `doctor` of ./isolab: what this machine can and cannot do, and the next step for each.
# It reads and never changes anything, and works before anything is installed or built.

doctor_missing=0 # how many findings stop the comparison itself

doctor() {
    read_os_release
    doctor_system
    doctor_packages
    doctor_kvm
    doctor_user_namespaces
    doctor_cgroups
    doctor_confinement
    doctor_build
    [ "$doctor_missing" -eq 0 ]
}

row() { # row MARK SUBJECT FINDING [NEXT-STEP]: one finding on stdout; MARK is ok, no or --
    printf '%-3s %-17s %s\n' "$1" "$2" "$3"
    if [ -n "${4-}" ]; then printf '%-21s next: %s\n' '' "$4"; fi
}
value_of() { # value_of FILE: its first line, or nothing
    local line=''
    [ -r "$1" ] && read -r line <"$1" 2>/dev/null
    printf '%s' "$line"
}

doctor_system() {
    local cores mem_kib disk_kib
    case $os_id:$os_version in
    debian:12 | ubuntu:24.04) row ok system "$os_name" ;;
    debian:* | ubuntu:*) row ok system "$os_name" "tried on Debian 12 and Ubuntu 24.04; package names may differ on this one" ;;
    *) row -- system "$os_name" "isolab knows the package names of Debian 12 and Ubuntu 24.04; elsewhere install what 'packages' lists" ;;
    esac
    row ok kernel "$(uname -sr)"
    if [ "$(uname -m)" != x86_64 ]; then
        row no processor "$(uname -m)" "isolab runs on x86-64 only"
        doctor_missing=1
    else
        row ok processor "$(sed -n 's/^model name[^:]*: //p;T;q' /proc/cpuinfo)"
    fi
    cores=$(nproc)
    if [ "$cores" -ge 2 ]; then
        row ok cores "$cores"
    else
        row -- cores "$cores" "measurements share the core with everything else: expect wide intervals; two cores or more are better"
    fi
    mem_kib=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
    if [ "${mem_kib:-0}" -ge 2000000 ]; then
        row ok memory "$((mem_kib / 1024)) MiB available"
    else
        row -- memory "$((mem_kib / 1024)) MiB available" "the build wants 2 GiB; with less, build with: cmake --build build -j1"
    fi
    disk_kib=$(df -Pk "$ISO_TREE" | awk 'NR == 2 { print $4 }')
    if [ "${disk_kib:-0}" -ge 2000000 ]; then
        row ok disk "$((disk_kib / 1024)) MiB free for the build"
    else
        row -- disk "$((disk_kib / 1024)) MiB free for the build" "build and tests take up to 2 GiB"
    fi
}

doctor_packages() {
    local missing way
    mapfile -t missing < <(missing_packages "$packages_build")
    if [ "${#missing[@]}" -eq 0 ]; then
        row ok packages "all that the programs need"
    else
        if ! command -v apt-get >/dev/null; then
            way="install them with this system's package manager"
        elif root_prefix >/dev/null; then
            way="./isolab compare installs them"
        else
            way="as root: apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
        fi
        row no packages "missing: ${missing[*]}" "$way"
        doctor_missing=1
        if ! command -v apt-get >/dev/null; then describe_packages "$packages_build" "${missing[@]}"; fi
    fi
    mapfile -t missing < <(missing_packages "$(packages_for_tests)")
    if [ "${#missing[@]}" -eq 0 ]; then
        row ok 'test packages' "all that ./isolab test needs"
    else
        row -- 'test packages' "missing: ${missing[*]}" "only ./isolab test needs them; it asks or installs"
    fi
    local compiler=${CXX:-g++} version
    version=$("$compiler" -dumpfullversion 2>/dev/null || true)
    if [ -z "$version" ]; then
        row no compiler "no $compiler" "comes with the packages"
        doctor_missing=1
    elif at_least "$version" 12; then
        row ok compiler "$compiler $version"
    else
        row no compiler "$compiler $version" "GCC 12 or later is needed; name it with CXX=..."
        doctor_missing=1
    fi
}

doctor_kvm() {
    local backend='' module word
    for module in kvm_intel kvm_amd kvm_pvm; do
        [ -d "/sys/module/$module" ] && backend=$module
    done
    if [ -e /dev/kvm ]; then
        if [ -r /dev/kvm ] && [ -w /dev/kvm ]; then
            word="/dev/kvm, backend ${backend:-unknown}"
            if [ "$backend" = kvm_pvm ]; then
                row ok kvm "$word" "nothing to do, but read CAVEATS.md: guest kernel code is emulated here, so VM calls cost more than on VMX or SVM"
            else
                row ok kvm "$word"
            fi
        elif getent group kvm >/dev/null; then
            row no kvm "/dev/kvm is there but not yours to open" "as root: usermod -aG kvm $(id -un), then log in again"
        else
            row no kvm "/dev/kvm is there but not yours to open ($(stat -c '%A %U:%G' /dev/kvm))" "run as root, or give yourself access to /dev/kvm"
        fi
    elif grep -qwE 'vmx|svm' /proc/cpuinfo; then
        word=$(grep -owE -m1 'vmx|svm' /proc/cpuinfo | head -n 1)
        row no kvm "no /dev/kvm, though the processor has $word" "as root: modprobe kvm_$([ "$word" = vmx ] && echo intel || echo amd) (if it fails, virtualization is off in the firmware)"
    elif grep -qw hypervisor /proc/cpuinfo; then
        row no kvm "no /dev/kvm: this is a virtual machine without nested virtualization" "switch nesting on at the host, or use another machine; the VM's column says 'not available' until then"
    else
        row no kvm "no /dev/kvm and no vmx or svm in /proc/cpuinfo" "look for virtualization in the firmware's set-up; the VM's column says 'not available' until then"
    fi
}

doctor_user_namespaces() {
    local value
    if [ "$(id -u)" -eq 0 ]; then
        row ok 'user namespaces' "you are root: the jail does not depend on them"
    fi
    if [ ! -e /proc/self/ns/user ]; then
        row no 'user namespaces' "the kernel was built without CONFIG_USER_NS" "jails need root on this machine"
        return
    fi
    value=$(value_of /proc/sys/user/max_user_namespaces)
    if [ "$value" = 0 ]; then
        row no 'user namespaces' "user.max_user_namespaces is 0" "as root: sysctl user.max_user_namespaces=15000"
        return
    fi
    if [ "$(value_of /proc/sys/kernel/unprivileged_userns_clone)" = 0 ]; then
        row no 'user namespaces' "kernel.unprivileged_userns_clone is 0" "as root: sysctl kernel.unprivileged_userns_clone=1"
        return
    fi
    if [ "$(value_of /proc/sys/kernel/apparmor_restrict_unprivileged_userns)" = 1 ]; then
        row no 'user namespaces' "AppArmor restricts them (Ubuntu's kernel.apparmor_restrict_unprivileged_userns is 1)" \
            "run as root, or as root: sysctl kernel.apparmor_restrict_unprivileged_userns=0 (for the whole machine), or give build/bin/isolate an AppArmor profile with 'userns,'"
        return
    fi
    if [ "$(id -u)" -eq 0 ]; then return; fi
    if unshare --user --map-root-user true 2>/dev/null; then
        row ok 'user namespaces' "an ordinary user can make them"
    else
        row no 'user namespaces' "making one fails though no setting forbids it" "a container or security module may be in the way; try outside the container, or as root"
    fi
}

doctor_cgroups() {
    local kind path
    kind=$(stat -f -c %T /sys/fs/cgroup 2>/dev/null || echo none)
    case $kind in
    cgroup2fs)
        path=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
        if [ -w "$path/cgroup.procs" ] && [ -w "$path" ]; then
            row ok cgroups "version 2, this group is yours to divide"
        else
            row -- cgroups "version 2, this group is not yours to divide" "limits fall back on rlimits; for real ones: systemd-run --user --scope -p Delegate=yes ./isolab compare"
        fi ;;
    tmpfs)
        kind="version 1"
        if awk '$3 == "cgroup2" { found = 1 } END { exit !found }' /proc/mounts; then kind="hybrid (versions 1 and 2)"; fi
        if [ "$(id -u)" -eq 0 ]; then
            row ok cgroups "$kind, and you are root"
        else
            row -- cgroups "$kind, no delegation to ordinary users" "limits fall back on rlimits; as root they are control groups"
        fi ;;
    *) row -- cgroups "none mounted at /sys/fs/cgroup" "limits fall back on rlimits" ;;
    esac
}

doctor_confinement() {
    local lsm
    if grep -q '^Seccomp:' /proc/self/status; then
        row ok seccomp "filters are available"
    else
        row no seccomp "the kernel has no CONFIG_SECCOMP" "jails run without a system call filter only if told so; use another kernel"
    fi
    lsm=$(value_of /sys/kernel/security/lsm)
    case ,$lsm, in
    *,landlock,*) row ok landlock "active" ;;
    ,,) row -- landlock "cannot tell: securityfs is not mounted" "as root: mount -t securityfs securityfs /sys/kernel/security (only to see it)" ;;
    *) row -- landlock "not active (active: $lsm)" "nothing needs it yet; the boot parameter lsm=landlock,$lsm switches it on" ;;
    esac
}

doctor_build() {
    local isobench="$ISO_TREE/build/bin/isobench"
    if [ ! -x "$isobench" ]; then
        row -- build "not built yet" "./isolab compare builds and runs"
        return
    fi
    row ok build "build/bin holds the programs; what they find here:"
    echo
    "$isobench" probe || doctor_missing=1
}
