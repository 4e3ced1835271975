# shellcheck shell=bash
# Which packages isolab needs, which of them are missing, and how they are installed.
# The names are those of Debian 12 and of Ubuntu 24.04 (component universe), where they are the same;
# what differs is what is inside: catch2 is version 2 on the one and 3 on the other, which
# tests/support/catch.hpp absorbs, and g++ is 12 on the one and 13 on the other.

# name | what else proves that it is there (a command, or a header) | what it is, for other systems
packages_build='
g++|command g++|GCC 12 or later with its C++ library (static archives too)
cmake|command cmake|CMake 3.25 or later
ninja-build|command ninja|Ninja
libexpected-dev|header tl/expected.hpp|tl::expected
libfmt-dev|header fmt/format.h|fmt 9 or later
nlohmann-json3-dev|header nlohmann/json.hpp|nlohmann::json 3.11 or later
libcli11-dev|header CLI/CLI.hpp|CLI11 2.1 or later
libseccomp-dev|header seccomp.h|libseccomp 2.5 or later
libcap-dev|header sys/capability.h|libcap
libcgroup-dev|header libcgroup.h|libcgroup 2 or later
libnl-route-3-dev|header libnl3/netlink/route/link.h|libnl 3 with its library for routes
libarchive-dev|header archive.h|libarchive 3, with its static archive
zlib1g-dev|header zlib.h|zlib, with its static archive
libbenchmark-dev|header benchmark/benchmark.h|Google Benchmark
libsqlite3-dev|header sqlite3.h|SQLite 3, with its static archive
'
packages_test='
catch2|header catch2/catch.hpp|Catch2, version 2.13 or 3
busybox-static|-|a static busybox: a program that is not ours for every engine to run
bash-static|command bash-static|a static bash, for the same purpose
zsh-static|command zsh-static|a static zsh
liblua5.4-dev|header lua5.4/lua.hpp|Lua 5.4, with its static archive
libexpat1-dev|header expat.h|Expat, a strict XML parser
graphviz|command dot|Graphviz
shellcheck|command shellcheck|ShellCheck
yamllint|command yamllint|yamllint, for the workflow files
clang-format-14|command clang-format-14|clang-format, version 14 exactly
qemu-system-x86|command qemu-system-x86_64|QEMU for x86-64, which emulates the test VM
podman|command podman|Podman with conmon, an engine that calls isolate as its runtime
kmod|command depmod|depmod and modprobe, for the modules of the test VM
cpio|command cpio|cpio, for the initramfs of the test VM
'
# Ubuntu's browser is a snap, which works in no container: there its test is skipped.
packages_browser='
chromium|command chromium|Chromium, which the tests open the report in
'
packages_for_tests() { # what the tests need besides, on this system
    read_os_release
    printf '%s' "$packages_test"
    if [ "$os_id" = debian ]; then printf '%s' "$packages_browser"; fi
}

package_is_here() { # package_is_here NAME PROOF
    if [ "$(dpkg-query -W -f '${Status}' "$1" 2>/dev/null)" = 'install ok installed' ]; then
        return 0
    fi
    local kind=${2%% *} what=${2#* } dir
    case $kind in
    command) command -v "$what" >/dev/null ;;
    header)
        for dir in /usr/local/include /usr/include "/usr/include/$(uname -m)-linux-gnu"; do
            [ -e "$dir/$what" ] && return 0
        done
        return 1 ;;
    *) return 1 ;;
    esac
}

# missing_packages TABLE: their names, one a line.
missing_packages() {
    local name proof what
    while IFS='|' read -r name proof what; do
        [ -n "$name" ] || continue
        package_is_here "$name" "$proof" || printf '%s\n' "$name"
    done <<<"$1"
}

describe_packages() { # describe_packages TABLE NAME...: each name with what it is
    local table=$1 name proof what wanted
    shift
    wanted=" $* "
    while IFS='|' read -r name proof what; do
        [ -n "$name" ] && [[ $wanted == *" $name "* ]] && printf '    %-20s %s\n' "$name" "$what"
    done <<<"$table"
    return 0
}

# The words that turn a command into root's: nothing, "sudo -n", or failure. sudo is asked, never
# made to ask: nobody may be there to type a password.
root_prefix() {
    if [ "$(id -u)" -eq 0 ]; then
        return 0
    fi
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        printf 'sudo -n'
        return 0
    fi
    return 1
}

# ensure_packages TABLE: returns with everything there, or ends the script with status 2.
ensure_packages() {
    local table=$1 missing prefix install
    mapfile -t missing < <(missing_packages "$table")
    [ "${#missing[@]}" -eq 0 ] && return 0
    read_os_release

    if ! command -v apt-get >/dev/null; then
        say "this is $os_name, whose package names isolab does not know. Please install:"
        describe_packages "$table" "${missing[@]}" >&2
        die 2 "(the names on the left are Debian's) and run this again"
    fi
    install="apt-get install -y --no-install-recommends ${missing[*]}"
    if ! prefix=$(root_prefix); then
        local as_root='su -c'
        command -v sudo >/dev/null && as_root='sudo sh -c'
        say "${#missing[@]} packages are missing and installing them needs root. Please run this, then isolab again:"
        printf "\n    %s 'apt-get update && %s'\n\n" "$as_root" "$install" >&2
        exit 2
    fi

    say "installing ${#missing[@]} packages: ${missing[*]}"
    local log="$ISO_TREE/build/packages.log" start=$SECONDS
    # shellcheck disable=SC2086 # the prefix and the command line are words on purpose
    logged "$log" $prefix env DEBIAN_FRONTEND=noninteractive apt-get update ||
        say "apt-get update failed; trying with the package lists that are here"
    # shellcheck disable=SC2086
    logged "$log" $prefix env DEBIAN_FRONTEND=noninteractive $install || {
        [ "$os_id" = ubuntu ] && say "on Ubuntu these packages are in the component 'universe' (add-apt-repository universe)"
        die 2 "could not install the packages; the command was: $install"
    }
    say "packages installed in $((SECONDS - start)) s"
}
