#!/usr/bin/env bash
# Runs AFL++ on the timeline target and tells what it found. Run by `make fuzz`, at the top of a
# checkout, after a build. From the environment:
#   FUZZ_SECONDS  how long [30]
#   FUZZ_EXECUTIONS  instead of so long, so many executions: the same ones every time
#   FUZZ_OMS      the OMS under test, as for --oms [core]
#   FUZZ_SEED     of the fuzzer's own chance [1]
#   FUZZ_INPUT    a folder of seeds [build/fuzz/seeds, made of all scenarios]
#   FUZZ_MUTATOR  what edits timelines [build/afl/timeline_mutator.so; empty: AFL++'s own edits of bytes]
#   FUZZ_FIRST    not empty: stop at the first finding
# Exit code: 0 nothing found, 1 something was, 3 nothing was tried, 5 the fuzzer could not run.
set -uo pipefail
seconds=${FUZZ_SECONDS:-30}
seed=${FUZZ_SEED:-1}
target=build/afl/timeline
work=build/fuzz
input=${FUZZ_INPUT:-$work/seeds}
mutator=${FUZZ_MUTATOR-$PWD/build/afl/timeline_mutator.so}
out=$work/afl
stats=$out/default/fuzzer_stats

[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "fuzz: FUZZ_SECONDS=$seconds is no number of seconds" >&2; exit 5; }
bound=(-V "$seconds")
limit=$((seconds + 120))
if [ -n "${FUZZ_EXECUTIONS:-}" ]; then
    [[ $FUZZ_EXECUTIONS =~ ^[1-9][0-9]*$ ]] || { echo "fuzz: FUZZ_EXECUTIONS=$FUZZ_EXECUTIONS is no number of executions" >&2; exit 5; }
    bound=(-E "$FUZZ_EXECUTIONS")
    limit=$((120 + FUZZ_EXECUTIONS / 20))
fi
[[ $seed =~ ^[0-9]+$ ]] || { echo "fuzz: FUZZ_SEED=$seed is no whole number" >&2; exit 5; }
[ -z "$mutator" ] || [ -f "$mutator" ] || { echo "fuzz: no $mutator: run make fuzz" >&2; exit 5; }
for program in afl-fuzz "$target" build/fuzz_timeline; do
    command -v "$program" >/dev/null || { echo "fuzz: no $program: run make fuzz" >&2; exit 5; }
done

mkdir -p "$work"
rm -rf "$out" "$work/findings"
if [ -z "${FUZZ_INPUT:-}" ]; then
    rm -rf "$input"
    build/fuzz_timeline seeds "$input" scenarios/*/*.scn || exit 5
fi

. fuzz/left_over.sh
trap "end_left_over_targets timeline" EXIT

AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
    AFL_INPUT_LEN_MAX=520 AFL_NO_CRASH_README=1 \
    env ${FUZZ_FIRST:+AFL_BENCH_UNTIL_CRASH=1} \
    ${mutator:+AFL_CUSTOM_MUTATOR_LIBRARY="$mutator" AFL_CUSTOM_MUTATOR_ONLY=1} \
    timeout -k 5 "$limit" \
    afl-fuzz -i "$input" -o "$out" -s "$seed" "${bound[@]}" -t 2000 -m none -- "$target" \
    >"$work/afl.log" 2>&1
ended=$?
if [ ! -s "$stats" ] || { [ $ended != 0 ] && [ $ended != 124 ]; }; then
    tail -20 "$work/afl.log" >&2
    echo "fuzz: afl-fuzz did not run (exit code $ended); all it said is in $work/afl.log" >&2
    exit 5
fi

execs=$(stat execs_done)
stability=$(stat stability)
crashes=$(stat saved_crashes)
hangs=$(stat saved_hangs)
echo "fuzz: ${FUZZ_OMS:-core}: $execs executions in $(stat run_time) s, $(stat execs_per_sec) a second;" \
    "$(stat corpus_count) inputs kept, $(stat edges_found) edges; stability $stability;" \
    "saved crashes: $crashes, saved hangs: $hangs"
[ "${execs:-0}" -gt 0 ] || { echo "fuzz: nothing was executed" >&2; exit 3; }
[ "$stability" = 100.00% ] ||
    echo "fuzz: WARNING: stability is $stability: something but the input decides about a run" >&2

mapfile -t saved < <(find "$out/default/crashes" "$out/default/hangs" -type f -name 'id*' | sort)
if [ "${#saved[@]}" -gt 0 ]; then
    # Names without the fuzzer's punctuation.
    mkdir -p "$work/findings"
    inputs=()
    for file in "${saved[@]}"; do
        name=$(basename "$(dirname "$file")")-$(basename "$file" | sed 's/^id:\([0-9]*\).*/\1/')
        cp "$file" "$work/findings/$name"
        inputs+=("$work/findings/$name")
    done
    timeout 600 build/fuzz_timeline report "$work/findings" "${inputs[@]}"
    echo "fuzz: ${#saved[@]} saved, in $work/findings"
    exit 1
fi
[ "${crashes:-0}" = 0 ] && [ "${hangs:-0}" = 0 ] || { echo "fuzz: saved files are missing" >&2; exit 5; }
