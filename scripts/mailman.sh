#!/usr/bin/env bash
# Makes .venv-mailman, with the real Mailman 3 in it that a test drives, from its own hash-locked requirements.
# Does nothing when it already stands as the lock, this folder and the Python demand. PYTHON names the Python to use.
# With CI=true it is an error when it cannot be made; without, the test that needs it is skipped and says so.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-.venv/bin/python}
home=.venv-mailman
made_of=$({ printf '%s\n' "$PWD" && "$python" -c 'import sys; print(sys.version)' && cat requirements/mailman.txt "$0"; } | sha256sum)
if [[ -f $home/.made-of && $(<"$home/.made-of") == "$made_of" ]]; then
    exit 0
fi

make_it() {
    rm -rf "$home"
    "$python" -c 'import sys; sys.exit(sys.version_info >= (3, 13))' || { printf 'Mailman 3.3 needs Python before 3.13\n' >&2 && return 1; }
    "$python" -m venv "$home" || return 1
    "$home/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/mailman.txt || return 1
    printf '%s' "$made_of" >"$home/.made-of"
}

printf 'holdfire: installing Mailman into %s\n' "$home"
make_it && exit 0
printf 'holdfire: Mailman could not be installed; the test that drives the real one is skipped\n' >&2
[[ ${CI:-} == true ]] && exit 1
exit 0
