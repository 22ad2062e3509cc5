#!/usr/bin/env bash
# A campaign in the background with the real AFL++: started, told, not started twice, stopped, resumed
# with all it had, and over after so many executions. Run by `make fuzz-campaign`, after a build.
set -uo pipefail
target=${1:-plan}
executions=${FUZZ_EXECUTIONS:-20000}
folder=build/fuzz/campaigns/$target
trap 'build/crashgate fuzz stop "$target" >/dev/null 2>&1' EXIT
fail() { echo "fuzz-campaign: FAIL: $*" >&2; exit 1; }
figure() { # NAME: what every instance tells of it, one a line
    build/crashgate fuzz status "$target" --json - | sed -n "s/.*\"$1\":\([^,}]*\).*/\1/p"
}
wait_for() { # NAME VALUE: until that is what both tell
    for _ in $(seq 1000); do
        [ "$(figure "$1" | sort -u)" = "$2" ] && return
        sleep 0.1
    done
    fail "$1 does not become $2: $(build/crashgate fuzz status "$target" 2>&1)"
}

rm -rf "$folder"
build/crashgate fuzz start "$target" --jobs 2 >/dev/null || fail "it does not start"
wait_for stability_percent 100.00
[ "$(figure runs | sort | uniq -c | xargs)" = "2 true" ] || fail "they do not run: $(figure runs)"
build/crashgate fuzz start "$target" >/dev/null 2>&1
code=$?
[ $code = 2 ] || fail "a second start ends with $code"
build/crashgate fuzz stop "$target" | grep -qx "$target: 2 fuzzers ended" || fail "it does not stop"
build/crashgate fuzz stop "$target" >/dev/null
code=$?
[ $code = 3 ] || fail "a second stop ends with $code"

mapfile -t before < <(figure corpus)
mapfile -t tried < <(figure executions)
build/crashgate fuzz resume "$target" --executions $((tried[0] + tried[1] + executions)) >/dev/null || fail "it does not resume"
wait_for runs false
mapfile -t after < <(figure corpus)
mapfile -t all < <(figure executions)
for i in 0 1; do
    [ "${after[i]}" -ge "${before[i]}" ] || fail "of ${before[i]} inputs ${after[i]} are left"
    [ "${all[i]}" -ge $((tried[i] + executions)) ] || fail "after ${tried[i]} executions it ended with ${all[i]}"
done
[ "$(figure stability_percent | sort -u)" = 100.00 ] || fail "stability is $(figure stability_percent | xargs)"
echo "fuzz-campaign: PASS: $target: ${tried[*]} executions, then ${all[*]}; inputs kept: ${before[*]}, then ${after[*]}"
