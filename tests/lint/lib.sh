# shellcheck shell=bash
# What the lint checks share. A check is a script that lists every offence and exits 0, 1, or 77
# after the line "ISO_SKIP need: reason".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# The files of the project: what git tracks (git add a new file to have it checked); in a tree
# without git, everything outside the build folders.
project_files() { # project_files PATTERN...: shell patterns of whole paths
    local pattern file
    {
        git -c safe.directory='*' ls-files --cached 2>/dev/null ||
            find . -path './build*' -prune -o -path ./.git -prune -o -type f -print | sed 's|^\./||'
    } | sort -u | while IFS= read -r file; do
        [ -f "$file" ] || continue # deleted, not yet committed
        for pattern in "$@"; do
            # shellcheck disable=SC2053 # a pattern on purpose
            [[ $file == $pattern ]] && printf '%s\n' "$file" && break
        done
    done || true
}

skip() { # skip NEED REASON
    printf 'ISO_SKIP %s: %s\n' "$1" "$2"
    exit 77
}

offences=0
offend() {
    printf '%s\n' "$*"
    offences=$((offences + 1))
}
finish() { # finish WHAT-WAS-CHECKED
    printf '%s: %d offences\n' "$1" "$offences"
    [ "$offences" -eq 0 ]
}
