#!/usr/bin/env bash
# Runs AFL++ on readers of foreign bytes, one after the other, and tells what it found: one line each.
# Run by `make fuzz-inputs`, at the top of a checkout, after a build: fuzz/inputs/run.sh NAME...
# From the environment: FUZZ_SECONDS, for each [30]; FUZZ_SEED, of the fuzzer's own chance [1].
# Exit code: 0 nothing found, 1 something was, 5 the fuzzer could not run.
set -uo pipefail
seconds=${FUZZ_SECONDS:-30}
seed=${FUZZ_SEED:-1}
code=0
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "fuzz: FUZZ_SECONDS=$seconds is no number of seconds" >&2; exit 5; }
[[ $seed =~ ^[0-9]+$ ]] || { echo "fuzz: FUZZ_SEED=$seed is no whole number" >&2; exit 5; }
. fuzz/left_over.sh
trap 'end_left_over_targets "${@/#/input_}"' EXIT

run() {
    local name=$1 work=build/fuzz/inputs/$1 target=build/inputs/input_$1 files=() saved ended
    [ "$name" = scenario ] && files=(scenarios/*/*.scn)
    stats=$work/afl/default/fuzzer_stats
    rm -rf "$work"
    mkdir -p "$work"
    build/fuzz_inputs seeds "$name" "$work/seeds" "${files[@]}" >/dev/null || exit 5
    build/fuzz_inputs words "$name" >"$work/words" || exit 5
    AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
        AFL_NO_CRASH_README=1 AFL_INPUT_LEN_MAX=4096 \
        timeout -k 5 $((seconds + 120)) \
        afl-fuzz -i "$work/seeds" -o "$work/afl" -s "$seed" -V "$seconds" -t 2000 -m none \
        $([ -s "$work/words" ] && echo "-x $work/words") -- "$target" >"$work/afl.log" 2>&1
    ended=$?
    if [ ! -s "$stats" ] || { [ $ended != 0 ] && [ $ended != 124 ]; }; then
        tail -20 "$work/afl.log" >&2
        echo "fuzz: $name: afl-fuzz did not run (exit code $ended); all it said is in $work/afl.log" >&2
        exit 5
    fi
    echo "fuzz: $name: $(stat execs_done) executions in $(stat run_time) s, $(stat execs_per_sec) a second;" \
        "$(stat corpus_count) inputs kept, $(stat edges_found) edges; stability $(stat stability);" \
        "saved crashes: $(stat saved_crashes), saved hangs: $(stat saved_hangs)"
    for saved in "$work"/afl/default/{crashes,hangs}/id:*; do
        [ -e "$saved" ] || continue
        echo "again: build/fuzz_inputs read $name '$saved'"
        code=1
    done
}
[ $# -gt 0 ] || { echo "usage: fuzz/inputs/run.sh NAME...; build/fuzz_inputs list" >&2; exit 5; }
for reader in "$@"; do run "$reader"; done
exit $code
