#!/usr/bin/env bash
# One campaign on many machines. On machine I of N, at the top of a built tree:
#   build/crashgate fuzz start TARGET --shard I/N
# and now and then (cron, or a loop around it) this, which gives what its fuzzers kept and takes what
# those of the others kept. SHARED is a folder that all of them see, or HOST:FOLDER through ssh, and
# MACHINE a name that no other has. Fuzzers look for news every AFL_SYNC_TIME minutes, and at their
# start with AFL_IMPORT_FIRST=1; the first of each machine passes them on to the others there.
# usage: reports/ci/fuzz_sync.sh TARGET SHARED [MACHINE]
set -euo pipefail
shopt -s nullglob
target=${1:?TARGET} shared=${2:?SHARED} machine=${3:-$(hostname)}
here=build/fuzz/campaigns/$target/afl
mkdir -p "$here"
for queue in "$here"/*/queue; do
    instance=$(basename "${queue%/queue}")
    [[ $instance == *@* ]] || rsync -a --mkpath --exclude=.state "$queue" "$shared/$target/$instance@$machine/"
done
rsync -a --exclude="*@$machine" "$shared/$target/" "$here/"
