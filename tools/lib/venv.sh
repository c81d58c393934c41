# Sourced by the commands in tools/: a virtual environment with this checkout in it.
#
#   venv_ready [REQUIREMENTS-FILE]...   makes or refreshes .venv, and puts it first in PATH
#   venv_beside DIRECTORY FILE           the same in DIRECTORY for what FILE names, without this checkout
#   apt_ready PACKAGE...                installs Debian packages that are missing
#   mysqlclient_ready                    installs the driver of MariaDB that is written in C
#   guests_ready                         installs what hosts with guests of QEMU need (tools/guest)

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

# Runs a command and shows what it says only when it fails.
quietly() {
    local said
    said=$("$@" 2>&1) || { printf '%s\n' "$said" >&2; return 1; }
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else fail "This needs root and there is no sudo; please run as root: $*"
    fi
}

apt_ready() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    say "Installing ${missing[*]}"
    as_root apt-get update -qq || fail "apt-get update failed; check the machine's package sources"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
        >/dev/null || fail "apt-get could not install: ${missing[*]}"
}

# venv_beside DIRECTORY REQUIREMENTS-FILE: a virtual environment of other people's programs, made or refreshed.
venv_beside() {
    local python sum
    python=$(find_python) || exit 1
    sum=$1/setup-$(sha256sum <"$2" | cut -c 1-16)
    [ -e "$sum" ] && return
    say "Installing what $2 names into $1 (two minutes or so)"
    [ -x "$1/bin/python" ] || "$python" -m venv "$1" || fail "could not make $1 with $python"
    quietly "$1/bin/pip" install -q --disable-pip-version-check -r "$2" || fail "pip could not install $2"
    touch "$sum"
}

find_python() {
    local name
    for name in python3 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    fail "Python 3.11 or newer is needed; install the package python3."
}

venv_ready() {
    local python
    python=$(find_python) || exit 1
    if ! [ -x .venv/bin/python ]; then
        if ! "$python" -c 'import ensurepip' 2>/dev/null; then
            apt_ready python3-venv
        fi
        say "Making .venv"
        "$python" -m venv .venv || fail "could not make .venv with $python"
    fi
    export PATH="$PWD/.venv/bin:$PATH"
    local file sum files=() stamps=()
    for file in requirements.txt "$@"; do
        sum=.venv/setup-$(cat setup.cfg "$file" | sha256sum | cut -c 1-16)
        [ -e "$sum" ] || { files+=(-r "$file"); stamps+=("$sum"); }
    done
    [ ${#files[@]} = 0 ] && return
    say "Installing Python packages into .venv (a minute or two the first time)"
    quietly pip install -q --disable-pip-version-check --upgrade pip setuptools wheel pbr \
        || fail "pip could not be brought up to date"
    quietly pip install -q --disable-pip-version-check "${files[@]}" || fail "pip could not install the requirements"
    quietly pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . \
        || fail "pip could not install this checkout"
    touch "${stamps[@]}"
}

mysqlclient_ready() {
    apt_ready libmariadb-dev pkg-config gcc python3-dev
    venv_ready tools/lib/mysqlclient-requirements.txt
}

guests_ready() {
    apt_ready libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients libvirt-dev qemu-system-x86 qemu-utils \
        pkg-config gcc python3-dev iproute2 genisoimage mtools openssl procps xz-utils \
        swtpm swtpm-tools
    venv_ready tools/guest/requirements.txt
}
