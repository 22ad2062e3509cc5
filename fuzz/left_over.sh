# Sourced by the scripts that run AFL++. Each target carries a mark, so that ours are known from those
# of others: a target outlives a fuzzer that was killed, and ignores SIGTERM.
export FUZZ_MARK=crashgate-$$-$RANDOM
# The targets' names: end_left_over_targets NAME...
end_left_over_targets() {
    local name pid
    for name in "$@"; do
        for pid in $(pgrep -x "$name"); do
            if grep -qxzF "FUZZ_MARK=$FUZZ_MARK" "/proc/$pid/environ" 2>/dev/null; then
                echo "fuzz: ends a target that was left over: $pid" >&2
                kill -KILL "$pid" 2>/dev/null
            fi
        done
    done
}
# What fuzzer_stats in $stats says of one thing.
stat() { sed -n "s/^$1 *: *//p" "$stats"; }
