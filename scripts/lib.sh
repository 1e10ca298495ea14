# Shared by the scripts: finds the repository, installs Debian packages by name.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

# need COMMAND-OR-FILE PACKAGE...: installs the packages unless the command or file is there.
need() {
    local probe=$1; shift
    if [ -e "$probe" ] || command -v "$probe" >/dev/null 2>&1; then return; fi
    say "installing $*"
    local sudo=""; [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "$@"
}

need_build() {
    command -v cargo >/dev/null || { echo "a Rust toolchain (1.95 or later) is needed: https://rustup.rs" >&2; exit 1; }
    need cc gcc libc6-dev
    need as binutils
}

need_libraries() {
    need mcs mono-mcs
    need /usr/lib/mono/4.5/Facades/System.Runtime.dll mono-devel
}
