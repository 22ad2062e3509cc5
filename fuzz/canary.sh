#!/usr/bin/env bash
# The fuzzer must be able to fail: with an OMS that checks, submits and then records, from one seed in
# which nothing goes wrong, it has to find that an order is lost or bought twice, or left alone.
# Run by `make fuzz-canary`.
set -uo pipefail
mkdir -p build/fuzz/canary-seed
# Head: broker alpaca, simple disk. A decision, five seconds, the decision once more.
printf '\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\7\0\0\0\0\0\0\2\0\0\0\0\0\0\0' >build/fuzz/canary-seed/once
FUZZ_OMS=seed-protocol FUZZ_FIRST=1 FUZZ_SECONDS=${FUZZ_SECONDS:-20} FUZZ_INPUT=build/fuzz/canary-seed \
    fuzz/run.sh | tee build/fuzz/canary.log
code=${PIPESTATUS[0]}
if [ "$code" != 1 ]; then
    echo "fuzz-canary: FAIL: a known mistake was not found (exit code $code)" >&2
    exit 1
fi
grep -q -E '^I(1|2|3|12) broke' build/fuzz/canary.log || { echo "fuzz-canary: FAIL: something else was found" >&2; exit 1; }
! grep 'breaks nothing when it is played here' build/fuzz/canary.log >&2 ||
    { echo "fuzz-canary: FAIL: AFL++ saw the target itself break" >&2; exit 1; }
again=$(sed -n 's/^again: //p' build/fuzz/canary.log | head -1)
bash -c "$again" >build/fuzz/canary-replay.log
replayed=$?
[ $replayed = 1 ] || { echo "fuzz-canary: FAIL: '$again' exits with $replayed, not 1" >&2; exit 1; }
echo "fuzz-canary: PASS: the known mistake was found, and its command repeats it"
