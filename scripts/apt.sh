#!/usr/bin/env bash
# Installs Debian packages when that can be done without asking: as root, where apt is. Else exits 1 and says nothing.
# Services that a package would start on its own (prometheus does) are kept from starting: the tests start their own.
set -euo pipefail

[[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || exit 1

policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
apt_get() { apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -qq "$@"; }

if ! apt-cache show "$@" >/dev/null 2>&1; then
    printf 'holdfire: fetching the package lists\n'
    apt_get update
fi
printf 'holdfire: installing %s\n' "$*"
if ! apt_get install --yes --no-install-recommends "$@"; then
    apt_get update # lists that are older than the mirror name files that are gone
    apt_get install --yes --no-install-recommends "$@"
fi
