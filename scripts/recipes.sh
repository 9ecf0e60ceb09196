#!/usr/bin/env bash
# Makes .recipes_cache/TOOL with the real program that a recipe is tried with, or that the benchmark compares with (ws),
# from its own hash-locked requirements.
# usage: scripts/recipes.sh node-red|airflow|n8n|ws. Does nothing when it stands as the lock and this folder demand.
# npm, Node.js 20 with its headers, a C++ compiler and PYTHON (default: that of .venv) must be there.
set -euo pipefail
cd "$(dirname "$0")/.."

tool=${1:?usage: scripts/recipes.sh node-red|airflow|n8n|ws}
locks=requirements/recipes/$tool
home=.recipes_cache/$tool
made_of=$({ printf '%s\n' "$PWD" && cat "$locks"/* "$0"; } | sha256sum)
if [[ -f $home/.made-of && $(<"$home/.made-of") == "$made_of" ]]; then
    exit 0
fi

# n8n's database is compiled here, from the source that the lock's hash covers: nothing covers what its script fetches.
build_sqlite() {
    local node python
    node=$(dirname "$(dirname "$(realpath "$(command -v node)")")")
    python=$(realpath -s "${PYTHON:-.venv/bin/python}")
    (cd "$home/node_modules/sqlite3" && CFLAGS=-w CXXFLAGS=-w PATH=$PWD/../.bin:$PATH node-gyp rebuild --silent \
        --nodedir="$node" --python="$python" >/dev/null)
}

printf 'holdfire: installing %s into %s\n' "$tool" "$home"
rm -rf "$home"
mkdir -p "$home"
if [[ -f $locks/package-lock.json ]]; then
    cp "$locks/package.json" "$locks/package-lock.json" "$home"
    # No package may run a script of its own while it is installed.
    (cd "$home" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    [[ $tool != n8n ]] || build_sqlite
else
    "${PYTHON:-.venv/bin/python}" -m venv "$home"
    "$home/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$locks/requirements.txt"
fi
printf '%s' "$made_of" >"$home/.made-of"
