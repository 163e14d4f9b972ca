# shellcheck shell=sh
# What the scripts in this folder share. Sourced after ROOT is set to the top of the checkout.

say() {
    printf '%s\n' "$*" >&2
}

headline() {
    printf '\n== %s\n' "$*" >&2
}

die() {
    say "$(basename "$0"): $*"
    exit 1
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# Where tools are put that no package manager has. Never a folder of the system.
tools_folder() {
    printf '%s\n' "${DRCTL_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/drctl-tools}"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        say "neither root nor sudo: cannot run $*"
        return 1
    fi
}

# Tracked files that match the patterns, one a line; all files when this is not a git checkout.
tracked() {
    if git -C "$ROOT" -c "safe.directory=$ROOT" rev-parse --git-dir >/dev/null 2>&1; then
        git -C "$ROOT" -c "safe.directory=$ROOT" ls-files -- "$@"
    else
        for pattern in "$@"; do
            (cd "$ROOT" && find . -path ./build -prune -o -type f -name "$pattern" -print | sed 's|^\./||')
        done
    fi
}

# at_least WANTED GIVEN: is the version GIVEN as new as WANTED?
at_least() {
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}
