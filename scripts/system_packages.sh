#!/usr/bin/env bash
# Sees to the programs that `make test` or `make bench` start: installs what is missing where it can, else names it.
# With CI=true a program that stays missing is an error; without, the tests that need it are skipped and say so.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin # where Debian keeps servers, and not on everybody's path

# program:package of Debian
case ${1:?usage: scripts/system_packages.sh test|bench} in
    test)
        needed="chromium-headless-shell:chromium-headless-shell chromium:chromium promtool:prometheus prometheus:prometheus"
        needed+=" mosquitto:mosquitto postfix:postfix pg_ctlcluster:postgresql nats-server:nats-server nginx:nginx node:nodejs npm:npm"
        ;;
    bench)
        needed="wrk:wrk taskset:util-linux chromium-headless-shell:chromium-headless-shell"
        needed+=" prometheus:prometheus node:nodejs npm:npm"
        ;;
    *) printf 'usage: scripts/system_packages.sh test|bench\n' >&2 && exit 2 ;;
esac

missing() {
    local pair
    for pair in $needed; do
        command -v "${pair%%:*}" >/dev/null || printf '%s\n' "${pair##*:}"
    done | sort -u
}

mapfile -t packages < <(missing)
[[ ${#packages[@]} == 0 ]] && exit 0

scripts/apt.sh "${packages[@]}" || true
mapfile -t packages < <(missing)
[[ ${#packages[@]} == 0 ]] && exit 0

printf 'holdfire: please install %s (on Debian: sudo apt-get install %s)\n' "${packages[*]}" "${packages[*]}" >&2
[[ " ${packages[*]} " == *" chromium "* ]] && printf 'holdfire: on Ubuntu, Chromium comes as: sudo snap install chromium\n' >&2
[[ ${CI:-} == true || $1 == bench ]] && exit 1
exit 0
