#!/usr/bin/env bash
# One campaign on two machines, which here are two folders: what each finds reaches the other, by
# reports/ci/fuzz_sync.sh, and what libFuzzer would have kept is taken from its folder. Bounded by
# executions. Run by `make fuzz-campaign`, after a build.
set -uo pipefail
tree=$PWD
work=build/fuzz/machines
target=plan
fail() { echo "fuzz-machines: FAIL: $*" >&2; exit 1; }
on() { (cd "$tree/$work/$1" && shift && "$@"); } # MACHINE COMMAND...: there
end() { for machine in one two; do on $machine build/crashgate fuzz stop $target; done >/dev/null 2>&1; }
figure() { # MACHINE NAME
    on "$1" build/crashgate fuzz status $target --json - | sed -n "s/.*\"$2\":\([^,}]*\).*/\1/p"
}
fuzz() { # MACHINE VERB OPTION...: until it is over
    local machine=$1
    AFL_IMPORT_FIRST=1 on "$machine" build/crashgate fuzz "$2" $target --jobs 1 "${@:3}" >/dev/null || fail "$machine: it does not $2"
    for _ in $(seq 1000); do
        [ "$(figure "$machine" runs)" = false ] && return
        sleep 0.1
    done
    fail "$machine does not end: $(on "$machine" build/crashgate fuzz status $target 2>&1)"
}
sync() { on "$1" reports/ci/fuzz_sync.sh $target "$tree/$work/shared" "$1" || fail "$1 gives and takes nothing"; }
from() { # MACHINE WORD: how many inputs of its queue are from there
    find "$work/$1/build/fuzz/campaigns/$target/afl/main/queue" -maxdepth 1 -name "*$2*" | wc -l
}

rm -rf "$work"
for machine in one two; do
    mkdir -p "$work/$machine/build/fuzz"
    ln -s "$tree/reports" "$work/$machine/reports"
    ln -s "$tree"/build/{crashgate,fuzz_inputs,inputs} "$work/$machine/build/"
done
trap end EXIT

fuzz one start --executions 5000 --shard 1/2
sync one
mkdir -p "$work/corpus"
printf '1/disk.write(wal)@2=kill-after,2/start@1=kill,3/broker.submit@4=lost-reply' >"$work/corpus/another"
sync two
fuzz two start --executions 20000 --shard 2/2 --foreign "$tree/$work/corpus"
sync two
sync one
fuzz one resume --executions 30000 --shard 1/2

[ "$(from two sync:main@one)" -gt 0 ] || fail "two has nothing of one"
[ "$(from one sync:main@two)" -gt 0 ] || fail "one has nothing of two"
[ "$(from two sync:corpus)" -gt 0 ] || fail "two has nothing of the foreign folder"
[ "$(from one '@one')" = 0 ] || fail "one has its own inputs as another's"
for machine in one two; do
    [ "$(figure $machine stability_percent)" = 100.00 ] || fail "$machine: stability is $(figure $machine stability_percent)"
done
echo "fuzz-machines: PASS: of one to two $(from two sync:main@one), of two to one $(from one sync:main@two), of a foreign folder $(from two sync:corpus) inputs"
