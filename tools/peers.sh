# shellcheck shell=bash
# Installs the engines that are not ours, as far as Debian has them, when a comparison asks for peers.
# What cannot be installed is no reason to stop: isobench says of each peer why it is not here.

# install_peers --packages[=A,B]
install_peers() {
    local packages prefix log="$ISO_TREE/build/peers.log" start=$SECONDS
    mapfile -t packages < <("$ISO_TREE/build/bin/isobench" peers "$1" | sort -u)
    if [ "${#packages[@]}" -ne 0 ]; then
        if ! command -v apt-get >/dev/null; then
            say "no apt-get here: peers have to be installed by hand; isobench peers says which are not here"
        elif ! prefix=$(root_prefix); then
            say "peers are missing and installing them needs root: apt-get install --no-install-recommends ${packages[*]}"
        else
            say "installing ${#packages[@]} packages for peers: ${packages[*]}"
            # shellcheck disable=SC2086 # the prefix is words on purpose
            logged "$log" $prefix env DEBIAN_FRONTEND=noninteractive apt-get update ||
                say "apt-get update failed; trying with the package lists that are here"
            # shellcheck disable=SC2086
            logged "$log" $prefix env DEBIAN_FRONTEND=noninteractive \
                apt-get install -y --no-install-recommends "${packages[@]}" ||
                say "could not install them; isobench peers says which are not here"
            say "peers installed in $((SECONDS - start)) s"
        fi
    fi
    case $1 in --packages | *qemu* | *firecracker* | *cloud-hypervisor* | *kvmtool*) fetch_peer_kernel ;; esac
}

# The kernel that some machines boot: Debian's for clouds, unpacked beside the peers and not installed.
fetch_peer_kernel() {
    local directory=$ISO_TREE/build/peers package scratch
    compgen -G "$directory/vmlinuz-*" >/dev/null && return 0
    command -v apt-cache >/dev/null && command -v dpkg-deb >/dev/null || return 0
    package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null |
        sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
    if [ -z "$package" ]; then
        say "the package index has no linux-image-cloud-amd64: virtual machines need a kernel in ISOLAB_KERNEL"
        return 0
    fi
    say "fetching $package, to boot in virtual machines (unpacked in build/peers, not installed)"
    scratch=$(mktemp -d)
    if (cd "$scratch" && timeout 150 apt-get download -qq -o APT::Sandbox::User=root "$package" >/dev/null 2>&1 &&
        dpkg-deb -x ./*.deb "$scratch/unpacked" && cp "$scratch"/unpacked/boot/vmlinuz-* "$directory/"); then
        say "fetched"
    else
        say "$package could not be fetched; try: apt-get update, then this again"
    fi
    rm -rf -- "$scratch"
}
