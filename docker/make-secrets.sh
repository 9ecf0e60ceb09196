#!/usr/bin/env bash
# Makes up the passwords that docker/compose.cluster.yaml asks for, once: files that are there stay as they are.
#   docker/make-secrets.sh [folder]
set -euo pipefail
folder=${1:-$(dirname "$0")/secrets}
umask 077
mkdir -p "$folder"
cd "$folder"

random() { head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

# keep NAME COMMAND…: what the command says goes into the file. Containers read it as users of their own: what keeps
# others out is the folder.
keep() {
    [[ -e $1 ]] && return
    "${@:2}" >"$1"
    chmod 444 "$1"
}

keep postgres_password random
keep nats_password random
keep grafana_password random
keep database_url printf 'postgresql://holdfire:%s@postgres:5432/holdfire' "$(<postgres_password)"
keep stream_url printf 'nats://holdfire:%s@nats:4222' "$(<nats_password)"
keep nats_auth.conf printf 'authorization { user: holdfire, password: "%s" }\n' "$(<nats_password)"
printf 'holdfire: passwords are in %s\n' "$PWD"
