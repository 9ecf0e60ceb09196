#!/usr/bin/env bash
# Makes .venv from the hash-locked requirements: `scripts/venv.sh run` to run holdfire, `scripts/venv.sh dev` to work on it,
# `scripts/venv.sh bench` to measure it, too. Each includes the one before.
# Does nothing when .venv already stands as the locks, this folder and the Python found demand.
set -euo pipefail
cd "$(dirname "$0")/.."

kind=${1:?usage: scripts/venv.sh run|dev|bench}

fail() {
    printf 'holdfire: %s\n' "$*" >&2
    exit 1
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    fail "needs Python 3.11 or newer and found none; install one, or name it: make PYTHON=/path/to/python3"
}

# Debian and Ubuntu ship Python without ensurepip; its package carries the Python's version in its name.
install_venv_module() {
    local package
    package="python$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    scripts/apt.sh "$package" || fail "$1 cannot make a virtual environment: install the package $package"
}

version() { "$1" -c 'import sys; print(sys.version)' 2>/dev/null; }

# What a complete .venv was made of: the folder, the Python, the locks and this script.
fingerprint() {
    {
        printf '%s\n' "$PWD" "$(version "$python")"
        cat requirements/run.txt requirements/build.txt "requirements/$1.txt" pyproject.toml scripts/venv.sh
    } | sha256sum | cut -d' ' -f1
}

complete() {
    local stamp=.venv/.holdfire-$1
    [[ -f $stamp && $(<"$stamp") == "$(fingerprint "$1")" && $(version .venv/bin/python) == "$(version "$python")" ]]
}

python=$(find_python)
included() { complete "$kind" || complete bench || { [[ $kind == run ]] && complete dev; }; }
if included; then
    exit 0
fi

"$python" -c 'import ensurepip, venv' 2>/dev/null || install_venv_module "$python"
if [[ $(version .venv/bin/python) != "$(version "$python")" ]] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    rm -rf .venv
    "$python" -m venv .venv || fail "$python -m venv .venv failed; its words are above"
fi

printf 'holdfire: installing the locked %s requirements into .venv\n' "$kind"
pip() { .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@"; }
pip --require-hashes -r "requirements/$kind.txt"
pip --require-hashes -r requirements/build.txt
pip --no-deps --no-build-isolation --no-index --editable .
fingerprint "$kind" >".venv/.holdfire-$kind"
