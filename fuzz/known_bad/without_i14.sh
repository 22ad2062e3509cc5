#!/usr/bin/env bash
# I14 looks at the disk at every send and so finds a missing sync without any crash. Judged without
# it, an OMS that does not sync must fall where it really loses something, and only there: under a
# power loss, not under a kill, whatever the depth.
# usage: without_i14.sh CRASHGATE VARIANTS
set -euo pipefail
crashgate=$1 variants=$2
claims=I1,I2,I3,I4,I5,I6,I7,I8,I9,I10,I11,I12,I13
out=$(mktemp)
trap 'rm -f "$out"' EXIT

judge() { # COMMAND OMS KIND OPTIONS...
    "$crashgate" "$1" scenarios/documented --oms "$2" --claims $claims --crashes "$3" --format short "${@:4}" >"$out" 2>&1
}

if ! judge run "$variants/sync-normal.so" kill --tag quantified ||
    ! judge explore "$variants/sync-normal.so" kill --restarts at-once; then
    grep error "$out" | head -3
    echo "FAIL  sync-normal falls under a kill, where nothing is lost"
    exit 1
fi
if judge run "$variants/sync-normal.so" power --tag quantified; then
    echo "FAIL  sync-normal passes a power loss without I14"
    exit 1
fi
other=$(grep -o ': I[0-9]* broke' "$out" | grep -vc ': I7 broke' || true)
told=$(grep -c ': I7 broke' "$out" || true)
if [ "$other" != 0 ] || [ "$told" = 0 ]; then
    grep error "$out" | grep -v 'I7 broke' | head -3
    echo "FAIL  under a power loss sync-normal must break I7 first, and did so $told times and something else $other times"
    exit 1
fi
echo "without I14: sync-normal passes every kill at every depth and breaks I7 in $told of the documented stories under power"
