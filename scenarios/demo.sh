#!/bin/sh
# One screen: the documented stories, what crashing anywhere makes of them, and the core beside it.
# usage: scenarios/demo.sh CRASHGATE          exit 0 only when everything said here is so
set -u
crashgate=$1
stories=scenarios/documented
first=$stories/the_oms_dies_after_the_order_was_recorded.scn
second=$stories/the_rest_is_canceled_while_the_oms_is_dead.scn
third=$stories/the_oms_dies_before_it_looked_the_decision_up.scn
failed=0

# shows WANTED-EXIT LINES TITLE OPTIONS...: runs scenarios by title, prints the first lines and
# the command that repeats a failure.
shows() {
    wanted=$1 lines=$2 title=$3
    shift 3
    out=$("$crashgate" run "$@" --scenario "$title" --profile alpaca)
    got=$?
    printf '%s\n' "$out" | sed -e '/^$/d' -e '/^[0-9]* PASS/d' |
        sed -n -e 's/^again:/&/' -e 't show' -e 's| scenarios/[^ ]*\.scn:[0-9]* ||' -e "1,${lines}b show" \
            -e d -e ': show' -e 's/^/  /p'
    [ "$got" = "$wanted" ] || untrue "exit code $got instead of $wanted"
}
untrue() {
    echo "  NOT SO: $1"
    failed=1
}

echo "1. An OMS that checks, submits and records, killed exactly where its document says: all is well."
shows 0 1 "Verified 1: crash after order submission, as told" "$first" --oms seed-protocol --crashes kill
shows 0 1 "Verified 2: crash during partial fill, as told" "$second" --oms seed-protocol --crashes kill
shows 0 1 "Verified 3: crash before the order is recorded, as told" "$third" --oms seed-protocol --crashes kill
echo
echo "2. The first story again, only that the power goes instead of the process: the record was never synced."
shows 1 2 "Verified 1: crash after order submission, as told" "$first" --oms seed-protocol --crashes power
echo
echo "3. The first story again, killed at every point instead of one: two orders for one decision."
shows 1 100 "Verified 1: no crash point duplicates or loses the order" "$first" --oms seed-protocol --crashes kill
case $out in
*"
I1 broke"*) ;;
*) untrue "it should break I1, at most one order per decision" ;;
esac
echo
echo "4. The core, judged by every invariant: all six documented stories as told, killed or without power at"
echo "   every point, and again at every point of every life after that."
core() {
    out=$("$crashgate" "$@") || untrue "the core does not pass"
    printf '%s\n' "$out" | sed -n '$s/^/  /p'
}
core run "$stories" --scenario "as told"
core run "$stories" --tag quantified
core explore "$stories" --restarts at-once --audits 1 --audit-every 4
exit $failed
