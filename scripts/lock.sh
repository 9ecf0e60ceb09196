#!/usr/bin/env bash
# Writes requirements/*.txt anew from pyproject.toml: exact versions with hashes, for every platform, no index named.
# Needs uv on the PATH (or UV=path). Versions already locked stay; `scripts/lock.sh --upgrade` moves them.
set -euo pipefail
cd "$(dirname "$0")/.."

lock() {
    "${UV:-uv}" pip compile --quiet --universal --python-version 3.11 --generate-hashes --strip-extras \
        --no-emit-index-url --no-emit-find-links --no-header "$@"
}

lock pyproject.toml "$@" --output-file requirements/run.txt
lock pyproject.toml "$@" --group dev --constraints requirements/run.txt --output-file requirements/dev.txt
lock pyproject.toml "$@" --group dev --group bench --constraints requirements/dev.txt --output-file requirements/bench.txt
lock "$@" --group build --constraints requirements/dev.txt --output-file requirements/build.txt
# Mailman 3.3 needs a part of Python that 3.13 no longer has: its lock is for the versions before.
"${UV:-uv}" pip compile --quiet --no-config --python-version 3.11 --generate-hashes --strip-extras \
    --no-emit-index-url --no-emit-find-links --no-header requirements/mailman.in "$@" --output-file requirements/mailman.txt
# The real tools that recipes are tried with.
"${UV:-uv}" pip compile --quiet --no-config --python-version 3.11 --generate-hashes --strip-extras \
    --no-emit-index-url --no-emit-find-links --no-header requirements/recipes/airflow/requirements.in "$@" \
    --output-file requirements/recipes/airflow/requirements.txt
