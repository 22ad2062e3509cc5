#!/usr/bin/env bash
# Runs a trading session of foreign SDKs against `crashgate broker`: installs each into a folder of its
# own that goes again, starts a broker on a free loopback port, and tells what was seen.
#
#   run.sh CRASHGATE [VERSION...]      versions of @alpacahq/alpaca-trade-api
#
# Exit codes: 0 all as wanted, 1 something differs, 5 it could not be run.
set -u
crashgate=${1:?usage: run.sh CRASHGATE [VERSION...]}
shift
[ $# -gt 0 ] || set -- 3.1.3 4.0.2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
broker=
end() {
    if [ -n "$broker" ]; then kill "$broker" 2>/dev/null; wait "$broker" 2>/dev/null; fi
    rm -rf "$work"
}
trap end EXIT
cannot() { echo "foreign-client: $*" >&2; exit 5; }

for tool in node npm; do
    command -v "$tool" >/dev/null || cannot "'$tool' is not installed; this needs Node.js 20 and npm (apt-get install nodejs npm)"
done
export APCA_API_KEY_ID=key APCA_API_SECRET_KEY=secret

# Starts a fresh broker and sets APCA_API_BASE_URL.
start_broker() {
    "$crashgate" broker --listen 127.0.0.1:0 >"$work/broker" 2>&1 &
    broker=$!
    for _ in $(seq 100); do
        APCA_API_BASE_URL=$(head -1 "$work/broker")
        case $APCA_API_BASE_URL in http://*) export APCA_API_BASE_URL; return ;; esac
        sleep 0.1
    done
    cannot "the broker does not come up: $(cat "$work/broker")"
}

differences=0
for version in "$@"; do
    folder=$work/$version
    mkdir "$folder"
    (cd "$folder" && npm init -y && npm install --no-audit --no-fund "@alpacahq/alpaca-trade-api@$version") >"$work/npm" 2>&1 ||
        cannot "npm cannot install @alpacahq/alpaca-trade-api@$version: $(tail -3 "$work/npm")"
    start_broker
    echo "@alpacahq/alpaca-trade-api $version, node $(node --version), $APCA_API_BASE_URL"
    node "$here/session.js" "$folder" "$here/sdk_v${version%%.*}.js" || differences=$((differences + 1))
    kill "$broker" && wait "$broker" || cannot "the broker ended with $?"
    broker=
    sed -n 's/^served/  the broker served/p' "$work/broker"
done
[ $differences = 0 ] && echo "foreign-client: PASS" || { echo "foreign-client: FAIL" >&2; exit 1; }
