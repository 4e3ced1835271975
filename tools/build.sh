# shellcheck shell=bash
# Configuring and building a CMake preset with progress a person can follow.

# The presets and where they build (CMakePresets.json); `clean` removes these folders and no others.
preset_dir() {
    case $1 in
    release | test) printf '%s/build' "$ISO_TREE" ;;
    *) printf '%s/build-%s' "$ISO_TREE" "$1" ;;
    esac
}
build_dirs=(build build-dev build-asan)

configure() { # configure PRESET
    local preset=$1 dir
    dir=$(preset_dir "$preset")
    local stamp="$dir/.isolab-preset" home
    home=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$dir/CMakeCache.txt" 2>/dev/null || true)
    if [ -n "$home" ] && [ "$home" != "$ISO_TREE" ]; then
        die 2 "$dir was configured for a tree in another place ($home); run ./isolab clean first"
    fi
    # Ninja reconfigures by itself when a CMake file changed; only another preset asks for more.
    if [ -e "$dir/build.ninja" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$preset" ] &&
        [ ! "$ISO_TREE/CMakePresets.json" -nt "$stamp" ]; then
        return 0
    fi
    check_tools
    say "configuring ($preset)"
    rm -f "$stamp"
    (cd "$ISO_TREE" && logged "$dir/configure.log" cmake --preset "$preset") ||
        die 2 "CMake could not configure the build; the whole output is in $dir/configure.log"
    printf '%s\n' "$preset" >"$stamp"
}

check_tools() {
    local version machine
    machine=$(uname -m)
    [ "$machine" = x86_64 ] || die 2 "isolab runs on x86-64 only; this machine is $machine"
    version=$(cmake --version | sed -n '1s/.* //p')
    at_least "$version" 3.25 || die 2 "CMake 3.25 or later is needed, here is $version (Debian 12 and Ubuntu 24.04 have it)"
    version=$("${CXX:-g++}" -dumpfullversion 2>/dev/null || echo 0)
    at_least "$version" 12 || die 2 "GCC 12 or later is needed, '${CXX:-g++}' is $version (set CXX to name another compiler)"
}

at_least() { # at_least VERSION LEAST
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

build() { # build PRESET
    local preset=$1 dir log status=0 start=$SECONDS
    dir=$(preset_dir "$preset")
    log="$dir/build.log"
    (cd "$ISO_TREE" && NINJA_STATUS='[%f/%t] ' cmake --build --preset "$preset" 2>&1 </dev/null) |
        tee "$log" | show_progress || status=$?
    if [ "$status" -ne 0 ]; then
        grep -m 5 -E 'error:|FAILED:' "$log" | sed 's/^/    /' >&2 || true
        show_tail "$log"
        die 2 "the build failed; the whole output is in $log"
    fi
    # Ninja says this when there was nothing to do; then neither do we.
    grep -q 'no work to do' "$log" || say "built $(basename "$dir")/ in $((SECONDS - start)) s"
}

# Reads Ninja's output: on a terminal one line that rewrites itself, elsewhere a line per tenth.
show_progress() {
    local line built total shown=-1 tenth on_terminal=false columns
    [ -t 2 ] && on_terminal=true
    columns=$(tput cols 2>/dev/null || echo 80)
    while IFS= read -r line; do
        [[ $line =~ ^\[([0-9]+)/([0-9]+)\]\ (.*)$ ]] || continue
        built=${BASH_REMATCH[1]} total=${BASH_REMATCH[2]}
        if $on_terminal; then
            printf '\r\033[K%.*s' "$((columns - 1))" "isolab: building $built/$total ${BASH_REMATCH[3]##*/}" >&2
        else
            tenth=$((total > 20 ? built * 10 / total : (built == total) * 10))
            [ "$tenth" -gt "$shown" ] && [ "$tenth" -gt 0 ] && say "building $built/$total"
            [ "$tenth" -gt "$shown" ] && shown=$tenth
        fi
    done
    if $on_terminal; then printf '\r\033[K' >&2; fi
}
