# shellcheck shell=bash
# What isolab's own scripts share: messages, the distribution, and steps whose output goes to a log.
# Sourced with ISO_TREE set to the repository.

: "${ISO_TREE:?set by the script that sources this}"

# Messages go to stderr: stdout belongs to the tables.
say() { printf 'isolab: %s\n' "$*" >&2; }
die() { # die STATUS MESSAGE...
    local status=$1
    shift
    say "$@"
    exit "$status"
}

# Sets os_id, os_version, os_name, from os-release(5).
read_os_release() {
    os_id=unknown os_version='' os_name='an unnamed Linux'
    local file
    for file in /etc/os-release /usr/lib/os-release; do
        [ -r "$file" ] || continue
        # shellcheck disable=SC1090 # in a subshell: the file is the system's, its names are not ours
        { read -r os_id; read -r os_version; read -r os_name; } < <(
            . "$file"
            printf '%s\n' "${ID:-unknown}" "${VERSION_ID:-}" "${PRETTY_NAME:-an unnamed Linux}")
        return 0
    done
}

# logged LOG COMMAND...: runs it quietly; when it fails shows the end of the log and returns its status.
logged() {
    local log=$1 status=0
    shift
    mkdir -p "$(dirname "$log")"
    "$@" >"$log" 2>&1 </dev/null || status=$?
    [ "$status" -eq 0 ] && return 0
    show_tail "$log"
    return "$status"
}

show_tail() {
    say "the last lines of $1:"
    tail -n "${2:-30}" "$1" | sed 's/^/    /' >&2
}
