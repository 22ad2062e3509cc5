#!/usr/bin/env bash
# The gate on all cores, or on many machines that share this folder: GNU parallel deals the shards
# out, and 'merge' gives the verdict that one process gives, byte by byte. Run it at the top of a
# built tree (`make all variants`). Options after the folder go to parallel, such as --sshlogin.
# usage: reports/ci/parallel.sh [SHARDS] [FOLDER] [OPTIONS OF PARALLEL...]   (SCENARIOS=scenarios)
set -u
shards=${1:-$(nproc)} folder=${2:-results} scenarios=${SCENARIOS:-scenarios}
seq "$shards" | parallel --workdir "$PWD" "${@:3}" --halt never \
    build/crashgate gate "$scenarios" --shard "{}/$shards" --out "$folder" ">" "$folder.{}.log" "2>&1"
build/crashgate merge "$folder"
